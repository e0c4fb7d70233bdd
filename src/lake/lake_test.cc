// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lake/build.h"
#include "lake/lake.h"
#include "lake/lane.h"
#include "lake/marks.h"
#include "lake/reader.h"
#include "lake/test_place.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;

class LakeTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("lake_test_" + std::to_string(getpid()));
    RemoveTestPlace(folder_);
    Open();
  }
  void TearDown() override {
    writer_.reset();
    RemoveTestPlace(folder_);
  }
  Place place() const { return TestPlace(folder_); }
  void Open() {
    writer_.reset();
    auto opened = Writer::Open(place(), {});
    ASSERT_TRUE(opened) << opened.error().message;
    writer_ = std::move(*opened);
  }
  void Ok(const Status& status) { ASSERT_TRUE(status) << status.error().message; }
  Build Orders(Identity identity = Identity::kKey) {
    Build build;
    build.id = NewBuildId("Orders!");
    build.definition.table = "orders";
    build.definition.identity = identity;
    build.definition.key = {"id"};
    build.definition.columns = {{"id", {TypeKind::kBigint, 0, 0, {}, {}}, true, "the key"},
                                {"od\"d name", {TypeKind::kDecimal, 18, 2, {}, {}}, false, ""}};
    return build;
  }
  std::string One(const std::string& sql) {
    const auto rows = writer_->connection().Query(sql);
    EXPECT_TRUE(rows) << rows.error().message;
    return rows && !rows->empty() ? rows->text(0, 0) : "";
  }

  fs::path folder_;
  std::unique_ptr<Writer> writer_;
};

TEST_F(LakeTest, ARowAndItsPositionAreOneCommit) {
  const Build build = Orders();
  Ok(writer_->Begin());
  Ok(CreateBuild(*writer_, build));
  Ok(SetVersion(*writer_, 1, {{"orders", build}}));
  Ok(writer_->connection().Execute("INSERT INTO " + BuildTable(build.id) + " VALUES (1, now(), 7, 1.25)"));
  Ok(writer_->SetPosition("shop", Position{42}));
  Ok(writer_->Commit("land"));
  EXPECT_EQ(writer_->head().sources.at("shop").value, 42);
  Open();
  EXPECT_EQ(writer_->head().sources.at("shop").value, 42);
  EXPECT_EQ(One("SELECT \"od\"\"d name\" FROM lake.v1.orders"), "1.25");

  Ok(writer_->Begin());
  Ok(writer_->connection().Execute("INSERT INTO " + BuildTable(build.id) + " VALUES (2, now(), 8, 1)"));
  Ok(writer_->SetPosition("shop", Position{43}));
  writer_->Rollback();
  EXPECT_EQ(One("SELECT count(*) FROM lake.main.orders"), "1");
  Open();
  EXPECT_EQ(writer_->head().sources.at("shop").value, 42);
}

TEST_F(LakeTest, HiddenColumnsHaveTheFirstFieldIds) {
  const Build build = Orders();
  Ok(writer_->Begin());
  Ok(CreateBuild(*writer_, build));
  Ok(writer_->Commit("apply"));
  EXPECT_EQ(One("SELECT string_agg(c.column_name || '=' || c.column_id, ',' ORDER BY c.column_id) FROM "
                "__ducklake_metadata_lake.ducklake_column c JOIN __ducklake_metadata_lake.ducklake_table t USING (table_id) "
                "WHERE t.table_name = " + engine::Literal(build.id)),
            "_position=1,_committed_at=2,id=3,od\"d name=4");
}

