// SPDX-License-Identifier: Apache-2.0
#include "land/lander.h"

#include <gtest/gtest.h>

namespace nano::land {
namespace {

class Span final : public journal::Block {
 public:
  Span(std::uint64_t begin, std::uint64_t end) : begin_{begin}, end_{end} {}
  Position begin() const override { return begin_; }
  Position end() const override { return end_; }
  Record record(std::size_t) const override { return {}; }
  bool uniform() const override { return false; }
  std::size_t raw_bytes() const override { return 0; }

 private:
  Position begin_, end_;
};

bool Whole(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> spans, std::uint64_t taken, std::uint64_t journaled) {
  std::vector<journal::BlockPtr> blocks;
  for (const auto& [begin, end] : spans) blocks.push_back(std::make_shared<Span>(begin, end));
  return AreWhole(blocks, {taken}, {journaled});
}

TEST(AreWhole, AHoleIsSeenWhereverItIs) {
  EXPECT_TRUE(Whole({}, 5, 5));
  EXPECT_FALSE(Whole({}, 5, 6));
  EXPECT_TRUE(Whole({{0, 3}, {3, 9}}, 0, 9));
  EXPECT_TRUE(Whole({{0, 3}, {3, 9}}, 5, 9)) << "what was taken may come again";
  EXPECT_FALSE(Whole({{3, 9}}, 0, 9)) << "the beginning is not there";
  EXPECT_FALSE(Whole({{0, 3}, {5, 9}}, 0, 9)) << "nothing of 3 and 4 is there";
  EXPECT_FALSE(Whole({{0, 3}}, 0, 9)) << "the end is not there";
}

}  // namespace
}  // namespace nano::land
