// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "io/fault.h"
#include "io/files.h"
#include "journal/format.h"
#include "journal/journal.h"
#include "journal/journal_test_support.h"

namespace nano::journal {
namespace {

namespace fs = std::filesystem;
using ::testing::IsSupersetOf;

class RecoveryTest : public JournalFolder {
 protected:
  static std::string Load(const fs::path& path) { return *io::ReadFile(path); }
  static void Store(const fs::path& path, const std::string& bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << bytes;
  }
  std::vector<OwnedRecord> CommitSome(Writer& writer, std::size_t count, const std::string& checkpoint) {
    std::vector<OwnedRecord> records;
    for (std::size_t i = 0; i < count; ++i) {
      records.push_back(RandomRecord(random_));
      EXPECT_TRUE(writer.Append(records.back().view()));
    }
    EXPECT_TRUE(writer.Commit(checkpoint));
    return records;
  }
  std::mt19937_64 random_{11};
};

TEST_F(RecoveryTest, ALastCommitThatIsCutAnywhereIsCutAway) {
  auto writer = Open({.block_bytes = 300});
  std::vector<OwnedRecord> records = CommitSome(*writer, 10, "one");
  const fs::path segment = Segments().front();
  const auto begin = fs::file_size(segment);
  CommitSome(*writer, 10, "two");
  writer.reset();
  const std::string whole = Load(segment);
  for (std::size_t size = begin; size < whole.size(); ++size) {
    Store(segment, whole.substr(0, size));
    ASSERT_EQ(TailSeen().end.value, 10U) << size;
    ASSERT_EQ(ReadAll(), records) << size;
    writer = Open();
    ASSERT_EQ(writer->tail().end.value, 10U) << size;
    ASSERT_EQ(writer->tail().checkpoint, "one");
    ASSERT_EQ(fs::file_size(segment), begin);
    if (size % 16 != 0) continue;
    const OwnedRecord after = RandomRecord(random_);
    ASSERT_TRUE(writer->Append(after.view()));
    ASSERT_TRUE(writer->Commit("after"));
    auto expected = records;
    expected.push_back(after);
    ASSERT_EQ(ReadAll(), expected);
  }
}

TEST_F(RecoveryTest, RubbishBehindTheLastCommitIsCutAway) {
  auto writer = Open();
  const auto records = CommitSome(*writer, 10, "one");
  writer.reset();
  const fs::path segment = Segments().front();
  const std::string whole = Load(segment);
  for (int i = 0; i < 50; ++i) {
    Store(segment, whole + RandomBytes(random_, 3000) + std::string(random_() % 600, 0));
    ASSERT_EQ(ReadAll(), records);
    ASSERT_EQ(Open()->tail().end.value, 10U);
    ASSERT_EQ(Load(segment), whole);
  }
}

TEST_F(RecoveryTest, ALastSegmentWithATornHeaderIsRemoved) {
  auto writer = Open({.segment_bytes = 1});
  const auto records = CommitSome(*writer, 10, "one");
  writer.reset();
  const std::string header = EncodeSegmentHeader({"shop", {10}, 99});
  for (std::size_t size = 0; size <= header.size(); ++size) {
    Store(folder_ / SegmentName({10}), size == header.size() ? std::string(size, 0) : header.substr(0, size));
    ASSERT_EQ(ReadAll(), records) << size;
    ASSERT_EQ(Open()->tail().checkpoint, "one") << size;
    ASSERT_EQ(Segments().size(), 1U) << size;
  }
  Store(folder_ / SegmentName({10}), header);   // whole, but with no commit yet
  ASSERT_EQ(ReadAll(), records);
  ASSERT_EQ(TailSeen().checkpoint, "one");
  ASSERT_EQ(Open()->tail().checkpoint, "one");
  ASSERT_EQ(Open()->tail().end.value, 10U);
}

TEST_F(RecoveryTest, ACommitMarkThatReachedTheDiskBeforeItsBlocksIsCutAway) {
  auto writer = Open({.block_bytes = 4000});
  const auto records = CommitSome(*writer, 10, "one");
  const fs::path segment = Segments().front();
  const auto begin = fs::file_size(segment);
  OwnedRecord noise = Line(std::string(6000, 0));
  for (char& c : noise.bytes) c = static_cast<char>(random_() | 1);
  ASSERT_TRUE(writer->Append(noise.view()));
  ASSERT_TRUE(writer->Commit("two"));
  writer.reset();
  std::string bytes = Load(segment);
  const auto sector = (begin / 512 + 3) * 512;
  bytes.replace(sector, 512, std::string(512, 0));
  Store(segment, bytes);
  writer = Open();
  EXPECT_EQ(writer->tail().end.value, 10U);
  EXPECT_EQ(ReadAll(), records);
  // The same in bytes that were written is damage.
  ASSERT_TRUE(writer->Append(noise.view()));
  ASSERT_TRUE(writer->Commit("two"));
  writer.reset();
  bytes = Load(segment);
  bytes[sector + 100] = static_cast<char>(bytes[sector + 100] ^ 4);
  Store(segment, bytes);
  const auto opened = Writer::Open(folder_, "shop");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCorrupt);
  EXPECT_EQ(opened.error().place.in, segment.string());
  EXPECT_EQ(Load(segment), bytes) << "nothing is touched";
}

TEST_F(RecoveryTest, DamageIsReportedWithItsPlaceAndNeverReadAsData) {
  auto writer = Open({.block_bytes = 300});
  std::vector<OwnedRecord> records = CommitSome(*writer, 6, "one");
  const auto after_first = fs::file_size(Segments().front());
  for (auto& record : CommitSome(*writer, 6, "two")) records.push_back(std::move(record));
  for (auto& record : CommitSome(*writer, 6, "three")) records.push_back(std::move(record));
  writer.reset();
  const fs::path segment = Segments().front();
  const std::string whole = Load(segment);
  std::size_t refused = 0, read_refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
    Store(segment, bytes);
    const auto opened = Writer::Open(folder_, "shop");
    if (!opened) {
      ++refused;
      ASSERT_TRUE(opened.error().code == Code::kCorrupt || opened.error().code == Code::kUnsupported) << opened.error().message;
      ASSERT_EQ(opened.error().place.in, segment.string());
      ASSERT_LE(opened.error().place.at, i);
      ASSERT_EQ(Load(segment), bytes) << "nothing is touched";
      continue;
    }
    const std::uint64_t end = (*opened)->tail().end.value;
    ASSERT_TRUE(end == 18 || (end == 12 && i > after_first)) << "only the last commit's own mark may be lost, at " << i;
    auto reader = *Reader::Open(folder_);
    for (Position at{0}; at.value < end;) {
      const auto block = reader->Read(at);
      if (!block) {
        ++read_refused;
        ASSERT_EQ(block.error().code, Code::kCorrupt);
        ASSERT_EQ(block.error().place.in, segment.string());
        ASSERT_LE(block.error().place.at, i);
        break;
      }
      for (std::size_t n = 0; n < (*block)->size(); ++n) ASSERT_EQ(OwnedRecord::Of((*block)->record(n)), records[at.value + n]);
      at = (*block)->end();
    }
  }
  EXPECT_GT(refused, 200U);
  EXPECT_GT(read_refused, 200U);
}

