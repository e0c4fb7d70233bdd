// SPDX-License-Identifier: Apache-2.0
// Each invariant is broken on purpose, and named.
#include "lake/invariants.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "lake/build.h"
#include "lake/lane.h"
#include "lake/test_place.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class InvariantsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("invariants_test_" + std::to_string(getpid()));
    RemoveTestPlace(folder_);
    Open();
    build_.id = "orders_1a";
    build_.definition.table = "orders";
    build_.definition.identity = Identity::kKey;
    build_.definition.key = {"id"};
    build_.definition.columns = {{"id", *ParseDataType("int"), true, ""}, {"amount", *ParseDataType("decimal(18,2)"), false, ""}, {"ratio", *ParseDataType("double"), false, ""}};
    Ok(writer_->Begin());
    Ok(CreateBuild(*writer_, build_));
    Ok(writer_->Commit("apply"));
    Land(1, "(1, 9, 0.5), (2, 10, 0.5), (3, 2, 0.5)", "");
    Land(2, "(4, -1, 0.5)", "");
    Land(3, "(2, 100, 0.5)", "(2)");   // a delete file, and a row id in the file
    ASSERT_EQ(Broken(), "");
  }
  void TearDown() override {
    writer_.reset();
    RemoveTestPlace(folder_);
  }
  static void Ok(const Status& status) { ASSERT_TRUE(status) << status.error().message; }
  void Open() {
    writer_.reset();
    auto opened = Writer::Open(TestPlace(folder_), {});
    ASSERT_TRUE(opened) << opened.error().message;
    writer_ = std::move(*opened);
  }
  void Land(std::uint64_t position, const std::string& rows, const std::string& removed) {
    Staged staged;
    staged.rows = fmt::format("(SELECT {}::BIGINT AS _position, now() AS _committed_at, id::INTEGER AS id, a::DECIMAL(18,2) AS amount, r::DOUBLE AS ratio "
                              "FROM (VALUES {}) v(id, a, r))", position, rows);
    if (!removed.empty()) staged.removed = "(SELECT id::INTEGER AS id FROM (VALUES " + removed + ") v(id))";
    Ok(writer_->Begin(LaneKind::kDirect));
    Ok(writer_->lane().Apply(*writer_, build_, staged));
    Ok(writer_->SetPosition("shop", Position{position}));
    Ok(writer_->Commit("land"));
  }
  /// META. and TABLE_ID stand for the catalog's own tables and the build's number in them.
  void Break(const std::string& sql) {
    std::string done = sql;
    const auto put = [&](const std::string& name, const std::string& value) {
      for (auto at = done.find(name); at != std::string::npos; at = done.find(name)) done.replace(at, name.size(), value);
    };
    put("META.", "__ducklake_metadata_lake.ducklake_");
    put("TABLE_ID", "(SELECT table_id FROM __ducklake_metadata_lake.ducklake_table WHERE table_name = 'orders_1a')");
    Ok(writer_->connection().Execute(done));
  }
  std::vector<Violation> Violations() {
    Open();   // nothing is remembered
    auto inspection = Inspect(writer_->connection(), folder_ / "lake");
    EXPECT_TRUE(inspection) << inspection.error().message;
    return inspection ? inspection->violations : std::vector<Violation>{};
  }
  std::string Broken() {
    std::string out;
    for (const auto& violation : Violations()) {
      out += fmt::format("{}{} {}", out.empty() ? "" : "; ", ToString(violation.invariant), violation.table);
      EXPECT_NE(violation.what, "");
      EXPECT_TRUE(violation.mendable() || !violation.hint.empty()) << violation.what;
    }
    return out;
  }
  void MendAll() {
    for (const auto& violation : Violations()) Ok(lake::Mend(*writer_, violation));
  }
  std::int64_t Count(const std::string& condition) {
    const auto rows = writer_->connection().Query("SELECT count(*) FROM " + BuildTable(build_.id) + " WHERE " + condition);
    EXPECT_TRUE(rows) << rows.error().message;
    return rows ? rows->integer(0, 0) : -1;
  }
  fs::path FirstFile(const std::string& end) {
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "lake" / "build"))
      if (entry.is_regular_file() && entry.path().string().ends_with(end)) return entry.path();
    return {};
  }

  fs::path folder_;
  std::unique_ptr<Writer> writer_;
  Build build_;
};

TEST_F(InvariantsTest, NextRowIdThatIsTooLowIsNamedAndRaised) {
  Break("UPDATE META.table_stats SET next_row_id = 2 WHERE table_id = TABLE_ID");
  EXPECT_EQ(Broken(), "next_row_id build.orders_1a");
  MendAll();
  EXPECT_EQ(Broken(), "");
}

TEST_F(InvariantsTest, RowIdsThatStandInAFileCount) {
  Land(4, "(2, 1, 1), (9, 1, 1)", "(2)");   // 9 gets the next row id, in the file
  Break("UPDATE META.table_stats SET next_row_id = next_row_id - 1 WHERE table_id = TABLE_ID");
  EXPECT_EQ(Broken(), "next_row_id build.orders_1a");
}

TEST_F(InvariantsTest, RowIdsThatTwoFilesHave) {
  Break("UPDATE META.data_file SET row_id_start = 1 WHERE table_id = TABLE_ID AND row_id_start = 3");
  EXPECT_EQ(Broken(), "row_id_ranges build.orders_1a");
}

