// SPDX-License-Identifier: Apache-2.0
#include "io/spool.h"

#include <gtest/gtest.h>

namespace nano::io {
namespace {

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() : folder_(testing::TempDir() + "/spool-test") {}
  ~SpoolTest() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(SpoolTest, GivesBackWhatWasAddedInItsOrder) {
  auto spool = *Spool::Make(folder_);
  constexpr std::uint64_t kPieces = 5000;
  for (std::uint64_t n = 0; n < kPieces; ++n) ASSERT_TRUE(spool->Add(n, std::string(n % 700, static_cast<char>('a' + n % 26))));
  ASSERT_TRUE(spool->Add(kPieces, std::string(3 << 20, 'z')));
  std::uint64_t mark = 0;
  std::string_view piece;
  for (std::uint64_t n = 0; n < kPieces; ++n) {
    ASSERT_TRUE(*spool->Next(mark, piece));
    ASSERT_EQ(mark, n);
    ASSERT_EQ(piece, std::string(n % 700, static_cast<char>('a' + n % 26)));
  }
  ASSERT_TRUE(*spool->Next(mark, piece));
  EXPECT_EQ(piece.size(), 3u << 20);
  EXPECT_FALSE(*spool->Next(mark, piece));
}

TEST_F(SpoolTest, LeavesNothingBehind) {
  auto spool = *Spool::Make(folder_);
  ASSERT_TRUE(spool->Add(1, std::string(1 << 20, 'x')));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(SpoolTest, AnEmptyOneHasNoPieces) {
  auto spool = *Spool::Make(folder_);
  std::uint64_t mark = 0;
  std::string_view piece;
  EXPECT_FALSE(*spool->Next(mark, piece));
}

}  // namespace
}  // namespace nano::io
