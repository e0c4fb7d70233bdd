// SPDX-License-Identifier: Apache-2.0
#include "land/fold_state.h"

#include <gtest/gtest.h>

#include <set>

namespace nano::land {
namespace {

using Says = FoldState::Says;

class FoldStateTest : public testing::Test {
 protected:
  std::set<std::uint64_t> Needed() const {
    std::vector<Position> positions;
    state_.AddNeeded(positions);
    std::set<std::uint64_t> out;
    for (const Position at : positions) out.insert(at.value);
    return out;
  }
  using Set = std::set<std::uint64_t>;
  FoldState state_;
};

TEST_F(FoldStateTest, OfEachKeyTheLastWholeMessageStays) {
  state_.Put("a", "", {0}, Says::kWhole);
  state_.Put("b", "", {1}, Says::kWhole);
  state_.Put("a", "", {2}, Says::kWhole);
  EXPECT_EQ(Needed(), (Set{1, 2}));
}

TEST_F(FoldStateTest, WhatFollowsTheLastWholeMessageStaysWithIt) {
  state_.Put("a", "", {0}, Says::kWhole);
  state_.Put("a", "", {1}, Says::kWhole);
  state_.Put("a", "", {2}, Says::kPart);
  EXPECT_EQ(state_.Image("a"), std::nullopt);
  state_.Put("a", "", {3}, Says::kPart);
  EXPECT_EQ(Needed(), (Set{1, 2, 3}));
  state_.Put("a", "", {4}, Says::kWhole);
  EXPECT_EQ(Needed(), (Set{4}));
}

TEST_F(FoldStateTest, WhatIsNotSaidAgainIsNoMore) {
  state_.Put("a", "", {0}, Says::kWhole);
  state_.Put("b", "", {1}, Says::kWhole);
  state_.Put("held", "", {2}, Says::kHeld);
  state_.Put("a", "", {5}, Says::kWhole);
  state_.ForgetBefore({4});
  EXPECT_EQ(Needed(), (Set{2, 5}));
}

TEST_F(FoldStateTest, OfADeletedKeyNothingStays) {
  state_.Put("a", "", {0}, Says::kWhole);
  state_.Delete("a", {1});
  state_.Delete("b", {2});
  EXPECT_EQ(Needed(), Set{});
}

TEST_F(FoldStateTest, AMovedRowNeedsWhatItsOldKeySaid) {
  state_.Put("a", "", {0}, Says::kWhole);
  state_.Delete("a", {1});
  EXPECT_EQ(state_.Image("a"), Position{0});
  state_.Put("b", "a", {2}, Says::kPart);
  EXPECT_EQ(Needed(), (Set{0, 1, 2}));
  state_.Put("b", "", {3}, Says::kWhole);
  EXPECT_EQ(Needed(), (Set{3}));
}

TEST_F(FoldStateTest, AMovedRowThatSaysAllNeedsNothingElse) {
  state_.Put("a", "", {0}, Says::kWhole);
  state_.Delete("a", {1});
  state_.Put("b", "a", {2}, Says::kWhole);
  EXPECT_EQ(Needed(), (Set{2}));
}

TEST_F(FoldStateTest, WhatIsInQuarantineStaysWithAllThatCameAfter) {
  state_.Put("a", "", {0}, Says::kWhole);
  state_.Put("a", "", {1}, Says::kHeld);
  state_.Put("a", "", {2}, Says::kWhole);
  state_.Delete("a", {3});
  EXPECT_EQ(Needed(), (Set{0, 1, 2, 3}));
}

TEST_F(FoldStateTest, ATruncateLeavesNothing) {
  state_.Put("a", "", {0}, Says::kHeld);
  state_.Truncate();
  state_.Put("b", "", {2}, Says::kWhole);
  EXPECT_EQ(Needed(), (Set{2}));
}

}  // namespace
}  // namespace nano::land
