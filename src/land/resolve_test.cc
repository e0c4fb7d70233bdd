// SPDX-License-Identifier: Apache-2.0
#include "land/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "change/key.h"
#include "land/rules.h"

namespace nano::land {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using wire::Cell;

const std::string kUnsent = "<unsent>";
const std::string kLong(100, 'x');

/// A table (id bigint key, big string, small string), and a lake of rows that tests describe.
class ResolveTest : public testing::Test {
 protected:
  ResolveTest() {
    plan_.table = &table_;
    plan_.build.definition.identity = lake::Identity::kKey;
    plan_.build.definition.key = {"id"};
    plan_.inputs = {{{"id"}, {TypeKind::kBigint, 0, 0, {}, {}}, ""}, {{"big"}, {}, ""}, {{"small"}, {}, ""}};
    plan_.outputs = {{"id", plan_.inputs[0].type, true, 0, "", {}}, {"big", {}, false, 1, "", {}}, {"small", {}, false, 2, "", {}}};
    plan_.key = {0};
  }

  std::span<Cell> Row(std::int64_t id, const std::string& big, const std::string& small) {
    const auto cells = arena_.Array<Cell>(3);
    cells[0].kind = Cell::Kind::kValue;
    cells[0].i64 = id;
    Set(cells[1], big);
    Set(cells[2], small);
    return cells;
  }
  void Set(Cell& cell, const std::string& text) {
    cell.kind = text == kUnsent ? Cell::Kind::kUnchanged : text == "NULL" ? Cell::Kind::kNull : Cell::Kind::kValue;
    cell.text = arena_.Keep(text == kUnsent ? "__debezium_unavailable_value" : text);  // an unsent cell holds what it would be as data
  }
  Event& Add(Op op, std::int64_t id, const std::string& big = "", const std::string& small = "") {
    Event event;
    event.op = op;
    event.position = Position{events_.size()};
    event.row_position = static_cast<std::int64_t>(events_.size());
    const auto row = Row(id, big, small);
    if (op == Op::kDelete) event.before = row;
    else if (op != Op::kTruncate) event.after = row;
    const bool keyed = TakeKey(plan_, row, arena_, event.key_cells, event.key);
    EXPECT_TRUE(keyed);
    if (op == Op::kTruncate) event.key = {};
    events_.push_back(event);
    return events_.back();
  }
  /// The second half of a key change.
  void Move(std::int64_t from, std::int64_t to, const std::string& big, const std::string& small) {
    Add(Op::kDelete, from);
    const auto key = events_.back().key;
    const auto key_cells = events_.back().key_cells;
    Event& event = Add(Op::kInsert, to, big, small);
    event.old_key = key;
    event.old_key_cells = key_cells;
  }
  std::vector<std::string> Run() {
    resolved_ = *Resolve(plan_, events_, arena_,
                         [this](const auto& keys) -> Result<std::vector<Origin>> {
                           std::vector<Origin> origins;
                           for (const auto& key : keys) origins.push_back(lake_[key[0].i64]);
                           return origins;
                         },
                         [this](const Event& event, const std::string&, const std::string& reason) {
                           rejected_.push_back(std::to_string(event.position.value) + ": " + reason);
                         });
    std::vector<std::string> rows;
    for (const auto& row : resolved_.rows) {
      std::string text = std::to_string(row.cells[0].i64);
      for (const std::size_t c : {1U, 2U}) {
        text += "|";
        if (row.cells[c].kind == Cell::Kind::kUnchanged)
          text += "from " + std::to_string(resolved_.origins[static_cast<std::size_t>(row.origin)][0].i64);
        else text += row.cells[c].kind == Cell::Kind::kNull ? "NULL" : std::string(row.cells[c].text.substr(0, 30));
      }
      rows.push_back(text);
    }
    return rows;
  }

