// SPDX-License-Identifier: Apache-2.0
#include "app/journal_rows.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "journal/journal.h"

namespace nano::app {
namespace {

namespace fs = std::filesystem;

class JournalRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("journal_rows_test_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "shop \"cdc\"");
    auto writer = journal::Writer::Open(folder_ / "shop \"cdc\"", "shop");
    ASSERT_TRUE(writer);
    for (int i = 0; i < 5000; ++i) {
      Record record;
      record.stream = "public.orders";
      const std::string bytes = i == 7 ? "\xff" : "{\"id\":" + std::to_string(i) + "}";
      record.bytes = bytes;
      record.has_value = i != 8;
      record.kind = i == 8 ? RecordKind::kTombstone : RecordKind::kData;
      record.flags = i == 9 ? kReplayed : 0;
      record.committed_at = i == 0 ? kNoTime : 1'767'322'645'000'000;
      ASSERT_TRUE((*writer)->Append(record));
    }
    ASSERT_TRUE((*writer)->Commit("{}"));
    database_ = *engine::Database::Open({.threads = 2, .temp_directory = {}, .extensions = {"icu", "json"}});
    connection_ = *database_->Connect();
    const auto attached = AttachJournals(*database_, *connection_, folder_);
    ASSERT_TRUE(attached) << attached.error().message;
  }
  void TearDown() override {
    connection_.reset();
    database_.reset();
    fs::remove_all(folder_);
  }
  std::string One(const std::string& sql) {
    const auto rows = connection_->Query(sql);
    EXPECT_TRUE(rows) << rows.error().message;
    return rows && !rows->empty() ? rows->rows[0][0].value_or("NULL") : "nothing";
  }

  fs::path folder_;
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<engine::Connection> connection_;
};

TEST_F(JournalRowsTest, EveryRecordIsARowInItsOrder) {
  EXPECT_EQ(One("SELECT count(*) FROM journal.\"shop \"\"cdc\"\"\""), "5000");
  EXPECT_EQ(One("SELECT sum((value->>'id')::INT)::BIGINT FROM journal.\"shop \"\"cdc\"\"\" WHERE position NOT IN (7, 8)"), "12497485");
  EXPECT_EQ(One("SELECT value FROM journal.\"shop \"\"cdc\"\"\" WHERE position = 4999"), "{\"id\":4999}");
}

TEST_F(JournalRowsTest, WhatARecordLacksIsNull) {
  EXPECT_EQ(One("SELECT kind || ':' || coalesce(value, 'none') FROM journal.\"shop \"\"cdc\"\"\" WHERE position = 8"), "tombstone:none");
  EXPECT_EQ(One("SELECT committed_at::VARCHAR FROM journal.\"shop \"\"cdc\"\"\" WHERE position = 0"), "NULL");
  EXPECT_EQ(One("SELECT position FROM journal.\"shop \"\"cdc\"\"\" WHERE replayed"), "9");
}

TEST_F(JournalRowsTest, BytesThatAreNoTextAreKeptBesideTheText) {
  EXPECT_EQ(One("SELECT value || ':' || hex(bytes) FROM journal.\"shop \"\"cdc\"\"\" WHERE position = 7"), "\xEF\xBF\xBD:FF");
}

}  // namespace
}  // namespace nano::app
