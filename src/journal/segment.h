// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One segment file as its readers see it: which of its blocks are committed, where they lie, what they refer to. Frame
/// headers are read, payloads only where they are needed. Used by the Reader, and by the Writer when it recovers.
/// Not for several threads.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "journal/block.h"
#include "journal/format.h"
#include "journal/journal.h"

namespace nano::journal {

class Segment {
 public:
  /// kNotFound: no such file; kCorrupt: its header is torn or damaged, or isn't the file name's.
  static Result<std::unique_ptr<Segment>> Open(const std::filesystem::path& path);
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();

  /// Takes in what was committed since the last scan; stops before byte `limit`.
  Status Scan(std::uint64_t limit = ~0ULL);
  /// Byte at which the last scan stopped: the file's end, or the first frame that isn't whole.
  std::uint64_t stopped_at() const { return stopped_at_; }

  const std::filesystem::path& path() const { return path_; }
  const std::string& source() const { return header_.header.source; }
  Position first() const { return header_.header.first; }
  Position end() const { return end_; }                  ///< of its last commit; first() where it has none
  bool has_commit() const { return committed_end_ > header_.size; }
  const std::string& checkpoint() const { return checkpoint_; }
  std::uint64_t committed_end() const { return committed_end_; }   ///< byte after its last commit
  const DictionaryPtr& dictionary() const { return dictionary_; }
  std::uint32_t seed() const { return header_.seed; }
  Result<std::uint64_t> FileSize() const;

  /// The committed block that holds `at`, first() <= at < end().  kCorrupt.
  Result<BlockPtr> Read(Position at) const;
  /// Makes durable what was scanned, before anything is done with it.
  Status Sync() const;

  // For recovery.
  /// Byte where the last commit's frames begin, and what is wrong with their payloads, if anything.
  std::uint64_t last_commit_begin() const { return last_commit_begin_; }
  Status VerifyLastCommit() const;
  /// The intact commit marks that begin in the bytes from `from` on: how many (two is "more than one"), and the first.
  struct Marks {
    int count = 0;
    std::uint64_t first = 0;
  };
  Result<Marks> FindMarks(std::uint64_t from) const;
  /// Whether some sector in the bytes from..to was never written: it holds only zeros, which no frame does.
  Result<bool> HasUnwrittenSector(std::uint64_t from, std::uint64_t to) const;

 private:
  struct BlockPlace {
    std::uint64_t offset = 0;      ///< of the payload
    FrameHeader frame;
  };

  Segment(int fd, std::filesystem::path path, DecodedSegmentHeader header);
  /// Up to `size` bytes; fewer at the file's end.
  Result<std::size_t> ReadAt(std::uint64_t offset, char* into, std::size_t size) const;
  Result<Memory> ReadPayload(const BlockPlace& place) const;
  tl::unexpected<Error> Corrupt(std::uint64_t at, std::string_view what) const;

  int fd_;
  std::filesystem::path path_;
  DecodedSegmentHeader header_;
  DictionaryPtr dictionary_;
  std::vector<BlockPlace> blocks_;
  std::uint64_t committed_end_ = 0, stopped_at_ = 0, last_commit_begin_ = 0;
  std::size_t last_commit_block_ = 0;
  Position end_;
  std::string checkpoint_;
};

/// The first positions of the segments in a folder, ascending.  kNotFound: no such folder.
Result<std::vector<Position>> ListSegments(const std::filesystem::path& folder);

}  // namespace nano::journal
