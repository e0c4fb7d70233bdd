// SPDX-License-Identifier: Apache-2.0
// What holds of every lane: the same steps give the same rows, cuts and change feeds.
#include <gmock/gmock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "io/fault.h"

#include "lake/build.h"
#include "lake/invariants.h"
#include "lake/lake.h"
#include "lake/lane.h"
#include "lake/reader.h"
#include "lake/test_place.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;

DataType Type(const std::string& text) { return *ParseDataType(text); }

class LanesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("lane_test_" + std::to_string(getpid()));
    RemoveTestPlace(folder_);
    Open();
    build_.id = "orders_1a";
    build_.definition.table = "orders";
    build_.definition.identity = Identity::kKey;
    build_.definition.key = {"id"};
    build_.definition.columns = {{"id", Type("int"), true, ""}, {"od\"d {name}", Type("decimal(18,2)"), false, ""}, {"note", Type("string"), false, ""},
                                 {"tags", Type("list<string>"), false, ""}};
  }
  void TearDown() override {
    Open();
    const auto inspection = Inspect(writer_->connection(), folder_ / "lake");
    EXPECT_TRUE(inspection) << inspection.error().message;
    if (inspection)
      for (const auto& violation : inspection->violations)
        ADD_FAILURE() << ToString(violation.invariant) << " " << violation.table << " " << violation.file << ": " << violation.what;
    writer_.reset();
    RemoveTestPlace(folder_);
  }
  void Open() {
    writer_.reset();
    auto opened = Writer::Open(TestPlace(folder_), {});
    ASSERT_TRUE(opened) << opened.error().message;
    writer_ = std::move(*opened);
  }
  void Ok(const Status& status) { ASSERT_TRUE(status) << status.error().message; }
  void Make() {
    Ok(writer_->Begin());
    Ok(CreateBuild(*writer_, build_));
    Ok(writer_->Commit("apply"));
  }
  void Begin() {
    if (lane_ == LaneKind::kDirect) {
      const auto lane = writer_->LaneFor({&build_});
      ASSERT_TRUE(lane) << lane.error().message;
      ASSERT_EQ(*lane, LaneKind::kDirect);
    }
    Ok(writer_->Begin(lane_));
  }
  void Commit(std::uint64_t position) {
    Ok(writer_->SetPosition("shop", Position{position}));
    Ok(writer_->Commit("land"));
  }
  /// One batch: rows as `(id, amount, note)`, keys that go.
  void Batch(std::uint64_t position, const std::string& rows, const std::string& removed) {
    Begin();
    Apply(position, rows, removed);
    Commit(position);
  }
  void Apply(std::uint64_t position, const std::string& rows, const std::string& removed) {
    Staged staged;
    if (!rows.empty())
      staged.rows = "(SELECT " + std::to_string(position) + "::BIGINT AS _position, '2026-01-01'::TIMESTAMPTZ AS _committed_at, id::INTEGER AS id, "
                    "a::DECIMAL(18,2) AS \"od\"\"d {name}\", n::VARCHAR AS note, [n]::VARCHAR[] AS tags FROM (VALUES " + rows + ") v(id, a, n))";
    if (!removed.empty()) staged.removed = "(SELECT id::INTEGER AS id FROM (VALUES " + removed + ") v(id))";
    Ok(writer_->lane().Apply(*writer_, build_, staged));
  }
  std::string Table(const std::string& at = "") { return BuildTable(build_.id) + at; }
  std::string Rows(const std::string& at = "") {
    return One("SELECT coalesce(string_agg(concat_ws(' ', id, \"od\"\"d {name}\", note, tags), '; ' ORDER BY id), '') FROM " + Table(at));
  }
  std::string One(const std::string& sql) {
    const auto rows = writer_->connection().Query(sql);
    EXPECT_TRUE(rows) << rows.error().message << "\n" << sql;
    return rows && !rows->empty() ? rows->text(0, 0) : "";
  }
  /// What the change feed says of one snapshot.
  std::string Changes(std::int64_t snapshot) {
    return One(fmt::format("SELECT coalesce(string_agg(concat_ws(' ', change_type, id, note), '; ' ORDER BY change_type, id), '') "
                           "FROM ducklake_table_changes('lake', 'build', '{}', {}, {})", build_.id, snapshot, snapshot));
  }
  std::string Old(const std::string& ids) {
    const auto relation = writer_->lane().RowsOf(*writer_, build_, "(SELECT 100 + id AS _n, id::INTEGER AS id FROM (VALUES " + ids + ") v(id))");
    EXPECT_TRUE(relation) << relation.error().message;
    return One("SELECT coalesce(string_agg(concat_ws(' ', _n, id, note), '; ' ORDER BY _n), '') FROM " + *relation);
  }

  LaneKind lane_ = LaneKind::kDirect;
  fs::path folder_;
  std::unique_ptr<Writer> writer_;
  Build build_;
};

