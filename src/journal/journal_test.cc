// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "io/files.h"
#include "journal/format.h"
#include "journal/journal_test_support.h"

namespace nano::journal {
namespace {

using JournalTest = JournalFolder;
using ::testing::IsEmpty;

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

TEST_F(JournalTest, RecordsHavePaddingBehindThem) {
  std::mt19937_64 random(2);
  auto writer = Open();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(writer->Append(RandomRecord(random).view()));
  std::vector<BlockPtr> blocks = *writer->Commit("{}");
  auto reader = *Reader::Open(folder_);
  blocks.push_back(*reader->Read({0}));
  unsigned sum = 0;   // the sanitizers look on
  for (const auto& block : blocks) {
    for (std::size_t n = 0; n < block->size(); ++n) {
      const Record record = block->record(n);
      for (const auto view : {record.bytes, record.key}) {
        for (std::size_t i = 0; i < Block::kPadding && view.data() != nullptr; ++i) sum += static_cast<unsigned char>(view.data()[view.size() + i]);
      }
    }
  }
  EXPECT_GT(sum, 0U);
}

TEST_F(JournalTest, NothingIsPendingAfterACommit) {
  auto writer = Open({.block_bytes = 100});
  for (const std::size_t bytes : {10, 150, 20}) {   // the second fills a block by itself
    ASSERT_TRUE(writer->Append(Line(std::string(bytes, 'x')).view()));
    EXPECT_GE(writer->pending_bytes(), bytes);
    ASSERT_TRUE(writer->Commit(std::to_string(bytes)));
    EXPECT_EQ(writer->pending_bytes(), 0U);
  }
}

TEST_F(JournalTest, BlocksWithACommitMissingBetweenThemDoNotCoverIt) {
  auto writer = Open({.keep_bytes = 1000});
  std::vector<BlockPtr> blocks;
  for (const std::size_t bytes : {10, 2000, 10}) {   // the second is too large to be handed out
    ASSERT_TRUE(writer->Append(Line(std::string(bytes, 'x')).view()));
    const auto committed = writer->Commit(std::to_string(blocks.size()));
    ASSERT_TRUE(committed);
    blocks.insert(blocks.end(), committed->begin(), committed->end());
  }
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_FALSE(Cover(blocks, {0}, {3}));
  EXPECT_TRUE(Cover({blocks.front()}, {0}, {1}));
  EXPECT_TRUE(Cover(blocks, {2}, {3}));
  EXPECT_FALSE(Cover(blocks, {2}, {4}));
  EXPECT_TRUE(Cover({}, {3}, {3}));
}

TEST_F(JournalTest, NothingIsSeenBeforeItsCommit) {
  EXPECT_EQ(Reader::Open(folder_).error().code, Code::kNotFound);
  auto writer = Open();
  EXPECT_EQ(Reader::Open(folder_).error().code, Code::kNotFound);
  ASSERT_TRUE(writer->Append(Line("a").view()));
  EXPECT_THAT(ReadAll(), IsEmpty());
  ASSERT_TRUE(writer->Commit("1"));
  EXPECT_EQ(ReadAll().size(), 1U);
  ASSERT_TRUE(writer->Append(Line("b").view()));
  EXPECT_EQ(ReadAll().size(), 1U);
  writer.reset();
  EXPECT_EQ(Open()->tail().end.value, 1U);
}

TEST_F(JournalTest, ACommitOfACheckpointAloneCounts) {
  auto writer = Open();
  ASSERT_TRUE(writer->Commit("first"));
  EXPECT_EQ(TailSeen().checkpoint, "first");
  EXPECT_EQ(TailSeen().end.value, 0U);
  ASSERT_TRUE(writer->Commit("second"));
  writer.reset();
  EXPECT_EQ(Open()->tail().checkpoint, "second");
}

TEST_F(JournalTest, SegmentsAreClosedAtCommitsAndReadAsOne) {
  std::vector<OwnedRecord> records;
  for (int i = 0; i < 400; ++i) {
    auto writer = Open({.segment_bytes = 2000, .block_bytes = 256});
    for (int n = 0; n < 5; ++n) {
      records.push_back(Line("record " + std::to_string(records.size())));
      ASSERT_TRUE(writer->Append(records.back().view()));
    }
    ASSERT_TRUE(writer->Commit(std::to_string(records.size())));
  }
  EXPECT_GT(Segments().size(), 10U);
  EXPECT_EQ(ReadAll(), records);
  EXPECT_EQ(TailSeen().checkpoint, "2000");
  auto reader = *Reader::Open(folder_);
  std::mt19937_64 random(3);
  for (int i = 0; i < 500; ++i) {   // in any order
    const Position at{random() % 2000};
    const auto block = *reader->Read(at);
    ASSERT_EQ(OwnedRecord::Of(block->record(at.value - block->begin().value)), records[at.value]);
  }
  EXPECT_EQ(*reader->Read({2000}), nullptr);
  // A dropped segment moves the beginning.
  std::filesystem::remove(Segments().front());
  ASSERT_TRUE(reader->Refresh());
  EXPECT_GT(reader->first().value, 0U);
  EXPECT_EQ(reader->Read({0}).error().code, Code::kNotFound);
  EXPECT_EQ(OwnedRecord::Of((*reader->Read(reader->first()))->record(0)), records[reader->first().value]);
}

TEST_F(JournalTest, InlineSchemasAreKeptOnceASegment) {
  std::string schema = R"({"schema":{"type":"struct","fields":[)";
  for (int i = 0; i < 300; ++i) schema += R"({"type":"string","optional":true,"field":"f)" + std::to_string(i * 7919) + R"("},)";
  schema.back() = ']';
  schema += "}";
  std::mt19937_64 random(4);
  std::vector<OwnedRecord> records;
  auto writer = Open();
  std::size_t whole = 0;
  for (int i = 0; i < 2000; ++i) {
    OwnedRecord record = Line(schema + R"(,"payload":{"id":)" + std::to_string(random()) + "}}");
    record.format = Format::kDebezium;
    record.has_key = true;
    record.key = schema + R"(,"payload":)" + std::to_string(i) + "}";
    whole += record.bytes.size() + record.key.size();
    ASSERT_TRUE(writer->Append(record.view()));
    EXPECT_GE(writer->pending_bytes(), whole) << "schemas count as they came";
    records.push_back(std::move(record));
  }
  const auto blocks = *writer->Commit("{}");
  std::size_t raw = 0;
  for (const auto& block : blocks) raw += block->raw_bytes();
  EXPECT_GE(raw, whole);
  EXPECT_EQ(Records(blocks), records);
  EXPECT_EQ(ReadAll(), records);
  EXPECT_LT(std::filesystem::file_size(Segments().front()), 120000U) << "of " << whole;
  // Going on in the same segment uses the entry that is there.
  const auto before = std::filesystem::file_size(Segments().front());
  writer.reset();
  writer = Open();
  ASSERT_TRUE(writer->Append(records[0].view()));
  ASSERT_TRUE(writer->Commit("{1}"));
  EXPECT_LT(std::filesystem::file_size(Segments().front()) - before, 500U);
  records.push_back(records[0]);
  EXPECT_EQ(ReadAll(), records);
}

TEST_F(JournalTest, ADictionaryThatIsFullLetsRecordsCarryTheirOwn) {
  auto writer = Open();
  std::vector<OwnedRecord> records;
  const std::string filling(200, 'x');
  for (std::size_t i = 0; i < kMaxDictionaryEntries + 200; ++i) {
    OwnedRecord record = Line(R"({"schema":{"type":")" + filling + std::to_string(i) + R"("},"payload":1})");
    record.format = Format::kDebezium;
    record.stream = "stream " + std::to_string(i);
    ASSERT_TRUE(writer->Append(record.view()));
    records.push_back(std::move(record));
  }
  ASSERT_TRUE(writer->Commit("{}"));
  EXPECT_EQ(ReadAll(), records);
}

TEST_F(JournalTest, ALargeRecordHasABlockOfItsOwn) {
  std::mt19937_64 random(5);
  auto writer = Open({.keep_bytes = 1 << 20});
  const std::vector<OwnedRecord> records = {Line("small"), Line(std::string(5 << 20, 'y')), Line("after")};
  for (const auto& record : records) ASSERT_TRUE(writer->Append(record.view()));
  EXPECT_THAT(*writer->Commit("{}"), IsEmpty()) << "more than it keeps";
  EXPECT_EQ(ReadAll(), records);
  ASSERT_TRUE(writer->Append(records[0].view()));
  EXPECT_EQ(writer->Commit("{2}")->size(), 1U) << "and keeps again";
  EXPECT_EQ((*(*Reader::Open(folder_))->Read({1}))->size(), 1U);
}

TEST_F(JournalTest, AnotherSourcesJournalIsRefused) {
  ASSERT_TRUE(Open()->Commit("x"));
  const auto writer = Writer::Open(folder_, "other");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, Code::kInvalid);
}

TEST_F(JournalTest, AnyCourseOfAppendsCommitsAndReopeningsIsAsAListWouldBe) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    TearDown();
    SetUp();
    std::mt19937_64 random(seed);
    const WriterOptions options{.segment_bytes = static_cast<std::int64_t>(500 + random() % 20000), .block_bytes = 1 + random() % 3000,
                                .keep_bytes = random() % 2 == 0 ? 64U << 20 : 3000};
    std::vector<OwnedRecord> committed, pending;
    std::string checkpoint;
    auto writer = Open(options);
    std::unique_ptr<Reader> reader;
    for (int step = 0; step < 60; ++step) {
      switch (random() % 5) {
        case 0:
        case 1:
          for (auto n = random() % 40; n > 0; --n) {
            pending.push_back(RandomRecord(random));
            ASSERT_EQ(writer->Append(pending.back().view())->value, committed.size() + pending.size() - 1);
          }
          break;
        case 2: {
          checkpoint = RandomBytes(random, 50);
          const auto blocks = writer->Commit(checkpoint);
          ASSERT_TRUE(blocks);
          if (!blocks->empty()) {
            ASSERT_EQ(Records(*blocks), pending);
          } else if (!pending.empty()) {
            ASSERT_EQ(options.keep_bytes, 3000U);
          }
          committed.insert(committed.end(), pending.begin(), pending.end());
          pending.clear();
          break;
        }
        case 3:
          if (random() % 3 != 0) break;
          writer.reset();
          pending.clear();
          writer = Open(options);
          ASSERT_EQ(writer->tail().end.value, committed.size());
          ASSERT_EQ(writer->tail().checkpoint, checkpoint);
          break;
        default: {
          if (reader == nullptr || random() % 10 == 0) {
            auto opened = Reader::Open(folder_);
            if (!opened) break;
            reader = *std::move(opened);
          }
          const auto tail = reader->Refresh();
          ASSERT_TRUE(tail) << tail.error().message;
          ASSERT_EQ(tail->end.value, committed.size());
          ASSERT_EQ(tail->checkpoint, checkpoint);
          for (int look = 0; look < 5 && !committed.empty(); ++look) {
            const Position at{random() % committed.size()};
            const auto block = *reader->Read(at);
            ASSERT_EQ(OwnedRecord::Of(block->record(at.value - block->begin().value)), committed[at.value]);
          }
        }
      }
    }
    writer.reset();
    ASSERT_EQ(ReadAll(), committed);
  }
}

