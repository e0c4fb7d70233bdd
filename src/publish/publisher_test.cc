// SPDX-License-Identifier: Apache-2.0
/// Against a real lake in a temporary folder; what other engines read of it is test/publish/readers_test.py's to ask.
#include "publish/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "publish/partition_spec.h"
#include "publish/table_state.h"

namespace nano::publish {
namespace {

class PublisherTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/nano-publish-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
    std::filesystem::create_directories(root_ / "lake");
    auto opened = engine::Database::Open({});
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
    connection_ = *database_->Connect();
    Run("ATTACH " + engine::Literal("ducklake:sqlite:" + (root_ / "catalog.db").string()) + " AS lake (DATA_PATH " +
        engine::Literal((root_ / "lake").string() + "/") + ", OVERRIDE_DATA_PATH true, DATA_INLINING_ROW_LIMIT 0, META_JOURNAL_MODE 'WAL')");
    Run("SET TimeZone = 'UTC'");
    Run("CREATE SCHEMA lake.build");
  }
  void TearDown() override {
    connection_.reset();
    database_.reset();
    std::filesystem::remove_all(root_);
  }

  void Run(const std::string& sql) {
    const auto ran = connection_->Execute(sql);
    ASSERT_TRUE(ran) << sql << ": " << ran.error().message;
  }
  std::int64_t Head() { return connection_->Query("SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot")->integer(0, 0); }
  Published Publish(const std::string& table, std::map<std::string, std::int64_t> tags = {}) {
    Publisher publisher(*connection_, root_);
    PublishRequest request;
    request.table = table;
    request.snapshot = Head();
    request.tags = std::move(tags);
    auto published = publisher.Publish(request);
    EXPECT_TRUE(published) << published.error().message;
    return published ? *published : Published{};
  }
  static nlohmann::json Read(const Published& published) {
    std::ifstream file(published.metadata_location.substr(7));
    return nlohmann::json::parse(file);
  }

  std::filesystem::path root_;
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<engine::Connection> connection_;
};

TEST_F(PublisherTest, ATableIsPublishedOnceForItsContent) {
  Run("CREATE TABLE lake.build.t AS SELECT range AS id FROM range(10)");
  const Published first = Publish("t");
  EXPECT_TRUE(first.written);
  EXPECT_EQ(first.rows, 10);
  EXPECT_EQ(first.files, 1);
  const Published again = Publish("t");
  EXPECT_FALSE(again.written);
  EXPECT_EQ(again.metadata_location, first.metadata_location);
  Run("CREATE TABLE lake.build.other AS SELECT 1 AS x");
  EXPECT_FALSE(Publish("t").written);
  Run("DELETE FROM lake.build.t WHERE id = 3");
  const Published second = Publish("t");
  EXPECT_TRUE(second.written);
  EXPECT_EQ(second.rows, 9);
  EXPECT_EQ(second.snapshot_id, (std::int64_t{1} << 42) + Head());
}

TEST_F(PublisherTest, TotalsAndChangesOfASnapshotAgree) {
  Run("CREATE TABLE lake.build.t AS SELECT range AS id FROM range(10)");
  Publish("t");
  Run("INSERT INTO lake.build.t SELECT 100");
  auto summary = Read(Publish("t"))["snapshots"].back()["summary"];
  EXPECT_EQ(summary["operation"], "append");
  EXPECT_EQ(summary["added-records"], "1");
  EXPECT_EQ(summary["total-records"], "11");
  Run("DELETE FROM lake.build.t WHERE id < 2");
  summary = Read(Publish("t"))["snapshots"].back()["summary"];
  EXPECT_EQ(summary["operation"], "overwrite");
  EXPECT_EQ(summary["added-position-deletes"], "2");
  EXPECT_EQ(summary["total-position-deletes"], "2");
  EXPECT_FALSE(summary.contains("added-data-files"));
  // Deletes that did not change are named again, not written again.
  Run("INSERT INTO lake.build.t SELECT 200");
  summary = Read(Publish("t"))["snapshots"].back()["summary"];
  EXPECT_EQ(summary["operation"], "append");
  EXPECT_EQ(summary["total-position-deletes"], "2");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root_ / "iceberg/t/deletes"), {}), 1);
  Run("CALL ducklake_rewrite_data_files('lake', 't', schema => 'build', delete_threshold => 0.1)");
  summary = Read(Publish("t"))["snapshots"].back()["summary"];
  EXPECT_EQ(summary["operation"], "replace");
  EXPECT_EQ(summary["total-position-deletes"], "0");
  EXPECT_EQ(summary["total-records"], "10");
}

TEST_F(PublisherTest, ATagKeepsItsCut) {
  Run("CREATE TABLE lake.build.t AS SELECT range AS id FROM range(10)");
  const std::int64_t cut = Head();
  Run("DELETE FROM lake.build.t WHERE id = 3");
  auto refs = Read(Publish("t", {{"jan", cut}}))["refs"];
  EXPECT_EQ(refs["jan"]["snapshot-id"], (std::int64_t{1} << 42) + cut);
  EXPECT_FALSE(Publish("t", {{"jan", cut}}).written);
  refs = Read(Publish("t"))["refs"];
  EXPECT_FALSE(refs.contains("jan"));
  const Published lost = Publish("t", {{"never", 0}});
  EXPECT_EQ(lost.warnings.size(), 1U);
}