class LaneTest : public LanesTest, public testing::WithParamInterface<LaneKind> {
 protected:
  void SetUp() override {
    lane_ = GetParam();
    LanesTest::SetUp();
  }
};

TEST_P(LaneTest, RowsAreAddedReplacedAndRemoved) {
  Make();
  Batch(1, "(1, 1.25, 'a'), (2, 2, 'b'), (3, NULL, NULL)", "");
  EXPECT_EQ(Rows(), "1 1.25 a [a]; 2 2.00 b [b]; 3 [NULL]");
  Batch(2, "(2, 99999999999.99, 'B')", "(2), (3), (7)");
  EXPECT_EQ(Rows(), "1 1.25 a [a]; 2 99999999999.99 B [B]");
  Batch(3, "", "(1), (2)");
  EXPECT_EQ(Rows(), "");
  Batch(4, "(1, 5, 'again')", "(1)");
  EXPECT_EQ(Rows(), "1 5.00 again [again]");
  EXPECT_EQ(One("SELECT count(*) FROM " + Table() + " WHERE \"od\"\"d {name}\" = 5"), "1");
}

TEST_P(LaneTest, OldRowsAreFoundByKeyWithinABatchAndAfter) {
  Make();
  Batch(1, "(1, 1, 'a'), (2, 2, 'b')", "");
  Begin();
  EXPECT_EQ(Old("(1), (2), (9)"), "101 1 a; 102 2 b");
  Apply(2, "(2, 2, 'B'), (4, 4, 'd')", "(1), (2)");
  EXPECT_EQ(Old("(1), (2), (4)"), "102 2 B; 104 4 d");
  Apply(3, "(4, 4, 'D')", "(4)");
  EXPECT_EQ(Old("(1), (2), (4)"), "102 2 B; 104 4 D");
  Commit(3);
  EXPECT_EQ(Rows(), "2 2.00 B [B]; 4 4.00 D [D]");
  Open();
  Begin();
  EXPECT_EQ(Old("(1), (2), (4)"), "102 2 B; 104 4 D");
  writer_->Rollback();
}

TEST_P(LaneTest, AnUpdateKeepsItsRowIdAndIsOneInTheChangeFeed) {
  Make();
  Batch(1, "(1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')", "");
  const std::int64_t before = writer_->head().snapshot;
  const std::string id = One("SELECT rowid FROM " + Table() + " WHERE id = 2");
  Batch(2, "(2, 2, 'B'), (9, 9, 'n')", "(2), (3)");
  if (lane_ == LaneKind::kDirect) {   // DELETE and INSERT are two changes to the extension
    EXPECT_EQ(One("SELECT rowid FROM " + Table() + " WHERE id = 2"), id);
    EXPECT_EQ(Changes(before + 1), "delete 3 c; insert 9 n; update_postimage 2 B; update_preimage 2 b");
  } else {
    EXPECT_EQ(Changes(before + 1), "delete 2 b; delete 3 c; insert 2 B; insert 9 n");
  }
}

TEST_P(LaneTest, RowsOfOneSourceGo) {
  Make();
  Begin();
  for (const std::int64_t number : {1, 2}) {
    Staged staged;
    staged.rows = "(SELECT " + std::to_string(number << 48 | 5) + "::BIGINT AS _position, now() AS _committed_at, i::INTEGER AS id, i::DECIMAL(18,2) AS a, "
                  "'s" + std::to_string(number) + "' AS note, NULL::VARCHAR[] AS tags FROM range(" + std::to_string(number * 10) + ", " +
                  std::to_string(number * 10 + 3) + ") t(i))";
    Ok(writer_->lane().Apply(*writer_, build_, staged));
  }
  Commit(1);
  Staged staged;
  staged.truncate = true;
  staged.truncate_source = 1;
  Begin();
  Ok(writer_->lane().Apply(*writer_, build_, staged));
  Commit(2);
  EXPECT_EQ(Rows(), "20 20.00 s2; 21 21.00 s2; 22 22.00 s2");
  staged.truncate_source = 2;
  staged.truncate = false;
  staged.ranges = {{std::int64_t{2} << 48, (std::int64_t{2} << 48) | 6}};
  Begin();
  Ok(writer_->lane().Apply(*writer_, build_, staged));
  Commit(3);
  EXPECT_EQ(Rows(), "");
}