TEST_F(JournalTest, AReaderFollowsAWriterThatRuns) {
  constexpr std::uint64_t kRecords = 20000;
  std::atomic<std::uint64_t> acknowledged{0};
  std::jthread writing([&] {
    auto writer = Open({.segment_bytes = 20000, .block_bytes = 1000});
    for (std::uint64_t i = 0; i < kRecords; ++i) {
      OwnedRecord record = Line("record " + std::to_string(i));
      record.stream = "s" + std::to_string(i / 1000);
      ASSERT_TRUE(writer->Append(record.view()));
      if (i % 100 == 99) {
        ASSERT_TRUE(writer->Commit(std::to_string(i + 1)));
        acknowledged = i + 1;
      }
    }
  });
  while (acknowledged == 0) std::this_thread::yield();
  auto reader = *Reader::Open(folder_);
  Position at{0};
  while (at.value < kRecords) {
    const std::uint64_t at_least = acknowledged;
    const auto tail = reader->Refresh();
    ASSERT_TRUE(tail) << tail.error().message;
    ASSERT_GE(tail->end.value, at_least);
    ASSERT_EQ(tail->checkpoint, std::to_string(tail->end.value));
    while (at < tail->end) {
      const auto block = reader->Read(at);
      ASSERT_TRUE(block) << block.error().message;
      ASSERT_EQ((*block)->begin(), at);
      for (std::size_t n = 0; n < (*block)->size(); ++n, ++at.value) {
        ASSERT_EQ((*block)->record(n).bytes, "record " + std::to_string(at.value));
        ASSERT_EQ((*block)->record(n).stream, "s" + std::to_string(at.value / 1000));
      }
    }
  }
}

TEST_F(JournalTest, SeveralThreadsScanOneBlockWhileTheWriterGoesOn) {
  std::mt19937_64 random(6);
  auto writer = Open({.block_bytes = 1 << 20});
  std::vector<OwnedRecord> records;
  for (int i = 0; i < 2000; ++i) {
    records.push_back(RandomRecord(random));
    ASSERT_TRUE(writer->Append(records.back().view()));
  }
  const auto blocks = *writer->Commit("{}");
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back([&] { EXPECT_EQ(Records(blocks), records); });
  for (int i = 0; i < 2000; ++i) {
    OwnedRecord record = RandomRecord(random);
    record.stream = "new stream " + std::to_string(i);
    ASSERT_TRUE(writer->Append(record.view()));
  }
  ASSERT_TRUE(writer->Commit("{2}"));
}

}  // namespace
}  // namespace nano::journal
