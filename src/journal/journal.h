// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The event log of one source, between ingest and land: segments of framed lz4 blocks under `<local>/journal/<source>/`.
/// Format: docs/formats/journal.md. A source may be acknowledged only after Commit() has returned; what Commit()
/// covered survives a crash of the process or the host, and nothing else does: opening cuts the log back to its last
/// commit. One Writer, any number of Readers in any process.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "change/record.h"

namespace nano::journal {

/// Records that lie side by side in memory, as one block of a segment holds them. Immutable; shared by its readers.
/// The buffer is padded (kPadding readable bytes after it), so a parser may read past a record's end.
class Block {
 public:
  static constexpr std::size_t kPadding = 64;
  virtual ~Block() = default;
  virtual Position begin() const = 0;
  virtual Position end() const = 0;
  std::size_t size() const { return static_cast<std::size_t>(end().value - begin().value); }
  /// The n-th record, 0 <= n < size(). Its bytes are as they came, inline schemas put back (made on demand: costs more).
  virtual Record record(std::size_t n) const = 0;
  /// The same, but of a change with an outline its inline schema may stand in `opening`, apart from its bytes (costs nothing).
  virtual Record outlined(std::size_t n) const { return record(n); }
  /// False: the n-th record expired, and only its place is left; record(n) is then one of kind kGap.
  virtual bool has(std::size_t) const { return true; }
  /// Whether all records have the same kind, format, flags and stream, so that the first one speaks for them.
  virtual bool uniform() const = 0;
  /// Raw bytes of all records, uncompressed; what a batch is measured by.
  virtual std::size_t raw_bytes() const = 0;
};
using BlockPtr = std::shared_ptr<const Block>;
/// Whether the blocks hold all from `from` to `to`: the first may begin earlier, and none is missing between two. A commit that was too
/// large for Commit() to hand out may have come between others.
bool Cover(const std::vector<BlockPtr>& blocks, Position from, Position to);

struct Tail {
  Position end;
  std::string checkpoint;    ///< JSON that the last Commit() was given; empty where there was none
};

struct WriterOptions {
  std::int64_t segment_bytes = 64LL << 20;   ///< on disk; a segment is closed at the first commit past it
  std::size_t block_bytes = 128 << 10;       ///< raw
  std::size_t keep_bytes = 64 << 20;         ///< how much Commit() hands out from memory
};

/// Not for several threads at once.
class Writer {
 public:
  virtual ~Writer() = default;
  /// Opens the log of a source for writing, makes it if there is none, and cuts what no commit covered.
  /// kCorrupt: damage before the last commit; the place names segment and byte.
  static Result<std::unique_ptr<Writer>> Open(const std::filesystem::path& folder, const std::string& source,
                                              const WriterOptions& options = {});
  virtual const Tail& tail() const = 0;   ///< of the last commit
  /// Adds a record (its views are copied) and says which position it will have once committed.
  virtual Result<Position> Append(const Record& record) = 0;
  /// Raw bytes added since the last commit: inline schemas counted as they came, where landing must put them back.
  virtual std::size_t pending_bytes() const = 0;
  /// Makes everything added so far durable, with `checkpoint` (the ingesting source's own state, JSON), and hands out
  /// the blocks, so that landing need not read them back; none where they are more than options.keep_bytes (a Reader has
  /// them). With nothing added and the same checkpoint it does nothing.  kUnavailable: the disk refused (full, broken); nothing of
  /// it counts, and the writer must be opened again.
  virtual Result<std::vector<BlockPtr>> Commit(const std::string& checkpoint) = 0;
  /// Begins a new segment, with the checkpoint of the last commit, so that all before it can expire. Nothing may be pending.
  virtual Status Roll() = 0;
};

/// Not for several threads at once; make one for each.
class Reader {
 public:
  virtual ~Reader() = default;
  /// kNotFound: the source has no journal yet.
  static Result<std::unique_ptr<Reader>> Open(const std::filesystem::path& folder);
  /// Looks again at what is committed.
  virtual Result<Tail> Refresh() = 0;
  /// The first position that is still kept; 0 where there is a base image (journal/base.h), which is read as if it were segments.
  virtual Position first() const = 0;
  /// Where the segments begin: before it records may be missing, as only the base image has them.
  virtual Position whole_from() const = 0;
  /// The block that holds `at`, or nullptr at the tail.  kCorrupt: a checksum failed; the place says where.
  virtual Result<BlockPtr> Read(Position at) = 0;
};

}  // namespace nano::journal