TEST_F(RecoveryTest, AMissingSegmentInTheMiddleIsDamage) {
  auto writer = Open({.segment_bytes = 1});
  for (const char* checkpoint : {"1", "2", "3"}) CommitSome(*writer, 5, checkpoint);
  writer.reset();
  ASSERT_EQ(Segments().size(), 3U);
  fs::remove(Segments()[1]);
  auto reader = *Reader::Open(folder_);
  const auto block = reader->Read({2});
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().code, Code::kCorrupt);
}

TEST_F(RecoveryTest, AnyBytesAsSegmentsAreSurvived) {
  auto writer = Open({.segment_bytes = 3000, .block_bytes = 400});
  for (int i = 0; i < 6; ++i) CommitSome(*writer, 12, std::to_string(i));
  writer.reset();
  std::vector<std::pair<fs::path, std::string>> originals;
  for (const auto& path : Segments()) originals.emplace_back(path, Load(path));
  for (int round = 0; round < 1000; ++round) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    for (const auto& [path, original] : originals) {
      std::string bytes = original;
      switch (random_() % 6) {
        case 0: bytes = RandomBytes(random_, 500); break;
        case 1: bytes.resize(random_() % (bytes.size() + 1)); break;
        case 2: bytes.insert(random_() % bytes.size(), bytes.substr(random_() % bytes.size(), random_() % 400)); break;
        case 3: bytes.erase(random_() % bytes.size(), random_() % 400); break;
        case 4:
          for (int flips = 0; flips < 3; ++flips) bytes[random_() % bytes.size()] = static_cast<char>(random_());
          break;
        default: break;
      }
      Store(random_() % 20 == 0 ? folder_ / SegmentName({random_() % 100}) : path, bytes);
    }
    for (int side = 0; side < 2; ++side) {
      if (auto reader = Reader::Open(folder_)) {
        const auto tail = (*reader)->Refresh();
        for (Position at = (*reader)->first(); tail && at < tail->end;) {
          const auto block = (*reader)->Read(at);
          if (!block || *block == nullptr) break;
          ASSERT_EQ(Records({*block}).size(), (*block)->size());
          at = (*block)->end();
        }
      }
      if (auto again = Writer::Open(folder_, "shop")) {
        const auto appended = (*again)->Append(Line("x").view());
        ASSERT_TRUE(appended || appended.error().code == Code::kConflict);
        if (appended) {
          ASSERT_TRUE((*again)->Commit("x"));
        }
      }
    }
  }
}

