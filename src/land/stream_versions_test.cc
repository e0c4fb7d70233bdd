// SPDX-License-Identifier: Apache-2.0
#include "land/stream_versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace nano::land {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr bool kShared = true, kAlone = false;

class StreamVersionsTest : public testing::Test {
 protected:
  void Note(std::optional<std::int64_t> version, std::uint64_t at, bool shared = kAlone) { versions_.Note(version, Position{at}, shared); }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> Activate(std::int64_t version, std::uint64_t at) {
    versions_ = StreamVersions::FromJson(versions_.ToJson());  // as after a crash
    std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
    for (const auto& [begin, end] : versions_.Activate(version, Position{at})) out.emplace_back(begin.value, end.value);
    return out;
  }
  StreamVersions versions_;
};

TEST_F(StreamVersionsTest, SmallerVersionsGoAndEqualOnesStay) {
  Note(1, 0);
  EXPECT_THAT(Activate(1, 10), IsEmpty());
  Note(2, 11);
  EXPECT_THAT(Activate(2, 20), ElementsAre(Pair(0, 11)));
  EXPECT_THAT(Activate(2, 21), IsEmpty());
}

TEST_F(StreamVersionsTest, AVersionWithoutRecordsTakesAll) {
  Note(1, 0);
  EXPECT_THAT(Activate(2, 10), ElementsAre(Pair(0, 10)));
}

TEST_F(StreamVersionsTest, ATapThatSaysNoVersionIsLeftAlone) {
  Note(std::nullopt, 0);
  EXPECT_THAT(Activate(5, 10), IsEmpty());
  EXPECT_TRUE(versions_.empty());
}

TEST_F(StreamVersionsTest, RecordsWithoutAVersionAreOlderOnlyBeforeThoseOfTheVersion) {
  Note(std::nullopt, 0);
  EXPECT_THAT(Activate(1, 3), IsEmpty());  // before its first record
  Note(1, 4);
  Note(std::nullopt, 6);
  EXPECT_THAT(Activate(1, 10), ElementsAre(Pair(0, 4)));
  EXPECT_THAT(Activate(2, 11), ElementsAre(Pair(4, 6)));  // those at 6 came after all that is known of versions
}

TEST_F(StreamVersionsTest, AVersionThatGoesBackTakesNothingNewer) {
  Note(2, 0);
  Note(1, 5);
  EXPECT_THAT(Activate(1, 8), IsEmpty());
  EXPECT_THAT(Activate(2, 9), ElementsAre(Pair(5, 9)));
}

TEST_F(StreamVersionsTest, RowsOfAnotherStreamInBetweenAreNotTaken) {
  Note(1, 2, kShared);
  versions_.Interrupt(Position{5});
  Note(1, 9, kShared);
  EXPECT_THAT(Activate(2, 12), ElementsAre(Pair(2, 5), Pair(9, 12)));
}

}  // namespace
}  // namespace nano::land
