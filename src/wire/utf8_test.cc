// SPDX-License-Identifier: Apache-2.0
#include "wire/utf8.h"

#include <gtest/gtest.h>

namespace nano::wire {
namespace {

TEST(Utf8, ThePrefixEndsBeforeACutCharacter) {
  EXPECT_EQ(ValidPrefix("žluť"), "žluť");
  EXPECT_EQ(ValidPrefix(std::string_view("žluť").substr(0, 5)), "žlu");
  EXPECT_EQ(ValidPrefix("a\xf0\x9f\x98"), "a");
  EXPECT_EQ(ValidPrefix("\xc0\xaf" "b"), "");
  EXPECT_EQ(ValidPrefix(""), "");
}

}  // namespace
}  // namespace nano::wire
