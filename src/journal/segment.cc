// SPDX-License-Identifier: Apache-2.0
#include "journal/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "io/fault.h"
#include "journal/crc32c.h"

// check-layers: allow fdatasync (a reader makes durable what it is about to show; no write of ours follows from it)
namespace nano::journal {
namespace {

constexpr std::size_t kWindow = 64 << 10;
constexpr std::uint64_t kSector = 512;

}  // namespace

Segment::Segment(int fd, std::filesystem::path path, DecodedSegmentHeader header)
    : fd_(fd), path_(std::move(path)), header_(std::move(header)), dictionary_(std::make_shared<const Dictionary>()),
      committed_end_(header_.size), stopped_at_(header_.size), last_commit_begin_(header_.size), end_(header_.header.first) {}

Segment::~Segment() { ::close(fd_); }

Result<std::unique_ptr<Segment>> Segment::Open(const std::filesystem::path& path) {
  int fd;
  do fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    return Fail(errno == ENOENT ? Code::kNotFound : Code::kUnavailable, "could not open journal segment \"{}\": {}", path.string(), std::strerror(errno));
  }
  std::unique_ptr<Segment> segment(new Segment(fd, path, {}));
  std::string bytes(kMaxSegmentHeader, 0);
  ASSIGN(const std::size_t size, segment->ReadAt(0, bytes.data(), bytes.size()));
  bytes.resize(size);
  auto header = DecodeSegmentHeader(bytes);
  if (header && ParseSegmentName(path.filename().string()) != header->header.first) {
    return segment->Corrupt(16, "the segment's name and its first position differ");
  }
  if (!header) {
    auto error = std::move(header).error();
    error.message = fmt::format("journal segment \"{}\": {}", path.filename().string(), error.message);
    error.place = {path.string(), 0, 0};
    return tl::make_unexpected(std::move(error));
  }
  segment->fd_ = -1;   // the descriptor goes on to the real one
  return std::unique_ptr<Segment>(new Segment(fd, path, *std::move(header)));
}

tl::unexpected<Error> Segment::Corrupt(std::uint64_t at, std::string_view what) const {
  auto failure = Fail(Code::kCorrupt, "journal segment \"{}\" is damaged at byte {}: {}", path_.filename().string(), at, what);
  failure.value().place = {path_.string(), at, 0};
  return failure;
}

Result<std::size_t> Segment::ReadAt(std::uint64_t offset, char* into, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd_, into + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(Code::kUnavailable, "could not read journal segment \"{}\": {}", path_.string(), std::strerror(errno));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<std::uint64_t> Segment::FileSize() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return Fail(Code::kUnavailable, "could not read journal segment \"{}\": {}", path_.string(), std::strerror(errno));
  return static_cast<std::uint64_t>(info.st_size);
}

Status Segment::Sync() const {
  TRY(io::PassOrFail("journal.scan.sync"));
  // A file system that can't be written to has nothing to write out.
  if (::fdatasync(fd_) != 0 && errno != EROFS && errno != EINVAL) {
    return Fail(Code::kUnavailable, "could not sync journal segment \"{}\": {}", path_.string(), std::strerror(errno));
  }
  return {};
}

Status Segment::Scan(std::uint64_t limit) {
  ASSIGN(const std::uint64_t file_size, FileSize());
  const std::uint64_t size = std::min(file_size, limit);
  // Headers are 32 bytes, blocks some 50 KB: a window saves reads only where blocks are small.
  std::string window;
  std::uint64_t window_at = 0;
  const auto view = [&](std::uint64_t offset, std::size_t length) -> Result<std::string_view> {
    if (offset < window_at || offset + length > window_at + window.size()) {
      window.resize(std::max(length, std::min<std::size_t>(kWindow, offset == window_at + window.size() || length <= kFrameHeader ? kWindow : length)));
      window_at = offset;
      ASSIGN(const std::size_t got, ReadAt(offset, window.data(), window.size()));
      window.resize(got);
    }
    return std::string_view(window).substr(offset - window_at, length);
  };

  std::uint64_t at = committed_end_;
  Position position = end_;
  std::uint32_t group_crc = 0;
  std::vector<BlockPlace> blocks;
  std::shared_ptr<Dictionary> grown;   // with the entries that are not committed yet
  while (size - at >= kFrameHeader && at <= size) {
    ASSIGN(const std::string_view header_bytes, view(at, kFrameHeader));
    const auto frame = DecodeFrameHeader(header_bytes, header_.seed);
    if (!frame || frame->position != position.value || frame->stored > size - at - kFrameHeader) break;
    if (frame->type == FrameType::kBlock || frame->type == FrameType::kRawBlock) {
      if (position.value + frame->count < position.value) break;
      blocks.push_back({at + kFrameHeader, *frame});
      position.value += frame->count;
    } else if (frame->type == FrameType::kCommit && frame->raw != group_crc) {
      break;
    }
    const std::uint32_t crc_of_headers = Crc32c(header_bytes, group_crc);
    if (frame->type == FrameType::kStream || frame->type == FrameType::kSchema || frame->type == FrameType::kCommit) {
      ASSIGN(const std::string_view payload, view(at + kFrameHeader, frame->stored));
      if (payload.size() != frame->stored || Crc32c(payload) != frame->payload_crc) break;
      if (frame->type == FrameType::kCommit) {
        last_commit_begin_ = committed_end_;
        last_commit_block_ = blocks_.size();
        blocks_.insert(blocks_.end(), blocks.begin(), blocks.end());
        blocks.clear();
        if (grown != nullptr) dictionary_ = std::make_shared<const Dictionary>(*grown);
        end_ = position;
        checkpoint_ = payload;
        committed_end_ = at + kFrameHeader + frame->stored;
      } else {
        if (grown == nullptr) grown = std::make_shared<Dictionary>(*dictionary_);
        auto& list = frame->type == FrameType::kStream ? grown->streams : grown->schemas;
        if (frame->count != list.size()) break;
        list.push_back(std::make_shared<const std::string>(payload));
      }
    }
    group_crc = frame->type == FrameType::kCommit ? 0 : crc_of_headers;
    at += kFrameHeader + frame->stored;
  }
  stopped_at_ = at;
  return {};
}