TEST_F(PublisherTest, ARefusedTableKeepsWhatWasPublished) {
  Run("CREATE TABLE lake.build.t AS SELECT 1 AS id");
  const Published good = Publish("t");
  Run("ALTER TABLE lake.build.t ADD COLUMN big HUGEINT");
  const Published refused = Publish("t");
  EXPECT_THAT(refused.refused, testing::HasSubstr("\"big\": type int128 has no exact form"));
  EXPECT_EQ(refused.metadata_location, good.metadata_location);
  EXPECT_FALSE(refused.written);
}

TEST_F(PublisherTest, AnUnknownTableIsAnError) {
  Publisher publisher(*connection_, root_);
  PublishRequest request;
  request.table = "nothing";
  request.snapshot = Head();
  EXPECT_EQ(publisher.Publish(request).error().code, Code::kNotFound);
  request.snapshot = 9999;
  EXPECT_EQ(publisher.Publish(request).error().code, Code::kNotFound);
  Run("SELECT 1");   // no transaction was left open
  Run("BEGIN");
  Run("ROLLBACK");
}

TEST_F(PublisherTest, DamagedMetadataIsBegunAnew) {
  Run("CREATE TABLE lake.build.t AS SELECT 1 AS id");
  const Published first = Publish("t");
  std::ofstream(first.metadata_location.substr(7), std::ios::trunc) << "{\"half\":";
  const Published second = Publish("t");
  EXPECT_TRUE(second.written);
  EXPECT_NE(second.metadata_location, first.metadata_location);
  EXPECT_EQ(Read(second)["snapshots"].size(), 1U);
}

TEST_F(PublisherTest, NamesAreReplacedWhole) {
  Publisher publisher(*connection_, root_);
  EXPECT_TRUE(publisher.ReadNames()->empty());
  ASSERT_TRUE(publisher.WriteNames({{"orders", "file:///a"}, {"ž \"x\"", "file:///b"}}));
  EXPECT_EQ(publisher.ReadNames()->at("ž \"x\""), "file:///b");
  ASSERT_TRUE(publisher.WriteNames({{"orders", "file:///c"}}));
  EXPECT_EQ(publisher.ReadNames()->size(), 1U);
  std::ofstream(root_ / "iceberg/names.json", std::ios::trunc) << "[1]";
  EXPECT_EQ(publisher.ReadNames().error().code, Code::kCorrupt);
}

/// Iceberg's hash: Murmur3, 32 bits, seed 0. Written here once more, to hold the lake's buckets against the standard.
std::uint32_t Murmur3(std::string_view bytes) {
  const auto rotate = [](std::uint32_t x, int by) { return (x << by) | (x >> (32 - by)); };
  const auto scramble = [&](std::uint32_t k) { return rotate(k * 0xCC9E2D51U, 15) * 0x1B873593U; };
  std::uint32_t hash = 0;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t k = 0;
    std::memcpy(&k, bytes.data() + at, 4);
    hash = rotate(hash ^ scramble(k), 13) * 5 + 0xE6546B64U;
  }
  std::uint32_t tail = 0;
  for (std::size_t i = bytes.size(); i > at; --i) tail = (tail << 8) | static_cast<std::uint8_t>(bytes[i - 1]);
  hash ^= scramble(tail) ^ static_cast<std::uint32_t>(bytes.size());
  hash = (hash ^ (hash >> 16)) * 0x85EBCA6BU;
  hash = (hash ^ (hash >> 13)) * 0xC2B2AE35U;
  return hash ^ (hash >> 16);
}

TEST_F(PublisherTest, TheLakesBucketsAreIcebergs) {
  ASSERT_EQ(Murmur3(std::string_view("\x22\0\0\0\0\0\0\0", 8)), 2017239379U);   // the specification's example: 34 as a long
  ASSERT_EQ(Murmur3("iceberg"), 1210000089U);
  struct Case {
    const char *type, *value;
    std::string bytes;
  };
  const auto number = [](std::int64_t value) { return std::string(reinterpret_cast<const char*>(&value), 8); };
  const std::vector<Case> cases = {{"TINYINT", "34", number(34)}, {"SMALLINT", "-34", number(-34)}, {"INTEGER", "34", number(34)}, {"BIGINT", "-1", number(-1)},
                                   {"DATE", "DATE '2017-11-16'", number(17486)}, {"TIME", "TIME '22:31:08'", number(81068000000)},
                                   {"TIMESTAMP", "TIMESTAMP '2017-11-16 22:31:08'", number(1510871468000000)},
                                   {"TIMESTAMPTZ", "TIMESTAMPTZ '2017-11-16 14:31:08-08'", number(1510871468000000)}, {"VARCHAR", "'iceberg'", "iceberg"},
                                   {"VARCHAR", "'ž𝒳'", "ž𝒳"}, {"BLOB", "'\\x00\\x01\\x02\\x03'::BLOB", std::string("\0\1\2\3", 4)}};
  int made = 0;
  for (const Case& each : cases) {
    const std::string table = "b" + std::to_string(made++);
    Run("CREATE TABLE lake.build." + table + " (x " + each.type + ")");
    Run("ALTER TABLE lake.build." + table + " SET PARTITIONED BY (bucket(1000, x))");
    Run("INSERT INTO lake.build." + table + " VALUES (" + each.value + ")");
    const auto state = ReadTableState(*connection_, root_, {"build", table, Head()}, {});
    ASSERT_TRUE(state) << state.error().message;
    ASSERT_EQ(state->data.size(), 1U);
    EXPECT_EQ(state->data[0].partition_values.at(0), std::to_string((Murmur3(each.bytes) & 0x7FFFFFFF) % 1000)) << each.type;
  }
}

}  // namespace
}  // namespace nano::publish