TEST_F(LakeTest, AMovedFolderIsMendedAndReadByPlainDuckDB) {
  const Build build = Orders();
  Ok(writer_->Begin());
  Ok(CreateBuild(*writer_, build));
  Ok(SetVersion(*writer_, 1, {{"orders", build}}));
  Ok(writer_->connection().Execute("INSERT INTO " + BuildTable(build.id) + " VALUES (1, now(), 7, 1.25)"));
  Ok(writer_->Commit("land"));
  writer_.reset();
  const fs::path moved = folder_.string() + "_moved";
  fs::remove_all(moved);
  fs::rename(folder_, moved);
  folder_ = moved;
  Open();
  writer_.reset();
  if (TestsPostgres()) GTEST_SKIP() << "another program's way to it is tried by test/peers/postgres_catalog.py";
  auto database = *engine::Database::Open({});
  auto connection = *database->Connect();
  Ok(connection->Execute("ATTACH " + engine::Literal("ducklake:sqlite:" + place().catalog.string()) + " AS shop"));
  const auto rows = connection->Query("SELECT count(*) FROM shop.orders");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->text(0, 0), "1");
}

TEST_F(LakeTest, TheExtensionLaneReplacesByKeyAndRemovesOneOfEqualRows) {
  const Build keyed = Orders(), whole = [&] { Build b = Orders(Identity::kWholeRow); b.id = NewBuildId("w"); b.definition.key = {}; return b; }();
  auto& connection = writer_->connection();
  const auto lane = MakeExtensionLane();
  Ok(writer_->Begin());
  Ok(CreateBuild(*writer_, keyed));
  Ok(CreateBuild(*writer_, whole));
  Ok(connection.Execute("CREATE TEMP TABLE r AS SELECT * FROM (VALUES (1::BIGINT, now()::TIMESTAMPTZ, 7::BIGINT, 1.25::DECIMAL(18,2)), "
                        "(2, now(), 8, NULL), (3, now(), 8, NULL)) v(_position, _committed_at, id, \"od\"\"d name\")"));
  Staged rows;
  rows.rows = "temp.r";
  Ok(lane->Apply(*writer_, whole, rows));
  Ok(lane->Apply(*writer_, whole, rows));
  Ok(connection.Execute("CREATE TEMP TABLE v AS SELECT 8::BIGINT AS id, NULL::DECIMAL(18,2) AS \"od\"\"d name\", 3::BIGINT AS _times"));
  Staged vanished;
  vanished.vanished = "temp.v";
  Ok(lane->Apply(*writer_, whole, vanished));
  Staged keyed_rows;
  keyed_rows.rows = "(SELECT * FROM temp.r WHERE _position < 3)";
  Ok(lane->Apply(*writer_, keyed, keyed_rows));
  Staged replaced;
  replaced.removed = "(SELECT 7::BIGINT AS id)";
  replaced.rows = "(SELECT 9, _committed_at, id, 5.00 FROM temp.r WHERE id = 7)";
  Ok(lane->Apply(*writer_, keyed, replaced));
  Ok(writer_->Commit("land"));
  EXPECT_EQ(One("SELECT string_agg(id || ':' || n, ',' ORDER BY id) FROM (SELECT id, count(*) n FROM " + BuildTable(whole.id) + " GROUP BY id)"), "7:2,8:1");
  EXPECT_EQ(One("SELECT string_agg(id || '=' || coalesce(\"od\"\"d name\"::VARCHAR, 'NULL'), ',' ORDER BY id) FROM " + BuildTable(keyed.id)), "7=5.00,8=NULL");
}

TEST_F(LakeTest, TheExtensionLaneRemovesRangesOfPositions) {
  const Build build = Orders();
  const auto lane = MakeExtensionLane();
  Ok(writer_->Begin());
  Ok(CreateBuild(*writer_, build));
  Staged rows;
  rows.rows = "(SELECT range, now(), range, NULL FROM range(10))";
  Ok(lane->Apply(*writer_, build, rows));
  Staged gone;
  gone.ranges = {{0, 3}, {8, 9}};
  Ok(lane->Apply(*writer_, build, gone));
  Ok(writer_->Commit("land"));
  EXPECT_EQ(One("SELECT string_agg(id, ',' ORDER BY id) FROM " + BuildTable(build.id)), "3,4,5,6,7,9");
}

