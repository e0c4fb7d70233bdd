// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_visibility.h"

#include <gtest/gtest.h>

namespace nano::ingest {
namespace {

Visibility Of(std::string_view text) {
  const auto snapshot = Visibility::Parse(text);
  EXPECT_TRUE(snapshot) << text;
  return snapshot.value_or(Visibility());
}

TEST(VisibilityTest, SeesWhatEndedBeforeIt) {
  const Visibility snapshot = Of("10:20:12,15");
  EXPECT_TRUE(snapshot.Sees(9));
  EXPECT_TRUE(snapshot.Sees(11));
  EXPECT_FALSE(snapshot.Sees(12));
  EXPECT_FALSE(snapshot.Sees(15));
  EXPECT_TRUE(snapshot.Sees(19));
  EXPECT_FALSE(snapshot.Sees(20));
}

TEST(VisibilityTest, NothingRunsWhereNothingIsListed) {
  EXPECT_TRUE(Of("20:20:").Sees(19));
  EXPECT_FALSE(Of("20:20:").Sees(20));
}

TEST(VisibilityTest, IdsThatWentRoundAreComparedWhole) {
  const Visibility snapshot = Of("4294967290:4294967300:4294967298");   // 2^32 is between
  EXPECT_TRUE(snapshot.Sees(4294967289U));
  EXPECT_TRUE(snapshot.Sees(1));
  EXPECT_FALSE(snapshot.Sees(2));
  EXPECT_FALSE(snapshot.Sees(4));
}

TEST(VisibilityTest, OtherTextIsNoSnapshot) {
  for (const char* const text : {"", "1", "1:2", "1:2:x", "1:2:3;4", ":2:"}) EXPECT_FALSE(Visibility::Parse(text)) << text;
}

TEST(VisibilityTest, RecentTransactionsAreForgottenOnceTheyAreSeen) {
  RecentTransactions recent;
  recent.Add(12);
  recent.Add(14);
  EXPECT_FALSE(recent.AllSeenBy(Of("10:20:12")));
  recent.Forget(Of("10:20:12"));
  EXPECT_EQ(recent.all().size(), 1u);
  EXPECT_TRUE(recent.AllSeenBy(Of("13:20:")));
}

}  // namespace
}  // namespace nano::ingest
