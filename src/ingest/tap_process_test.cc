// SPDX-License-Identifier: Apache-2.0
#include "ingest/tap_process.h"

#include <gtest/gtest.h>

#include <chrono>

namespace nano::ingest {
namespace {

namespace fs = std::filesystem;

/// A tap's folder as it is hours later.
fs::path Aged(const std::string& file) {
  const fs::path folder = fs::path(file).parent_path();
  fs::last_write_time(folder, fs::file_time_type::clock::now() - std::chrono::hours(2));
  return folder;
}

TEST(PrivateFolderTest, WhatAKilledProcessLeftIsRemovedAndWhatALivingOneUsesIsNot) {
  PrivateFolder alive;
  ASSERT_TRUE(alive.Make());
  const fs::path used = Aged(*alive.Put("config.json", "{}"));
  EXPECT_EQ(fs::status(used).permissions(), fs::perms::owner_all);
  std::string left = (fs::temp_directory_path() / "nanohouse-tap-XXXXXX").string();
  ASSERT_NE(mkdtemp(left.data()), nullptr);
  (void)Aged(left + "/config.json");
  PrivateFolder next;
  ASSERT_TRUE(next.Make());
  EXPECT_TRUE(fs::exists(used / "config.json"));
  EXPECT_FALSE(fs::exists(left));
}

}  // namespace
}  // namespace nano::ingest
