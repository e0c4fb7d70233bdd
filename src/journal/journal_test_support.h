// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A folder with a journal for a test, and records to put into it.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "journal/journal.h"

namespace nano::journal {

/// A record that owns its bytes and compares by all its fields.
struct OwnedRecord {
  RecordKind kind = RecordKind::kData;
  Format format = Format::kSinger;
  std::uint8_t flags = 0;
  std::string stream, bytes, key;
  bool has_key = false, has_value = true;
  std::string headers;
  std::uint64_t source_offset = 0;
  std::int64_t committed_at = kNoTime, ingested_at = kNoTime;

  bool operator==(const OwnedRecord&) const = default;

  static OwnedRecord Of(const Record& r) {
    return {r.kind, r.format, r.flags, std::string(r.stream), std::string(r.bytes), std::string(r.key), r.has_key, r.has_value,
            std::string(r.headers), r.source_offset, r.committed_at, r.ingested_at};
  }
  Record view() const {
    Record r;
    r.kind = kind;
    r.format = format;
    r.flags = flags;
    r.stream = stream;
    r.bytes = bytes;
    r.key = key;
    r.has_key = has_key;
    r.has_value = has_value;
    r.headers = headers;
    r.source_offset = source_offset;
    r.committed_at = committed_at;
    r.ingested_at = ingested_at;
    return r;
  }
};

inline void PrintTo(const OwnedRecord& r, std::ostream* out) {
  *out << "{" << r.stream << " " << r.bytes.substr(0, 40) << " key " << r.key.substr(0, 40) << " at " << r.source_offset << "}";
}

inline OwnedRecord Line(std::string bytes) {
  OwnedRecord record;
  record.stream = "orders";
  record.bytes = std::move(bytes);
  return record;
}

inline std::string RandomBytes(std::mt19937_64& random, std::size_t longest) {
  std::string bytes(random() % (longest + 1), 0);
  const bool text = random() % 2 == 0;
  for (char& c : bytes) c = text ? static_cast<char>('a' + random() % 4) : static_cast<char>(random());
  return bytes;
}

/// Any record, now and then with an inline schema of one of a few texts, or something that looks like one.
inline OwnedRecord RandomRecord(std::mt19937_64& random) {
  const auto schema = [&] {
    const auto n = random() % 6;
    return R"({"schema":{"type":"struct","fields":[{"type":"string","optional":true,"field":"a{}\"]\\)" + std::to_string(n) + R"("},)" +
           std::string(n * 20, ' ') + R"({"type":"int32","optional":false,"field":"before"}],"name":"x"})";
  };
  const auto body = [&](std::size_t longest) {
    switch (random() % 6) {
      case 0: return schema() + R"(,"payload":{"a":"ü")" + RandomBytes(random, 40) + "}}";
      case 1: return schema();
      case 2: return schema().substr(0, random() % 150);
      default: return RandomBytes(random, longest);
    }
  };
  OwnedRecord record;
  record.kind = static_cast<RecordKind>(1 + random() % 12);
  record.format = random() % 2 == 0 ? Format::kSinger : Format::kDebezium;
  record.flags = static_cast<std::uint8_t>(random() % 4);
  if (random() % 8 != 0) record.stream = "inv." + std::string(random() % 5, '"') + "t";
  record.has_value = random() % 8 != 0;
  if (record.has_value) record.bytes = body(random() % 20 == 0 ? 5000 : 100);
  record.has_key = random() % 2 == 0;
  if (record.has_key) record.key = body(20);
  if (random() % 3 == 0) record.headers = RandomBytes(random, 30);
  record.source_offset = random() % 3 == 0 ? random() : random() % 1000;
  if (random() % 3 != 0) record.committed_at = static_cast<std::int64_t>(random());
  if (random() % 3 != 0) record.ingested_at = 1700000000000000 + static_cast<std::int64_t>(random() % 1000);
  return record;
}

inline std::vector<OwnedRecord> Records(const std::vector<BlockPtr>& blocks) {
  std::vector<OwnedRecord> records;
  for (const auto& block : blocks) {
    for (std::size_t n = 0; n < block->size(); ++n) records.push_back(OwnedRecord::Of(block->record(n)));
  }
  return records;
}

class JournalFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    // In memory where there is such a place: these tests end processes, not power, and sync thousands of times.
    const std::filesystem::path base = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = (base / "nano-journal-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    folder_ = root_ / "local" / "journal" / "shop";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::unique_ptr<Writer> Open(const WriterOptions& options = {}) {
    auto writer = Writer::Open(folder_, "shop", options);
    if (!writer) {
      ADD_FAILURE() << writer.error().message;
      return nullptr;
    }
    return *std::move(writer);
  }
  Tail TailSeen() {
    auto reader = Reader::Open(folder_);
    if (!reader) return {};
    auto tail = (*reader)->Refresh();
    EXPECT_TRUE(tail);
    return tail ? *tail : Tail{};
  }
  /// Everything that a reader sees; nothing where there is no journal.
  std::vector<OwnedRecord> ReadAll() {
    auto reader = Reader::Open(folder_);
    if (!reader) {
      EXPECT_EQ(reader.error().code, Code::kNotFound) << reader.error().message;
      return {};
    }
    EXPECT_TRUE((*reader)->Refresh());
    std::vector<OwnedRecord> records;
    for (Position at = (*reader)->first();;) {
      auto block = (*reader)->Read(at);
      if (!block) {
        ADD_FAILURE() << block.error().message;
        return records;
      }
      if (*block == nullptr) return records;
      EXPECT_LE((*block)->begin(), at);
      for (auto n = static_cast<std::size_t>(at.value - (*block)->begin().value); n < (*block)->size(); ++n) {
        records.push_back(OwnedRecord::Of((*block)->record(n)));
      }
      at = (*block)->end();
    }
  }
  std::vector<std::filesystem::path> Segments() {
    std::vector<std::filesystem::path> paths;
    if (!std::filesystem::exists(folder_)) return paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  std::filesystem::path root_, folder_;
};

}  // namespace nano::journal
