// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One run of a key index: entries sorted by hash, in memory or in a mapped file with a bloom filter before them.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "lake/key_index.h"

namespace nano::lake {

/// 32 bytes, as they lie in a file (little-endian).
struct IndexEntry {
  KeyHash key;
  std::int64_t row_id = 0;
  std::uint32_t row = 0;
  std::uint32_t file = 0;     ///< index into the run's list of files
};
static_assert(sizeof(IndexEntry) == 32);

class IndexRun {
 public:
  virtual ~IndexRun() = default;
  virtual std::span<const IndexEntry> entries() const = 0;
  virtual const std::vector<std::int64_t>& files() const = 0;
  /// False: no entry has this key. True: perhaps.
  virtual bool MayHold(const KeyHash& key) const = 0;
  virtual std::size_t resident_bytes() const = 0;

  RowPlace place(const IndexEntry& entry) const { return {files()[entry.file], entry.row, entry.row_id}; }
  /// The entries of a key.
  std::span<const IndexEntry> Find(const KeyHash& key) const;
};

/// A run in memory; sorts.
std::shared_ptr<const IndexRun> MakeRun(std::vector<KeyedPlace> rows);
/// The union of runs, less the rows of files that are not `live`, in memory.
std::shared_ptr<const IndexRun> MergeInMemory(const std::vector<std::shared_ptr<const IndexRun>>& runs,
                                              const std::function<bool(std::int64_t)>& live);
/// The same, streamed into a durable file.
Status MergeToFile(const std::vector<std::shared_ptr<const IndexRun>>& runs, const std::function<bool(std::int64_t)>& live,
                   const std::filesystem::path& path);
/// Maps a file. kCorrupt: it is not a whole run; `whole` compares the checksum of its content, too.
Result<std::shared_ptr<const IndexRun>> MapRun(const std::filesystem::path& path, bool whole);

}  // namespace nano::lake