TEST_P(LaneTest, EqualRowsGoAsManyAsAreNamed) {
  build_.definition.identity = Identity::kWholeRow;
  build_.definition.key.clear();
  build_.definition.columns[0].not_null = false;
  Make();
  Batch(1, "(1, 1, 'a'), (1, 1, 'a'), (1, 1, 'a'), (NULL, NULL, NULL), (2, 2, 'b')", "");
  Staged staged;
  staged.vanished = "(SELECT id::INTEGER AS id, a::DECIMAL(18,2) AS \"od\"\"d {name}\", n::VARCHAR AS note, [n]::VARCHAR[] AS tags, t::BIGINT AS _times "
                    "FROM (VALUES (1, 1, 'a', 2), (NULL, NULL, NULL, 1)) v(id, a, n, t))";
  Begin();
  Ok(writer_->lane().Apply(*writer_, build_, staged));
  Commit(2);
  EXPECT_EQ(Rows(), "1 1.00 a [a]; 2 2.00 b [b]");
}

TEST_P(LaneTest, BoundsCoverWhatCameLater) {
  Make();
  Batch(1, "(1, NULL, NULL)", "");
  Batch(2, "(2, -5, 'z'), (3, 7, 'a')", "");
  Batch(3, "(4, 100, 'zz'), (-9, -100, 'žluť')", "");
  for (const char* condition : {"note = 'z'", "note = 'žluť'", "note > 'zz'", "id < 0", "id = 4", "\"od\"\"d {name}\" = -100", "\"od\"\"d {name}\" > 99"})
    EXPECT_EQ(One("SELECT count(*) FROM " + Table() + " WHERE " + condition), "1") << condition;
  EXPECT_EQ(One("SELECT count(*) FROM " + Table() + " WHERE note IS NULL"), "1");
}

TEST_P(LaneTest, ABatchThatIsGivenUpLeavesNothing) {
  Make();
  Batch(1, "(1, 1, 'a')", "");
  const auto files = [&] {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "lake")) count += entry.is_regular_file() ? 1U : 0U;
    return count;
  };
  const std::size_t before = files();
  Begin();
  Apply(2, "(1, 2, 'b'), (2, 2, 'c')", "(1)");
  writer_->Rollback();
  if (lane_ == LaneKind::kDirect) {
    EXPECT_EQ(files(), before);
  }
  EXPECT_EQ(Rows(), "1 1.00 a [a]");
  Batch(2, "(1, 3, 'd')", "(1), (2)");
  EXPECT_EQ(Rows(), "1 3.00 d [d]");
}

/// Random batches against a map: rows after each, every cut at the end, with merges of files in between.
TEST_P(LaneTest, RandomHistoriesEndAsAMapSays) {
  Make();
  std::mt19937_64 random(lane_ == LaneKind::kDirect ? 7 : 8);
  std::map<int, std::string> model;
  std::vector<std::pair<std::int64_t, std::string>> cuts;
  const auto text = [&] {
    std::string out;
    for (const auto& [id, row] : model) out += (out.empty() ? "" : "; ") + row;
    return out;
  };
  for (std::uint64_t position = 1; position <= 60; ++position) {
    Begin();
    for (std::size_t parts = 1 + random() % 2; parts > 0; --parts) {
      if (random() % 40 == 0) {
        Staged staged;
        staged.truncate = true;
        Ok(writer_->lane().Apply(*writer_, build_, staged));
        model.clear();
      }
      std::string rows, removed;
      std::set<int> ids;
      for (std::size_t i = random() % 12; i > 0; --i) ids.insert(static_cast<int>(random() % 60));
      for (const int id : ids) {
        removed += fmt::format("{}({})", removed.empty() ? "" : ", ", id);
        model.erase(id);
        if (random() % 4 == 0) continue;
        const std::string note = fmt::format("n{}", random() % 1000);
        rows += fmt::format("{}({}, {}.5, '{}')", rows.empty() ? "" : ", ", id, position, note);
        model[id] = fmt::format("{} {}.50 {} [{}]", id, position, note, note);
      }
      Apply(position, rows, removed);
    }
    if (random() % 10 == 0) {
      writer_->Rollback();
      Begin();
      Staged staged;
      staged.truncate = true;
      Ok(writer_->lane().Apply(*writer_, build_, staged));
      model.clear();
    }
    Commit(position);
    ASSERT_EQ(Rows(), text()) << position;
    cuts.emplace_back(writer_->head().snapshot, text());
    if (lane_ == LaneKind::kDirect) Ok(writer_->Tidy(build_));
    ASSERT_EQ(Rows(), text()) << position;
    if (random() % 15 == 0) Open();
  }
  for (const auto& [snapshot, rows] : cuts) ASSERT_EQ(Rows(fmt::format(" AT (VERSION => {})", snapshot)), rows) << snapshot;
  if (lane_ == LaneKind::kDirect) {
    EXPECT_GT(std::stoi(One("SELECT count(*) FROM __ducklake_metadata_lake.ducklake_snapshot_changes WHERE commit_message = 'compact'")), 2);
  }
}

