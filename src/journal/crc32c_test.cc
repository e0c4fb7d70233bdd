// SPDX-License-Identifier: Apache-2.0
#include "journal/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace nano::journal {
namespace {

TEST(Crc32cTest, GivesThePublishedValues) {   // RFC 3720, B.4, and the check value of the catalogues
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(std::string(32, 0)), 0x8A9136AAU);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(Crc32c(""), 0U);
}

TEST(Crc32cTest, BothWaysAgreeAndGoOn) {
  std::mt19937_64 random(3);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string text(size, 0);
    for (char& c : text) c = static_cast<char>(random());
    EXPECT_EQ(Crc32c(text), Crc32cPortable(text));
    const std::size_t cut = size == 0 ? 0 : random() % size;
    EXPECT_EQ(Crc32c(std::string_view(text).substr(cut), Crc32c(std::string_view(text).substr(0, cut))), Crc32c(text));
    EXPECT_EQ(Crc32cPortable(std::string_view(text).substr(cut), Crc32c(std::string_view(text).substr(0, cut))), Crc32c(text));
  }
}

}  // namespace
}  // namespace nano::journal