  contract::Table table_;
  TablePlan plan_;
  Arena arena_;
  std::vector<Event> events_;
  std::map<std::int64_t, Origin> lake_;
  Resolved resolved_;
  std::vector<std::string> rejected_;
};

TEST_F(ResolveTest, TheLastChangeOfAKeyWins) {
  Add(Op::kInsert, 1, "a", "a");
  Add(Op::kUpdate, 1, "b", "b");
  Add(Op::kInsert, 2, "c", "c");
  Add(Op::kDelete, 2);
  EXPECT_THAT(Run(), ElementsAre("1|b|b"));
  EXPECT_EQ(resolved_.removed.size(), 2);
}

TEST_F(ResolveTest, AnUnsentValueComesFromTheBatchIfItIsThere) {
  Add(Op::kInsert, 1, kLong, "a");
  Add(Op::kUpdate, 1, kUnsent, "b");
  EXPECT_THAT(Run(), ElementsAre("1|" + kLong.substr(0, 30) + "|b"));
}

TEST_F(ResolveTest, AnUnsentValueComesFromTheLakeElse) {
  lake_[1] = {true, false, {false, false, false}};
  Add(Op::kUpdate, 1, kUnsent, "b");
  Add(Op::kUpdate, 1, kUnsent, "c");
  EXPECT_THAT(Run(), ElementsAre("1|from 1|c"));
}

TEST_F(ResolveTest, WhereTheOldValueIsShortOrNullThePlaceholderIsData) {
  lake_[1] = {true, false, {false, true, false}};
  Add(Op::kUpdate, 1, kUnsent, "b");
  Add(Op::kInsert, 2, "short", "x");
  Add(Op::kUpdate, 2, kUnsent, "x");
  EXPECT_THAT(Run(), ElementsAre("1|__debezium_unavailable_value|b", "2|__debezium_unavailable_value|x"));
}

TEST_F(ResolveTest, AKeyChangeCarriesValuesOver) {
  lake_[1] = {true, false, {false, false, false}};
  Move(1, 9, kUnsent, "moved");
  EXPECT_THAT(Run(), ElementsAre("9|from 1|moved"));
}

TEST_F(ResolveTest, ASwapOfKeysKeepsEachRowsOwnValue) {
  lake_[1] = lake_[2] = {true, false, {false, false, false}};
  Move(1, -1, kUnsent, "one");
  Move(2, 1, kUnsent, "two");
  Move(-1, 2, kUnsent, "one");
  EXPECT_THAT(Run(), testing::UnorderedElementsAre("1|from 2|two", "2|from 1|one"));
}

TEST_F(ResolveTest, AChangeWhoseRowIsStillToComeIsPassedOverOnlyWithoutThatRow) {
  lake_[2] = {true, false, {false, false, false}};
  Add(Op::kUpdate, 1, kUnsent, "b").pending = true;
  Add(Op::kUpdate, 1, kUnsent, "c").pending = true;
  Add(Op::kUpdate, 2, kUnsent, "d").pending = true;
  Add(Op::kRead, 1, kLong, "c");
  Add(Op::kUpdate, 1, kUnsent, "e").pending = true;
  EXPECT_THAT(Run(), testing::UnorderedElementsAre("1|" + kLong.substr(0, 30) + "|e", "2|from 2|d"));
  EXPECT_THAT(rejected_, IsEmpty());
}

TEST_F(ResolveTest, AnUnsentValueAfterAQuarantinedChangeIsQuarantinedToo) {
  Add(Op::kInsert, 1, kLong, "a");
  Add(Op::kUpdate, 1, "bad", "b").rejected = true;
  Add(Op::kUpdate, 1, kUnsent, "c");
  lake_[2] = {true, true, {false, false, false}};
  Add(Op::kUpdate, 2, kUnsent, "d");
  Add(Op::kUpdate, 3, kUnsent, "e");
  EXPECT_THAT(Run(), ElementsAre("1|" + kLong.substr(0, 30) + "|a"));
  EXPECT_EQ(rejected_.size(), 3);
}

TEST_F(ResolveTest, AFullImageEndsTheDoubt) {
  Add(Op::kUpdate, 1, "bad", "b").rejected = true;
  Add(Op::kUpdate, 1, kLong, "c");
  Add(Op::kUpdate, 1, kUnsent, "d");
  EXPECT_THAT(Run(), ElementsAre("1|" + kLong.substr(0, 30) + "|d"));
  EXPECT_THAT(rejected_, IsEmpty());
}

TEST_F(ResolveTest, ATruncateEmptiesTheTableButNotWhatFollows) {
  Add(Op::kInsert, 1, "a", "a");
  Add(Op::kTruncate, 0);
  Add(Op::kInsert, 2, "b", "b");
  lake_[1] = {true, false, {}};
  Add(Op::kUpdate, 1, kUnsent, "gone");
  EXPECT_THAT(Run(), ElementsAre("2|b|b"));
  EXPECT_TRUE(resolved_.truncate);
  EXPECT_EQ(rejected_.size(), 1);
}

TEST_F(ResolveTest, WithoutAKeyOneOfEqualRowsGoesForEachChange) {
  plan_.build.definition.identity = lake::Identity::kWholeRow;
  plan_.key.clear();
  Add(Op::kInsert, 1, "a", "a");
  Add(Op::kInsert, 1, "a", "a");
  Event& change = Add(Op::kUpdate, 1, "b", "b");
  change.before = Row(1, "a", "a");
  Add(Op::kDelete, 7, "in", "lake");
  Add(Op::kDelete, 7, "in", "lake");
  EXPECT_THAT(Run(), ElementsAre("1|a|a", "1|b|b"));
  ASSERT_EQ(resolved_.vanished.size(), 1);
  EXPECT_EQ(resolved_.vanished[0].times, 2);
}

TEST_F(ResolveTest, WithoutAKeyAnUpdateThatNamesNoRowIsQuarantined) {
  plan_.build.definition.identity = lake::Identity::kWholeRow;
  Add(Op::kUpdate, 1, "b", "b");
  EXPECT_THAT(Run(), IsEmpty());
  EXPECT_EQ(rejected_.size(), 1);
}

TEST_F(ResolveTest, ARepeatedSnapshotReplaces) {
  plan_.build.definition.identity = lake::Identity::kWholeRow;
  Add(Op::kRead, 1, "a", "a");
  Event begin;
  begin.op = Op::kSnapshotBegin;
  events_.push_back(begin);
  Add(Op::kRead, 1, "a", "a");
  EXPECT_THAT(Run(), ElementsAre("1|a|a"));
  EXPECT_TRUE(resolved_.truncate);
}

class SoftTest : public ResolveTest {
 protected:
  SoftTest() { plan_.build.definition.columns = {{"_deleted_at", {TypeKind::kTimestamptz, 0, 0, {}, {}}, false, "", lake::Mark::kDeletedAt}}; }
  Event& Delete(std::int64_t id, std::int64_t at) {
    Event& event = Add(Op::kDelete, id);
    event.committed_at = at;
    return event;
  }
};

TEST_F(SoftTest, ADeletedRowOfTheBatchStaysAsItWas) {
  Add(Op::kInsert, 1, "big", "a");
  Delete(1, 77);
  Delete(1, 99);  // a tombstone says it again
  Run();
  ASSERT_EQ(resolved_.rows.size(), 1);
  EXPECT_EQ(resolved_.rows[0].deleted_at, 77);
  EXPECT_EQ(resolved_.rows[0].row_position, 1);
  EXPECT_EQ(resolved_.rows[0].cells[1].text, "big");
}

TEST_F(SoftTest, ADeletedRowOfTheLakeIsTakenFromThere) {
  lake_[1].exists = true;
  Delete(1, 77);
  Delete(2, 77);  // there is none
  Run();
  ASSERT_EQ(resolved_.rows.size(), 1);
  EXPECT_EQ(resolved_.rows[0].deleted_at, 77);
  EXPECT_EQ(resolved_.rows[0].cells[2].kind, Cell::Kind::kUnchanged);
  EXPECT_EQ(resolved_.removed.size(), 1);
}

TEST_F(SoftTest, AKeyThatComesAgainIsThere) {
  lake_[1].exists = true;
  Delete(1, 77);
  Add(Op::kInsert, 1, "new", "b");
  Run();
  ASSERT_EQ(resolved_.rows.size(), 1);
  EXPECT_EQ(resolved_.rows[0].deleted_at, kNoTime);
}

TEST_F(ResolveTest, AQuarantinedChangeLeavesTheRowOfTheLake) {
  Add(Op::kUpdate, 1, "bad", "b").rejected = true;
  Run();
  EXPECT_THAT(resolved_.removed, IsEmpty());
  EXPECT_THAT(resolved_.rows, IsEmpty());
}

TEST_F(ResolveTest, AHistoryTakesEachStateAndEachEnd) {
  plan_.mode = contract::Mode::kHistory;
  Add(Op::kInsert, 1, "one", "a");
  Add(Op::kUpdate, 1, kUnsent, "b");
  Add(Op::kDelete, 1).committed_at = 5;
  Run();
  ASSERT_EQ(resolved_.rows.size(), 3);
  EXPECT_EQ(resolved_.rows[1].cells[1].text, "__debezium_unavailable_value");  // "one" is too short to be unsent
  EXPECT_EQ(resolved_.rows[2].deleted_at, 5);
  EXPECT_EQ(resolved_.removed.size(), 1);
}

TEST_F(ResolveTest, ATableOfEventsHasARowForEach) {
  plan_.build.definition.identity = lake::Identity::kNone;
  plan_.build.definition.columns = {{"_op", {}, true, "", lake::Mark::kOp}};
  Add(Op::kRead, 1, "one", "a");
  Add(Op::kUpdate, 1, "two", "a");
  Add(Op::kDelete, 1, "NULL", "NULL");
  Add(Op::kTruncate, 0);
  Add(Op::kUpdate, 1, kUnsent, "a");
  Run();
  std::string letters;
  for (const auto& row : resolved_.rows) letters += row.op;
  EXPECT_EQ(letters, "rudt");
  EXPECT_EQ(resolved_.rows[2].cells[0].i64, 1);
  EXPECT_EQ(rejected_.size(), 1);
}

}  // namespace
}  // namespace nano::land
