// SPDX-License-Identifier: Apache-2.0
#include "land/newer_events.h"

#include <gtest/gtest.h>

#include <array>

namespace nano::land {
namespace {

/// A table of one column, with that as its key or without one.
class NewerEventsTest : public ::testing::Test {
 protected:
  explicit NewerEventsTest(lake::Identity identity = lake::Identity::kKey) {
    plan_.build.definition.identity = identity;
    plan_.inputs.push_back({{"id"}, {TypeKind::kBigint, 0, 0, {}, {}}, ""});
    plan_.key = {0};
  }
  Event Make(Op op, std::uint64_t position, std::int64_t id, std::int64_t time = 0) {
    Event event;
    event.op = op;
    event.position = Position{position};
    event.committed_at = time;
    if (op == Op::kTruncate) return event;
    const auto cells = arena_.Array<wire::Cell>(1);
    cells[0].kind = wire::Cell::Kind::kValue;
    cells[0].i64 = id;
    if (op == Op::kDelete) event.before = cells;
    else event.after = cells;
    event.key = arena_.Keep(std::to_string(id));
    return event;
  }
  Event Update(std::uint64_t position, std::int64_t from, std::int64_t to) {
    Event event = Make(Op::kUpdate, position, to);
    event.before = Make(Op::kDelete, position, from).before;
    return event;
  }

  Arena arena_;
  TablePlan plan_;
  NewerEvents newer_{plan_};
};

TEST_F(NewerEventsTest, ALaterEventOfTheSameKeyOvertakes) {
  newer_.Wait(5, Make(Op::kInsert, 5, 1));
  newer_.Wait(6, Make(Op::kInsert, 6, 2));
  newer_.Landed("shop", Make(Op::kDelete, 9, 1));
  EXPECT_EQ(newer_.overtaken(5), "shop:9");
  EXPECT_EQ(newer_.overtaken(6), std::nullopt);
}

TEST_F(NewerEventsTest, WhatLandedBeforeOvertakesNothing) {
  newer_.Landed("shop", Make(Op::kInsert, 4, 1));
  newer_.Wait(5, Make(Op::kUpdate, 5, 1));
  EXPECT_EQ(newer_.overtaken(5), std::nullopt);
}

TEST_F(NewerEventsTest, ATruncateOvertakesEveryKey) {
  newer_.Wait(5, Make(Op::kInsert, 5, 1));
  newer_.Wait(6, Make(Op::kInsert, 6, 2));
  newer_.Landed("shop", Make(Op::kTruncate, 7, 0));
  newer_.Wait(8, Make(Op::kInsert, 8, 1));
  EXPECT_EQ(newer_.overtaken(5), "shop:7");
  EXPECT_EQ(newer_.overtaken(6), "shop:7");
  EXPECT_EQ(newer_.overtaken(8), std::nullopt);
}

TEST_F(NewerEventsTest, OfAnotherSourceOnlyWhatWasCommittedLaterOvertakes) {
  newer_.Wait(5, Make(Op::kInsert, 5, 1, 100));
  newer_.LandedElsewhere("shard", Make(Op::kUpdate, 50, 1, 100));
  EXPECT_EQ(newer_.overtaken(5), std::nullopt);
  newer_.LandedElsewhere("shard", Make(Op::kUpdate, 51, 1, 101));
  EXPECT_EQ(newer_.overtaken(5), "shard:51");
}

class NewerEventsWithoutKeyTest : public NewerEventsTest {
 protected:
  NewerEventsWithoutKeyTest() : NewerEventsTest(lake::Identity::kWholeRow) {}
};

TEST_F(NewerEventsWithoutKeyTest, ARemovalOfAnEqualRowOvertakesOnce) {
  newer_.Wait(5, Make(Op::kInsert, 5, 1));
  newer_.Wait(6, Make(Op::kInsert, 6, 1));
  newer_.Landed("shop", Make(Op::kDelete, 9, 1));
  EXPECT_EQ(newer_.overtaken(5), std::nullopt);
  EXPECT_EQ(newer_.overtaken(6), "shop:9");
}

TEST_F(NewerEventsWithoutKeyTest, ARemovalThatALandedRowAnswersForOvertakesNothing) {
  newer_.Landed("shop", Make(Op::kInsert, 3, 1));
  newer_.Wait(5, Make(Op::kInsert, 5, 1));
  newer_.Landed("shop", Update(9, 1, 2));
  EXPECT_EQ(newer_.overtaken(5), std::nullopt);
  newer_.Landed("shop", Update(10, 1, 3));
  EXPECT_EQ(newer_.overtaken(5), "shop:10");
}

TEST_F(NewerEventsWithoutKeyTest, ASnapshotOvertakesWhatCameBefore) {
  newer_.Wait(5, Make(Op::kInsert, 5, 1));
  Event begin = Make(Op::kTruncate, 8, 0);
  begin.op = Op::kSnapshotBegin;
  newer_.Landed("shop", begin);
  EXPECT_EQ(newer_.overtaken(5), "shop:8");
}

}  // namespace
}  // namespace nano::land
