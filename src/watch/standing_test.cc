// SPDX-License-Identifier: Apache-2.0
#include "watch/standing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "journal/journal.h"
#include "lake/build.h"
#include "lake/lake.h"
#include "watch/doctor.h"

namespace nano::watch {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// A warehouse with one table `orders`, three rows of which one is deleted, and a journal that is ahead of the lake.
class WatchTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("watch_test_" + std::to_string(getpid()));
    layout_.root = layout_.local = folder_;
    static const fs::path made = Make();   // once: a moved folder is the same warehouse
    fs::remove_all(folder_);
    fs::copy(made, folder_, fs::copy_options::recursive);
    ASSERT_TRUE(lake::Writer::Open({layout_.lake(), layout_.catalog(), layout_.spill()}, {}));   // it corrects the stored path
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path Make() {
    const fs::path made = folder_.string() + "_made";
    fs::remove_all(made);
    layout_.root = layout_.local = made;
    Journal(4);
    Lake();
    layout_.root = layout_.local = folder_;
    return made;
  }
  static void TearDownTestSuite() { fs::remove_all(fs::temp_directory_path() / ("watch_test_" + std::to_string(getpid()) + "_made")); }

  static void Ok(const Status& status) { ASSERT_TRUE(status) << status.error().message; }

  void Journal(int records) {
    fs::create_directories(layout_.journal("shop"));
    auto writer = journal::Writer::Open(layout_.journal("shop"), "shop");
    ASSERT_TRUE(writer) << writer.error().message;
    for (int i = 0; i < records; ++i) {
      Record record;
      record.stream = "orders";
      record.bytes = R"({"type":"RECORD","stream":"orders","record":{"id":1}})";
      record.ingested_at =
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count() - 5'000'000;
      ASSERT_TRUE((*writer)->Append(record));
    }
    const auto committed = (*writer)->Commit("{}");
    ASSERT_TRUE(committed) << committed.error().message;
  }

  void Lake() {
    auto opened = lake::Writer::Open({layout_.lake(), layout_.catalog(), layout_.spill()}, {});
    ASSERT_TRUE(opened) << opened.error().message;
    lake::Writer& writer = **opened;
    lake::Build build;
    build.id = lake::NewBuildId("orders");
    build.definition.table = "orders";
    build.definition.identity = lake::Identity::kKey;
    build.definition.key = {"id"};
    build.definition.columns = {{"id", {TypeKind::kBigint, 0, 0, {}, {}}, true, ""}};
    Ok(writer.Begin());
    Ok(lake::CreateBuild(writer, build));
    Ok(lake::SetVersion(writer, 1, {{"orders", build}}));
    Ok(writer.connection().Execute("INSERT INTO lake.nanohouse.bundle VALUES (1, '1.4.0', '[]', now())"));
    Ok(writer.Commit("apply"));
    Ok(writer.Begin());
    ASSERT_TRUE(writer.SourceNumber("shop"));
    Ok(writer.connection().Execute("INSERT INTO " + lake::BuildTable(build.id) +
                                   " SELECT i, TIMESTAMPTZ '2026-01-02 03:04:05+00', i FROM range(3) t(i)"));
    Ok(writer.connection().Execute("INSERT INTO lake.nanohouse.quarantine BY NAME SELECT 'shop' AS source, 1 AS position, "
                                   "'orders' AS table_name, 'id' AS \"column\", 'x' AS value, 'no bigint' AS reason"));
    Ok(writer.SetPosition("shop", Position{3}));
    Ok(writer.Commit("land"));
    Ok(writer.Begin());
    Ok(writer.connection().Execute("DELETE FROM " + lake::BuildTable(build.id) + " WHERE id = 1"));
    Ok(writer.Commit("land"));
  }

  Standing Read() {
    auto reader = lake::Reader::Open({layout_.lake(), layout_.catalog(), layout_.spill()}, {});
    EXPECT_TRUE(reader) << reader.error().message;
    auto standing = ReadStanding(reader->get(), nullptr, layout_, nullptr);
    EXPECT_TRUE(standing) << standing.error().message;
    return standing ? *standing : Standing{};
  }
  std::vector<Error> Troubles() {
    std::vector<Error> out;
    for (const auto& check : CheckStores(layout_, {}))
      out.insert(out.end(), check.troubles.begin(), check.troubles.end());
    return out;
  }
  fs::path TableFile() {
    for (const auto& entry : fs::recursive_directory_iterator(layout_.lake()))
      if (entry.path().extension() == ".parquet" && entry.path().string().find("/build/") != std::string::npos &&
          entry.path().string().find("delete") == std::string::npos)
        return entry.path();
    return {};
  }