TEST_F(InvariantsTest, BoundsThatAreTooNarrowAreNamedAndWidened) {
  Break("UPDATE META.table_column_stats SET max_value = '9.00' WHERE table_id = TABLE_ID AND max_value = '100.00'");   // 9 < 10 as numbers, not as text
  EXPECT_EQ(Count("amount = 100"), 0);
  EXPECT_EQ(Broken(), "column_bounds build.orders_1a");
  EXPECT_THAT(Violations()[0].what, HasSubstr("column \"amount\""));
  MendAll();
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(Count("amount = 100"), 1);
  Break("UPDATE META.table_column_stats SET min_value = NULL, max_value = NULL WHERE table_id = TABLE_ID");
  EXPECT_EQ(Broken(), "") << "NULL: not known";
}

TEST_F(InvariantsTest, NullsThatTheTableDenies) {
  Land(4, "(7, NULL, NULL)", "");
  Break("UPDATE META.table_column_stats SET contains_null = 0 WHERE table_id = TABLE_ID");
  EXPECT_EQ(Broken(), "column_bounds build.orders_1a; column_bounds build.orders_1a");
  MendAll();
  EXPECT_EQ(Broken(), "");
}

TEST_F(InvariantsTest, TwoDeleteFilesForOneDataFile) {
  Break("INSERT INTO META.delete_file SELECT delete_file_id - 1, * EXCLUDE (delete_file_id) FROM META.delete_file");
  EXPECT_EQ(Broken(), "one_delete_file build.orders_1a");
}

TEST_F(InvariantsTest, DeleteCountsThatAreNotTheFiles) {
  Break("UPDATE META.delete_file SET delete_count = 2");
  EXPECT_EQ(Broken(), "delete_count build.orders_1a");
  Break("UPDATE META.delete_file SET delete_count = 3");
  EXPECT_EQ(Broken(), "delete_count build.orders_1a; delete_count build.orders_1a") << "more than the file, and all of the data file";
}

TEST_F(InvariantsTest, DeletesThatAreOlderThanTheirData) {
  Break("UPDATE META.delete_file SET begin_snapshot = 1");
  EXPECT_EQ(Broken(), "delete_begin build.orders_1a");
}

TEST_F(InvariantsTest, SizesOfFilesAndFooters) {
  Break("UPDATE META.data_file SET file_size_bytes = file_size_bytes + 1 WHERE table_id = TABLE_ID AND row_id_start = 0");
  EXPECT_EQ(Broken(), "file_size build.orders_1a");
  Break("UPDATE META.data_file SET file_size_bytes = file_size_bytes - 1, footer_size = footer_size + 1 WHERE table_id = TABLE_ID AND row_id_start = 0");
  EXPECT_EQ(Broken(), "file_size build.orders_1a");
}

TEST_F(InvariantsTest, ATornFile) {
  const fs::path file = FirstFile("-deletes.parquet");
  { std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(-1, std::ios::end).put('x'); }
  EXPECT_EQ(Broken(), "file_size build.orders_1a");
  EXPECT_EQ(Violations()[0].file, file);
  fs::remove(file);
  EXPECT_EQ(Broken(), "file_missing build.orders_1a");
}

TEST_F(InvariantsTest, RecordCountsThatAreNotParquets) {
  Break("UPDATE META.data_file SET record_count = 2 WHERE table_id = TABLE_ID AND row_id_start = 0");
  EXPECT_EQ(Broken(), "file_rows build.orders_1a");
}

TEST_F(InvariantsTest, FileIdsThatWouldBeGivenTwice) {
  Break("UPDATE META.snapshot SET next_file_id = 1 WHERE snapshot_id = (SELECT max(snapshot_id) FROM META.snapshot)");
  EXPECT_EQ(Broken(), "next_file_id ");
}

TEST_F(InvariantsTest, SnapshotsWithoutWhatTheyChanged) {
  Break("DELETE FROM META.snapshot WHERE snapshot_id = (SELECT max(snapshot_id) - 1 FROM META.snapshot)");
  EXPECT_EQ(Broken(), "snapshots ");
  Break("UPDATE META.data_file SET begin_snapshot = 99 WHERE table_id = TABLE_ID AND row_id_start = 3");
  EXPECT_EQ(Broken(), "snapshots ; snapshots ");
}

TEST_F(InvariantsTest, FilesThatDoNotSayTheirPartition) {
  Break("INSERT INTO META.partition_info VALUES (77, TABLE_ID, 1, NULL); INSERT INTO META.partition_column VALUES (77, TABLE_ID, 0, 3, 'identity')");
  EXPECT_THAT(Broken(), testing::StartsWith("partition_values build.orders_1a; partition_values build.orders_1a; partition_values build.orders_1a"));
}

TEST_F(InvariantsTest, FilesOutsideTheDataPath) {
  fs::copy_file(FirstFile(".parquet"), folder_ / "out.parquet");
  Break("UPDATE META.data_file SET path = '../../../out.parquet' WHERE table_id = TABLE_ID AND row_id_start = 3");
  EXPECT_THAT(Broken(), HasSubstr("paths build.orders_1a"));
}

TEST_F(InvariantsTest, PositionsThatTheTableLacksAreWrittenAgain) {
  Break("UPDATE META.snapshot_changes SET commit_extra_info = replace(commit_extra_info, '\"shop\":3', '\"shop\":4') "
        "WHERE snapshot_id = (SELECT max(snapshot_id) FROM META.snapshot)");
  EXPECT_EQ(Broken(), "positions nanohouse.position");
  MendAll();
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(writer_->head().sources.at("shop"), Position{4});
  Break("UPDATE META.snapshot_changes SET commit_extra_info = replace(commit_extra_info, '\"shop\":4', '\"shop\":1')");
  ASSERT_EQ(Broken(), "positions nanohouse.position");
  EXPECT_FALSE(Violations()[0].mendable()) << "the table is ahead: nobody knows which is right";
}

}  // namespace
}  // namespace nano::lake