/// File ids are given again after a batch that was given up, so nothing of its files may stay in the index, however large it was.
TEST_F(LanesTest, NothingOfALargeBatchThatWasGivenUpIsInTheIndex) {
  Make();
  Batch(1, "(-1, 0, 'first')", "");
  const auto rows = [&](const std::string& id) {
    Staged staged;
    staged.rows = "(SELECT 7::BIGINT AS _position, now() AS _committed_at, (" + id + ")::INTEGER AS id, 0::DECIMAL(18,2) AS a, NULL::VARCHAR AS note, "
                  "NULL::VARCHAR[] AS tags FROM range(1200000) t(i))";
    return staged;
  };
  Ok(writer_->Begin(LaneKind::kDirect));
  Ok(writer_->lane().Apply(*writer_, build_, rows("i")));
  writer_->Rollback();
  Ok(writer_->Begin(LaneKind::kDirect));
  Ok(writer_->lane().Apply(*writer_, build_, rows("1199999 - i")));
  Commit(2);
  Batch(3, "", "(10), (20)");
  Batch(4, "", "(10), (20)");   // there is nothing of them any more
  EXPECT_EQ(One("SELECT count(*) FROM " + Table()), "1199999");
  EXPECT_EQ(One("SELECT count(*) FROM " + Table() + " WHERE id IN (10, 20, 1199989, 1199979)"), "2");
}

TEST_F(LanesTest, FilesAreMergedHoweverFewCommitsARunMakes) {
  Make();
  for (int i = 1; i <= 20; ++i) {
    Open();
    Batch(static_cast<std::uint64_t>(i), fmt::format("({}, 1, 'x')", i), "");
    Ok(writer_->Tidy(build_));
  }
  EXPECT_LT(std::stoi(One("SELECT count(*) FROM __ducklake_metadata_lake.ducklake_data_file f JOIN __ducklake_metadata_lake.ducklake_table t USING (table_id) "
                          "WHERE t.table_name = 'orders_1a' AND f.end_snapshot IS NULL")), 9);
  EXPECT_EQ(One("SELECT count(*) FROM " + Table()), "20");
}

TEST_F(LanesTest, TheTwoLanesTakeTurns) {
  Make();
  std::map<int, std::string> model;
  std::mt19937_64 random(3);
  for (std::uint64_t position = 1; position <= 30; ++position) {
    Ok(writer_->Begin(random() % 2 == 0 ? LaneKind::kDirect : LaneKind::kExtension));
    const int id = static_cast<int>(random() % 10);
    Apply(position, fmt::format("({}, {}, 'x'), ({}, 0, 'y')", id, position, 10 + position), fmt::format("({})", id));
    model[id] = fmt::format("{} {}.00 x [x]", id, position);
    model[static_cast<int>(10 + position)] = fmt::format("{} 0.00 y [y]", 10 + position);
    Commit(position);
    std::string expected;
    for (const auto& [key, row] : model) expected += (expected.empty() ? "" : "; ") + row;
    ASSERT_EQ(Rows(), expected) << position;
  }
}

TEST_F(LanesTest, WhileABatchIsCommittedNobodyElseWrites) {
  Make();
  Batch(1, "(1, 1, 'a')", "");
  // A process that stops where the catalog's lock is held, and is killed there.
  writer_.reset();
  const pid_t child = fork();
  if (child == 0) {
    Open();
    setenv("NANOHOUSE_FAULT", "lake.commit.locked=stop", 1);
    io::ReloadFaults();
    (void)writer_->Begin(LaneKind::kDirect);
    Apply(2, "(2, 2, 'b')", "(2)");
    (void)writer_->SetPosition("shop", Position{2});
    (void)writer_->Commit("land");
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  if (TestsPostgres()) {
    const auto refused = Writer::Open(TestPlace(folder_), {});
    EXPECT_EQ(refused ? Code::kInternal : refused.error().code, Code::kConflict);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return;   // TearDown() opens it
  }
  const auto other = engine::Database::Open({});
  ASSERT_TRUE(other);
  const auto connection = *(*other)->Connect();
  Ok(connection->Execute("ATTACH " + engine::Literal((folder_ / "catalog.db").string()) + " AS c (TYPE sqlite)"));
  Ok(connection->Execute("SET sqlite_all_varchar = false"));
  const auto written = connection->Execute("INSERT INTO c.ducklake_metadata VALUES ('a', 'b', NULL, NULL)");
  EXPECT_FALSE(written);
  EXPECT_EQ(written ? Code::kInternal : written.error().code, Code::kConflict);
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  Ok(connection->Execute("INSERT INTO c.ducklake_metadata VALUES ('a', 'b', NULL, NULL)"));
}

INSTANTIATE_TEST_SUITE_P(Both, LaneTest, testing::Values(LaneKind::kExtension, LaneKind::kDirect), [](const auto& lane) {
  return lane.param == LaneKind::kDirect ? "Direct" : "Extension";
});

}  // namespace
}  // namespace nano::lake