  fs::path folder_;
  contract::Layout layout_;
};

TEST_F(WatchTest, RowsFilesAndDeletesAreThoseOfTheNewestCut) {
  const Standing standing = Read();
  ASSERT_EQ(standing.tables.size(), 1u);
  EXPECT_EQ(standing.tables[0].name, "orders");
  EXPECT_EQ(standing.tables[0].rows, 2);
  EXPECT_EQ(standing.tables[0].deleted, 1);
  EXPECT_EQ(standing.tables[0].files, 2);
  EXPECT_GT(standing.tables[0].bytes, 0);
  EXPECT_EQ(standing.tables[0].freshness, "2026-01-02 03:04:05+00");
  EXPECT_EQ(standing.tables[0].quarantine, 1);
  ASSERT_EQ(standing.versions.size(), 1u);
  EXPECT_EQ(standing.versions[0].state, "promoted");
  EXPECT_EQ(standing.versions[0].contract_version, "1.4.0");
}

TEST_F(WatchTest, LagIsWhatTheJournalHoldsBeyondTheCut) {
  Standing standing = Read();
  ASSERT_EQ(standing.sources.size(), 1u);
  EXPECT_EQ(standing.sources[0].position, 3u);
  EXPECT_EQ(standing.sources[0].journaled, 4u);
  EXPECT_GT(standing.sources[0].lag_bytes, 0u);
  EXPECT_GE(standing.sources[0].lag_seconds, 5);
  EXPECT_LT(standing.sources[0].lag_seconds, 60);
}

TEST_F(WatchTest, BeforeTheFirstApplyTheDeclaredSourcesAreShown) {
  contract::Contract contract;
  contract.sources.push_back({});
  contract.sources.back().name = "later";
  const auto standing = ReadStanding(nullptr, nullptr, layout_, &contract);
  ASSERT_TRUE(standing);
  ASSERT_EQ(standing->sources.size(), 1u);
  EXPECT_EQ(standing->sources[0].name, "later");
  EXPECT_TRUE(standing->versions.empty());
}

TEST_F(WatchTest, TheDoctorFindsNothingInAWholeWarehouse) {
  for (const auto& trouble : Troubles()) ADD_FAILURE() << trouble.message;
}

TEST_F(WatchTest, TheDoctorFindsAMissingFile) {
  const fs::path file = TableFile();
  ASSERT_FALSE(file.empty());
  fs::remove(file);
  const auto troubles = Troubles();
  ASSERT_EQ(troubles.size(), 1u);
  EXPECT_THAT(troubles[0].message, HasSubstr("is missing"));
}

TEST_F(WatchTest, TheDoctorFindsATornFile) {
  const fs::path file = TableFile();
  const auto size = fs::file_size(file);
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(size - 4));
    bytes.write("\0\0\0\0", 4);
  }
  auto troubles = Troubles();
  ASSERT_EQ(troubles.size(), 1u);
  EXPECT_THAT(troubles[0].message, HasSubstr("is torn"));
  fs::resize_file(file, size - 10);
  troubles = Troubles();
  ASSERT_EQ(troubles.size(), 1u);
  EXPECT_THAT(troubles[0].message, HasSubstr("the catalog says"));
}

TEST_F(WatchTest, TheDoctorFindsADamagedJournal) {
  fs::path segment;
  for (const auto& entry : fs::recursive_directory_iterator(layout_.journal("shop")))
    if (entry.is_regular_file()) segment = entry.path();
  std::fstream bytes(segment, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(static_cast<std::streamoff>(fs::file_size(segment) / 2));
  bytes.write("damaged!", 8);
  bytes.close();
  const auto troubles = Troubles();
  ASSERT_FALSE(troubles.empty());
  EXPECT_EQ(troubles[0].code, Code::kCorrupt);
}

}  // namespace
}  // namespace nano::watch