Result<Memory> Segment::ReadPayload(const BlockPlace& place) const {
  Memory stored = AllocatePadded(place.frame.stored);
  ASSIGN(const std::size_t got, ReadAt(place.offset, stored.get(), place.frame.stored));
  if (got != place.frame.stored) return Corrupt(place.offset, "a block is cut off");
  if (Crc32c({stored.get(), got}) != place.frame.payload_crc) return Corrupt(place.offset, "a block's checksum is wrong");
  return stored;
}

Result<BlockPtr> Segment::Read(Position at) const {
  NANO_CHECK(first() <= at && at < end_);
  auto found = std::upper_bound(blocks_.begin(), blocks_.end(), at.value,
                                [](std::uint64_t value, const BlockPlace& place) { return value < place.frame.position; });
  NANO_CHECK(found != blocks_.begin());
  const BlockPlace& place = *--found;
  ASSIGN(auto raw, ReadPayload(place));
  if (place.frame.type == FrameType::kBlock) {
    Memory plain = AllocatePadded(place.frame.raw);
    const int size = LZ4_decompress_safe(raw.get(), plain.get(), static_cast<int>(place.frame.stored), static_cast<int>(place.frame.raw));
    if (size != static_cast<int>(place.frame.raw)) return Corrupt(place.offset, "a block does not decompress");
    raw = std::move(plain);
  }
  auto block = ParseBlock({place.frame.position}, std::move(raw), place.frame.raw, place.frame.count, dictionary_);
  if (!block) return Corrupt(place.offset, block.error().message);
  return BlockPtr(*std::move(block));
}

Status Segment::VerifyLastCommit() const {
  for (std::size_t i = last_commit_block_; i < blocks_.size(); ++i) TRY(ReadPayload(blocks_[i]));
  return {};
}

Result<Segment::Marks> Segment::FindMarks(std::uint64_t from) const {
  const std::string magic = std::string(kFrameMagic) + static_cast<char>(FrameType::kCommit);
  ASSIGN(const std::uint64_t file_size, FileSize());
  constexpr std::uint64_t kStep = 1 << 20;
  Marks marks;
  std::string chunk;
  for (std::uint64_t at = from; at < file_size; at += kStep) {
    // A header that begins before the step's end is whole in the chunk.
    chunk.resize(std::min(file_size - at, kStep + kFrameHeader));
    ASSIGN(const std::size_t got, ReadAt(at, chunk.data(), chunk.size()));
    chunk.resize(got);
    for (std::size_t i = chunk.find(magic); i != std::string::npos && i < kStep; i = chunk.find(magic, i + 1)) {
      const auto frame = DecodeFrameHeader(std::string_view(chunk).substr(i), header_.seed);
      if (!frame) continue;
      std::string payload(std::min<std::uint64_t>(frame->stored, file_size), 0);
      ASSIGN(const std::size_t size, ReadAt(at + i + kFrameHeader, payload.data(), payload.size()));
      if (size != frame->stored || Crc32c(payload) != frame->payload_crc) continue;
      if (marks.count == 0) marks.first = at + i;
      if (++marks.count == 2) return marks;
    }
  }
  return marks;
}

Result<bool> Segment::HasUnwrittenSector(std::uint64_t from, std::uint64_t to) const {
  std::string chunk;
  for (std::uint64_t at = from; at < to;) {
    const std::uint64_t next = std::min(to, (at / (kSector * 256) + 1) * (kSector * 256));
    chunk.resize(next - at);
    ASSIGN(const std::size_t got, ReadAt(at, chunk.data(), chunk.size()));
    chunk.resize(got);
    for (std::uint64_t sector = at; sector < at + got;) {
      const std::uint64_t sector_end = std::min(at + got, (sector / kSector + 1) * kSector);
      const std::string_view piece = std::string_view(chunk).substr(sector - at, sector_end - sector);
      if (piece.size() >= 16 && piece.find_first_not_of('\0') == std::string_view::npos) return true;
      sector = sector_end;
    }
    if (got < next - at) break;
    at = next;
  }
  return false;
}

Result<std::vector<Position>> ListSegments(const std::filesystem::path& folder) {
  std::vector<Position> segments;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (const auto first = ParseSegmentName(entry->path().filename().string())) segments.push_back(*first);
  }
  if (error == std::errc::no_such_file_or_directory) return Fail(Code::kNotFound, "there is no journal in \"{}\"", folder.string());
  if (error) return Fail(Code::kUnavailable, "could not list folder \"{}\": {}", folder.string(), error.message());
  std::sort(segments.begin(), segments.end());
  return segments;
}

}  // namespace nano::journal