// ---- Every durable step, failed and killed ----

class CrashTest : public RecoveryTest {
 protected:
  static constexpr std::size_t kBatch = 4, kBatches = 6;
  enum class Before { kNothing, kTornTail, kTornHeader };

  void SetUp() override {
    RecoveryTest::SetUp();
    std::mt19937_64 random(21);
    for (std::size_t i = 0; i < kBatch * kBatches; ++i) records_.push_back(RandomRecord(random));
  }
  void TearDown() override {
    ::unsetenv("NANOHOUSE_FAULT");
    ::unsetenv("NANOHOUSE_FAULT_LOG");
    io::ReloadFaults();
    RecoveryTest::TearDown();
  }

  void Prepare(Before before) {
    fs::remove_all(folder_.parent_path());
    fs::remove(root_ / "acknowledged");
    if (before == Before::kNothing) return;
    {
      auto writer = Open({.segment_bytes = before == Before::kTornHeader ? 1 : 1LL << 20});
      for (std::size_t i = 0; i < kBatch; ++i) ASSERT_TRUE(writer->Append(records_[i].view()));
      ASSERT_TRUE(writer->Commit(std::to_string(kBatch)));
    }
    if (before == Before::kTornTail) Store(Segments().front(), Load(Segments().front()) + "NHFB rubbish");
    else Store(folder_ / SegmentName({kBatch}), "NHJRNL");
  }

  /// Appends what is missing, batch by batch, noting what was acknowledged; after a failure it opens the journal again.
  /// False: it did not get to the end.
  bool Ingest() {
    for (int attempt = 0; attempt < 4; ++attempt) {
      auto writer = Writer::Open(folder_, "shop", {.segment_bytes = 900, .block_bytes = 256});
      if (!writer) continue;
      std::size_t at = (*writer)->tail().end.value;
      bool failed = at % kBatch != 0 || (at > 0 && (*writer)->tail().checkpoint != std::to_string(at));
      if (failed) return false;
      while (at < records_.size() && !failed) {
        for (std::size_t n = 0; n < kBatch && !failed; ++n) failed = !(*writer)->Append(records_[at + n].view());
        failed = failed || !(*writer)->Commit(std::to_string(at + kBatch));
        if (!failed) {
          at += kBatch;
          Store(root_ / "acknowledged", std::to_string(at));
        } else if ((*writer)->Append(records_[at].view())) {
          return false;   // a writer that failed must refuse
        }
      }
      if (!failed) return true;
    }
    return false;
  }

