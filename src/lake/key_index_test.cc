// SPDX-License-Identifier: Apache-2.0
#include "lake/key_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <random>

namespace nano::lake {
namespace {

namespace fs = std::filesystem;

class KeyIndexTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("key_index_test_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    Open();
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Open(const IndexOf& of = {"lake", 7, "3:bigint"}) {
    index_.reset();
    auto opened = KeyIndex::Open(folder_, of, {.merge_runs = 4});
    ASSERT_TRUE(opened) << opened.error().message;
    index_ = std::move(*opened);
  }
  static KeyHash Key(std::uint64_t n) { return {n * 0x9e3779b97f4a7c15ULL, n * 0xc2b2ae3d27d4eb4fULL}; }
  static std::vector<KeyedPlace> Rows(std::int64_t file, std::uint64_t from, std::uint64_t to) {
    std::vector<KeyedPlace> rows;
    for (std::uint64_t n = from; n < to; ++n) rows.push_back({Key(n), {file, static_cast<std::uint32_t>(n - from), static_cast<std::int64_t>(n)}});
    return rows;
  }
  /// Files that hold the key, as they are offered.
  std::vector<std::int64_t> Files(std::uint64_t n) {
    std::vector<std::int64_t> files;
    const KeyHash key = Key(n);
    index_->Find({&key, 1}, [&](std::size_t, const RowPlace& place) {
      files.push_back(place.file);
      return true;
    });
    return files;
  }
  static bool Ever(std::int64_t) { return true; }

  fs::path folder_;
  std::unique_ptr<KeyIndex> index_;
};

TEST_F(KeyIndexTest, LaterPlacesComeFirst) {
  ASSERT_TRUE(index_->Add(Rows(1, 0, 100)));
  ASSERT_TRUE(index_->Save(Ever));
  ASSERT_TRUE(index_->Add(Rows(2, 50, 60)));
  ASSERT_TRUE(index_->Add(Rows(3, 55, 56)));
  EXPECT_THAT(Files(55), testing::ElementsAre(3, 2, 1));
  EXPECT_THAT(Files(99), testing::ElementsAre(1));
  EXPECT_THAT(Files(100), testing::IsEmpty());
}

TEST_F(KeyIndexTest, WhatWasSavedIsThereAgain) {
  ASSERT_TRUE(index_->Add(Rows(1, 0, 5000)));
  index_->SetCovers(12);
  const std::uint64_t seed = index_->seed();
  ASSERT_TRUE(index_->Save(Ever));
  Open();
  EXPECT_EQ(index_->covers(), 12);
  EXPECT_EQ(index_->seed(), seed);
  EXPECT_EQ(index_->size(), 5000U);
  EXPECT_THAT(Files(4999), testing::ElementsAre(1));
  EXPECT_TRUE(CheckIndex(folder_));
}

TEST_F(KeyIndexTest, AnIndexOfSomethingElseIsBegunAnew) {
  ASSERT_TRUE(index_->Add(Rows(1, 0, 10)));
  index_->SetCovers(3);
  ASSERT_TRUE(index_->Save(Ever));
  Open({"lake", 7, "3:string"});
  EXPECT_EQ(index_->covers(), -1);
  EXPECT_EQ(index_->size(), 0U);
}

TEST_F(KeyIndexTest, ABatchThatWasGivenUpIsForgotten) {
  ASSERT_TRUE(index_->Add(Rows(1, 0, 10)));
  ASSERT_TRUE(index_->Add(Rows(8, 0, 10)));
  ASSERT_TRUE(index_->Add(Rows(9, 5, 7)));
  index_->Forget(8);
  EXPECT_THAT(Files(5), testing::ElementsAre(1));
}

TEST_F(KeyIndexTest, RunsAreMergedAndDeadFilesGo) {
  for (std::int64_t file = 0; file < 64; ++file) {
    ASSERT_TRUE(index_->Add(Rows(file, 0, 100)));
    ASSERT_TRUE(index_->Save([&](std::int64_t known) { return known >= file - 1; }));
  }
  std::size_t runs = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) runs += entry.path().extension() == ".run" ? 1U : 0U;
  EXPECT_LE(runs, 8U);
  EXPECT_LT(index_->size(), 64U * 100U / 2);
  EXPECT_EQ(Files(5).front(), 63);
}

TEST_F(KeyIndexTest, DamageIsFound) {
  ASSERT_TRUE(index_->Add(Rows(1, 0, 5000)));
  ASSERT_TRUE(index_->Save(Ever));
  index_.reset();
  const fs::path run = folder_ / "00000000.run";
  {
    std::fstream file(run, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file.put('\x7f');
  }
  const auto checked = CheckIndex(folder_);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::kCorrupt);
  fs::resize_file(run, fs::file_size(run) - 1);
  Open();
  EXPECT_EQ(index_->covers(), -1) << "a torn run makes the index begin anew";
}

/// Against a plain map, over random adds, saves and reopenings.
TEST_F(KeyIndexTest, FindsWhatAMapFinds) {
  std::mt19937_64 random(1);
  std::map<std::uint64_t, std::int64_t> newest;
  for (std::int64_t file = 0; file < 200; ++file) {
    std::vector<KeyedPlace> rows;
    const std::size_t count = random() % 300;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t n = random() % 20000;
      if (newest[n] == file + 1) continue;
      newest[n] = file + 1;
      rows.push_back({Key(n), {file + 1, static_cast<std::uint32_t>(i), 0}});
    }
    ASSERT_TRUE(index_->Add(std::move(rows)));
    if (file % 7 == 0) {
      ASSERT_TRUE(index_->Save(Ever));
    }
    if (file % 41 == 40) {
      ASSERT_TRUE(index_->Save(Ever));
      Open();
    }
  }
  std::vector<KeyHash> keys;
  for (std::uint64_t n = 0; n < 20000; ++n) keys.push_back(Key(n));
  std::vector<std::int64_t> found(20000, 0);
  index_->Find(keys, [&](std::size_t n, const RowPlace& place) {
    found[n] = place.file;
    return false;
  });
  for (std::uint64_t n = 0; n < 20000; ++n) {
    const auto at = newest.find(n);
    ASSERT_EQ(found[n], at == newest.end() ? 0 : at->second) << n;
  }
}

}  // namespace
}  // namespace nano::lake
