// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal/journal_test_support.h"

namespace nano::journal {
namespace {

using JournalTest = JournalFolder;

TEST_F(JournalTest, WhatWasCommittedIsReadBackByteForByte) {
  std::mt19937_64 random(1);
  std::vector<OwnedRecord> records;
  auto writer = Open();
  for (int i = 0; i < 5000; ++i) records.push_back(RandomRecord(random));
  for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(writer->Append(records[i].view())->value, i);
  auto blocks = writer->Commit(R"({"lsn":7})");
  ASSERT_TRUE(blocks) << blocks.error().message;
  EXPECT_EQ(Records(*blocks), records);
  EXPECT_EQ(ReadAll(), records);
  EXPECT_EQ(TailSeen().end.value, 5000U);
  EXPECT_EQ(TailSeen().checkpoint, R"({"lsn":7})");
}

}  // namespace
}  // namespace nano::journal