  /// Runs Ingest() in a process of its own with a fault set; how it ended.
  int IngestWith(const std::string& fault, const std::string& log = {}) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (!fault.empty()) ::setenv("NANOHOUSE_FAULT", fault.c_str(), 1);
      if (!log.empty()) ::setenv("NANOHOUSE_FAULT_LOG", log.c_str(), 1);
      io::ReloadFaults();
      ::_exit(Ingest() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
  }

  std::vector<OwnedRecord> records_;
};

TEST_F(CrashTest, WhateverStepFailsOrDiesEveryRecordIsThereOnce) {
  std::set<std::string> points;
  int kills = 0;
  for (const Before before : {Before::kNothing, Before::kTornTail, Before::kTornHeader}) {
    Prepare(before);
    const fs::path log = root_ / "points";
    fs::remove(log);
    ASSERT_EQ(IngestWith("", log.string()), 0);
    std::istringstream lines(Load(log));
    std::set<std::string> passed;
    for (std::string line; std::getline(lines, line);) passed.insert(line);
    points.insert(passed.begin(), passed.end());
    for (const auto& point : passed) {
      for (const std::string action : {"kill", "eio", "enospc", "short"}) {
        for (int passing = 1; passing <= (action == "kill" ? 100 : 3); ++passing) {
          const std::string fault = fmt::format("{}:{}={}", point, passing, action);
          Prepare(before);
          const int status = IngestWith(fault);
          const bool killed = WIFSIGNALED(status);
          ASSERT_TRUE(killed ? WTERMSIG(status) == SIGKILL && action == "kill" : status == 0) << fault << " status " << status;
          if (action == "kill" && !killed) break;   // it is not passed that often
          kills += killed ? 1 : 0;
          const auto seen = ReadAll();
          const std::string acknowledged = fs::exists(root_ / "acknowledged") ? Load(root_ / "acknowledged") : "0";
          ASSERT_GE(seen.size(), std::stoul(acknowledged)) << fault;
          ASSERT_EQ(seen.size() % kBatch, 0U) << fault;
          ASSERT_TRUE(std::equal(seen.begin(), seen.end(), records_.begin())) << fault;
          ASSERT_TRUE(Ingest()) << fault;
          ASSERT_EQ(ReadAll(), records_) << fault;
        }
      }
    }
  }
  EXPECT_THAT(points, IsSupersetOf({"journal.mkdir", "journal.folder", "journal.segment.write", "journal.segment.sync", "journal.segment.folder",
                                    "journal.write", "journal.sync", "journal.truncate", "journal.remove", "journal.remove.folder", "journal.recover.sync", "journal.recover.folder"}));
  EXPECT_GT(kills, 100);
}

TEST_F(CrashTest, AFailureBehindTheBackOfAnAppendIsReportedAndNothingOfItCounts) {
  const OwnedRecord record = Line(RandomBytes(random_, 0) + std::string(50000, 'x') + fmt::format("{}", random_()));
  for (const int passing : {1, 2, 7}) {
    Prepare(Before::kNothing);
    auto writer = Open();
    const auto before = CommitSome(*writer, 5, "before");
    ::setenv("NANOHOUSE_FAULT", fmt::format("journal.write:{}=short", passing).c_str(), 1);
    io::ReloadFaults();
    bool failed = false;
    for (int i = 0; i < 500 && !failed; ++i) failed = !writer->Append(record.view());
    failed = failed || !writer->Commit("after");
    ASSERT_TRUE(failed) << passing;
    EXPECT_EQ(writer->Commit("again").error().code, Code::kUnavailable);
    EXPECT_EQ(ReadAll(), before);
    writer = Open();
    EXPECT_EQ(writer->tail().checkpoint, "before");
    ASSERT_TRUE(writer->Append(record.view()));
    ASSERT_TRUE(writer->Commit("after"));
    EXPECT_EQ(ReadAll().size(), 6U);
  }
}

}  // namespace
}  // namespace nano::journal
