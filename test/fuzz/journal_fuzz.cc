// SPDX-License-Identifier: Apache-2.0
// The journal's segments: opened for writing (recovery) and read, whatever bytes they hold. The first byte chooses:
// the bytes as a segment; the same with every checksum made right, so that what lies behind it is reached; a block's
// records alone; or records that are written, cut off anywhere and read back, perhaps with the first of them folded into
// a base image.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "input.h"
#include "journal/base.h"
#include "journal/block.h"
#include "journal/crc32c.h"
#include "journal/format.h"
#include "journal/journal.h"

using namespace nano;
using namespace nano::journal;

namespace {

namespace fs = std::filesystem;

/// An empty folder, in memory where the machine has that.
class Folder {
 public:
  Folder() : path_((fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / fmt::format("nano-fuzz-{}", ::getpid())) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void Write(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Every byte of it must be readable.
void LookAt(const Record& record) {
  volatile char seen = 0;
  for (const auto view : {record.stream, record.bytes, record.key, record.headers})
    for (const char c : view) seen = c;
  (void)seen;
}

/// Reads every record there is; gives how many. Nothing: the log is damaged, and said so.
std::optional<std::uint64_t> ReadAll(const fs::path& folder) {
  auto reader = Reader::Open(folder);
  if (!reader) return std::nullopt;
  const auto tail = (*reader)->Refresh();
  if (!tail) return std::nullopt;
  std::uint64_t count = 0;
  for (Position at = (*reader)->first(); at < tail->end;) {
    const auto block = (*reader)->Read(at);
    if (!block) return std::nullopt;
    if (*block == nullptr) break;
    fuzz::Require((*block)->begin() <= at && at < (*block)->end());
    for (std::size_t n = 0; n < (*block)->size(); ++n) {
      const Record record = (*block)->record(n);
      LookAt(record);
      ++count;
    }
    at = (*block)->end();
  }
  return count;
}

/// The second half of the segments goes on after a base image that keeps every third record of the first half; a reader
/// that was open before, and one opened after it, see those and all that follow.
void FoldAndRead(const fs::path& folder) {
  std::vector<Position> firsts;
  for (const auto& entry : fs::directory_iterator(folder))
    if (const auto first = ParseSegmentName(entry.path().filename().string())) firsts.push_back(*first);
  std::sort(firsts.begin(), firsts.end());
  if (firsts.size() < 2) return;
  const Position end = firsts[firsts.size() / 2];
  auto before = Reader::Open(folder), unaware = Reader::Open(folder), feeding = Reader::Open(folder);
  fuzz::Require(before.has_value() && unaware.has_value() && feeding.has_value());
  std::uint64_t at = 0;
  BlockPtr block;
  const auto feed = [&]() -> Result<std::optional<BaseRecord>> {
    if (at >= end.value) return std::optional<BaseRecord>();
    ASSIGN(block, (*feeding)->Read({at}));
    const BaseRecord kept{Position{at}, block->record(at - block->begin().value)};
    at += 3;
    return std::optional(kept);
  };
  fuzz::Require(WriteBase(folder, "src", end, feed).has_value() && DropExpired(folder, end).has_value());
  auto after = Reader::Open(folder);
  fuzz::Require(after.has_value());
  for (Reader* reader : {before->get(), after->get()}) {
    const auto tail = reader->Refresh();
    fuzz::Require(tail.has_value());
    for (std::uint64_t n = 0; n < tail->end.value; n = block->end().value) {
      const auto read = reader->Read({n});
      fuzz::Require(read.has_value() && *read != nullptr);
      block = *read;
      for (std::uint64_t p = n; p < std::min(block->end(), end).value; ++p)
        fuzz::Require(block->has(p - block->begin().value) == (p % 3 == 0));
    }
  }
  const auto first = (*unaware)->Read({0});   // what it listed is gone
  fuzz::Require(first.has_value() && *first != nullptr && (*first)->has(0));
  fs::remove(folder / SegmentName(end));
  const auto hole = Reader::Open(folder);
  fuzz::Require(!hole.has_value() && hole.error().code == Code::kCorrupt);
}

/// Recovery, then a record more, then everything read.
void Open(const fs::path& folder, const std::string& source) {
  auto writer = Writer::Open(folder, source, {});
  if (!writer) {
    fuzz::Require(!writer.error().message.empty());
    (void)ReadAll(folder);
    return;
  }
  const Position end = (*writer)->tail().end;
  Record record;
  record.stream = "more";
  record.bytes = "{}";
  const auto at = (*writer)->Append(record);
  if (at && (*writer)->Commit("{}")) fuzz::Require(*at == end);
  (void)ReadAll(folder);
}

std::uint32_t Get32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

/// A segment of "src" whose frames are those of `text` with their sizes, sums and magic made right.
std::string Sealed(std::string_view text) {
  std::string out = EncodeSegmentHeader({"src", {0}, 7});
  const auto header = DecodeSegmentHeader(out);
  fuzz::Require(header.has_value());
  std::uint32_t group = 0;
  std::uint64_t position = 0;
  while (text.size() >= kFrameHeader) {
    FrameHeader frame;
    constexpr std::string_view kTypes = "BRSMC";
    frame.type = static_cast<FrameType>(kTypes.find(text[3]) != std::string_view::npos ? text[3] : kTypes[static_cast<unsigned char>(text[3]) % kTypes.size()]);
    frame.raw = Get32(text, 8);
    frame.count = Get32(text, 12);
    frame.position = position;
    frame.stored = Get32(text, 4) % 4096;
    text.remove_prefix(kFrameHeader);
    const std::string_view payload = text.substr(0, frame.stored);
    text.remove_prefix(payload.size());
    frame.stored = static_cast<std::uint32_t>(payload.size());
    if (frame.type == FrameType::kRawBlock) frame.raw = frame.stored;
    if (frame.type == FrameType::kBlock) frame.raw %= 1U << 20;
    if (frame.type == FrameType::kBlock || frame.type == FrameType::kRawBlock) position += frame.count;
    if (frame.type == FrameType::kCommit) frame.raw = group;
    frame.payload_crc = Crc32c(payload);
    std::array<char, kFrameHeader> encoded;
    EncodeFrameHeader(frame, header->seed, encoded.data());
    const std::string_view bytes(encoded.data(), encoded.size());
    group = frame.type == FrameType::kCommit ? 0 : Crc32c(bytes, group);
    out.append(bytes).append(payload);
  }
  return out;
}

void ReadBlock(std::string_view text) {
  if (text.empty()) return;
  auto dictionary = std::make_shared<Dictionary>();
  for (const char* name : {"orders", "customers"}) dictionary->streams.push_back(std::make_shared<const std::string>(name));
  for (const char* schema : {"{\"schema\":{},\"payload\":", ""}) dictionary->schemas.push_back(std::make_shared<const std::string>(schema));
  const std::size_t count = static_cast<unsigned char>(text[0]) % 16 + 1;
  text.remove_prefix(1);
  Memory raw = AllocatePadded(text.size());
  if (!text.empty()) std::memcpy(raw.get(), text.data(), text.size());
  const auto block = ParseBlock({5}, std::move(raw), text.size(), count, dictionary);
  if (!block) return;
  fuzz::Require((*block)->size() == count);
  for (std::size_t n = 0; n < count; ++n) LookAt((*block)->record(n));
}

/// Records in a few commits, in one segment or many; the last one is cut off somewhere: what was committed before that
/// is there, and nothing else.
void WriteAndCut(std::string_view text, const fs::path& folder) {
  struct Commit {
    std::uint64_t end, size;
    std::string segment;
  };
  if (text.size() < 3) return;
  const std::uint64_t cut = Get32(std::string(text.substr(0, 2)) + std::string(2, '\0'), 0);
  WriterOptions options;
  const bool many_segments = text[2] % 2 != 0, folds = text[2] % 32 == 31;
  if (many_segments) options.segment_bytes = 300;
  text.remove_prefix(3);
  auto writer = Writer::Open(folder, "src", options);
  fuzz::Require(writer.has_value());
  const auto last_segment = [&] {
    std::string last;
    for (const auto& entry : fs::directory_iterator(folder)) last = std::max(last, entry.path().filename().string());
    return last;
  };
  std::vector<Commit> commits;
  while (!text.empty() && commits.size() < 6) {
    for (int n = 0; n < 3 && !text.empty(); ++n) {
      Record record;
      const std::string_view part = text.substr(0, static_cast<unsigned char>(text[0]) % 64 + 1);
      text.remove_prefix(part.size());
      record.format = Format::kDebezium;
      record.stream = part.substr(0, part.size() % 5);
      record.bytes = part;
      record.has_key = part.size() % 2 == 1;
      if (record.has_key) record.key = part.substr(part.size() / 2);
      record.source_offset = part.size() * 3;
      record.committed_at = part.size() % 3 == 0 ? kNoTime : static_cast<std::int64_t>(part.size());
      fuzz::Require((*writer)->Append(record).has_value());
    }
    fuzz::Require((*writer)->Commit(fmt::format("{{\"n\":{}}}", commits.size())).has_value());
    const std::string segment = last_segment();
    commits.push_back({(*writer)->tail().end.value, fs::file_size(folder / segment), segment});
  }
  writer->reset();
  if (commits.empty()) return;
  const std::string last = last_segment();
  const std::uint64_t size = cut % (fs::file_size(folder / last) + 1);
  fs::resize_file(folder / last, size);
  std::uint64_t expected = 0;
  for (const Commit& commit : commits)
    if (commit.segment != last || commit.size <= size) expected = commit.end;
  auto again = Writer::Open(folder, "src", options);
  fuzz::Require(again.has_value() && (*again)->tail().end.value == expected);
  again->reset();
  if (expected > 0) fuzz::Require(ReadAll(folder) == expected);
  if (expected > 0 && folds) FoldAndRead(folder);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const Folder folder;
  const fuzz::Input input(data + 1, size - 1);
  for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove_all(entry.path());
  switch (data[0] % 4) {
    case 0: {
      const auto header = DecodeSegmentHeader(input.text());
      Write(folder.path() / SegmentName(header ? header->header.first : Position{0}), input.text());
      Open(folder.path(), header ? header->header.source : "src");
      break;
    }
    case 1:
      Write(folder.path() / SegmentName({0}), Sealed(input.text()));
      Open(folder.path(), "src");
      break;
    case 2: ReadBlock(input.text()); break;
    default: WriteAndCut(input.text(), folder.path()); break;
  }
  return 0;
}