TEST_F(LakeTest, ADefinitionKeepsItsMarks) {
  contract::Table table;
  table.mode = contract::Mode::kHistory;
  BuildDefinition definition = Orders().definition;
  Ok(AddMarks(table, definition));
  const auto again = DefinitionFromJson(ToJson(definition));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->has(Mark::kValidFrom) && again->has(Mark::kValidTo));
  EXPECT_FALSE(again->has(Mark::kDeletedAt));
  EXPECT_EQ(again->key, (std::vector<std::string>{"id", "valid_from"}));
  definition.columns.push_back({"_deleted_at", {}, false, ""});
  table = {};
  table.deletes = contract::Deletes::kSoft;
  EXPECT_EQ(AddMarks(table, definition).error().code, Code::kInvalid);
}

TEST_F(LakeTest, ACutIsFoundByTimeNumberAndPosition) {
  const Build build = Orders();
  Ok(writer_->Begin());
  Ok(CreateBuild(*writer_, build));
  Ok(writer_->SetPosition("shop", Position{10}));
  ASSERT_TRUE(writer_->SourceNumber("shop"));
  Ok(writer_->Commit("land"));
  const auto first = writer_->head().snapshot;
  Ok(writer_->Begin());
  Ok(writer_->SetPosition("shop", Position{20}));
  Ok(writer_->Commit("land"));
  const auto second = writer_->head().snapshot;
  auto& connection = writer_->connection();
  EXPECT_EQ(*SnapshotAt(connection, "shop:10"), first);
  EXPECT_EQ(*SnapshotAt(connection, "shop:19"), first);
  EXPECT_EQ(*SnapshotAt(connection, "shop:20"), second);
  EXPECT_EQ(*SnapshotAt(connection, std::to_string(first)), first);
  EXPECT_EQ(*SnapshotAt(connection, "2999-01-01"), second);
  EXPECT_EQ(SnapshotAt(connection, "1999-01-01").error().code, Code::kNotFound);
  EXPECT_EQ(SnapshotAt(connection, "yesterday-ish").error().code, Code::kInvalid);
  EXPECT_EQ(CutOf(connection, first)->sources.at("shop").value, 10);
}

TEST_F(LakeTest, AReaderSeesItsCutWhileTheWriterGoesOn) {
  const Build build = Orders();
  Ok(writer_->Begin());
  Ok(CreateBuild(*writer_, build));
  Ok(SetVersion(*writer_, 1, {{"orders", build}}));
  Ok(writer_->connection().Execute("INSERT INTO " + BuildTable(build.id) + " VALUES (1, now(), 7, 1.25)"));
  Ok(writer_->Commit("land"));
  auto reader = Reader::Open(place(), {.snapshot = writer_->head().snapshot});
  ASSERT_TRUE(reader) << reader.error().message;
  auto live = *Reader::Open(place(), {});
  Ok(writer_->Begin());
  Ok(writer_->connection().Execute("INSERT INTO " + BuildTable(build.id) + " VALUES (2, now(), 8, 1)"));
  Ok(writer_->Commit("land"));
  EXPECT_EQ((*reader)->connection().Query("SELECT count(*) FROM lake.orders")->text(0, 0), "1");
  EXPECT_EQ(live->connection().Query("SELECT count(*) FROM lake.orders")->text(0, 0), "2");
  EXPECT_FALSE(live->connection().Execute("DELETE FROM lake." "build." + engine::Quote(build.id)));
}

TEST(Build, ADefinitionReadsBack) {
  BuildDefinition definition;
  definition.table = "t\"";
  definition.identity = Identity::kWholeRow;
  definition.columns = {{"a", *ParseDataType("struct<x: list<int>>"), false, "d"}};
  definition.partition_by = {{contract::PartitionField::Transform::kBucket, "a", 7}};
  definition.sort_by = {"a"};
  const auto back = DefinitionFromJson(ToJson(definition));
  ASSERT_TRUE(back);
  EXPECT_EQ(ToJson(*back), ToJson(definition));
}

}  // namespace
}  // namespace nano::lake
