// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where the rows of a build lie, by key: a cache beside the lake (docs/formats/index.md), which can be thrown away at any
/// time and is made again from the key columns of the files. It holds sorted runs of (hash of the key, data file, place in
/// it, row id): young ones in memory, older ones in files that are mapped, each with a bloom filter. Runs of like size are
/// merged, so a look-up asks few of them. It never forgets a row of a live file, but it may name rows that were deleted
/// since and files that have ended: the caller knows which are, and takes the first candidate that lives.
/// Not for several threads at once.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/key_visitor.h"

namespace nano::lake {

using engine::KeyHash;

/// A row's place, and its row id (DuckLake's, kept over updates).
struct RowPlace {
  std::int64_t file = 0;      ///< data_file_id
  std::uint32_t row = 0;      ///< its number in the file
  std::int64_t row_id = 0;
};

struct KeyedPlace {
  KeyHash key;
  RowPlace place;
};

/// What an index is of; another one is not read.
struct IndexOf {
  std::string lake;        ///< what tells this lake from any other
  std::int64_t table = 0;
  std::string key;         ///< field ids and types of the key columns
  bool operator==(const IndexOf&) const = default;
};

struct IndexOptions {
  std::size_t merge_runs = 4;             ///< as many runs of like size become one
};

class KeyIndex {
 public:
  virtual ~KeyIndex() = default;
  /// The index in `folder`. One that is damaged, of another format or not of `of` is removed and begun anew (covers() is -1).
  static Result<std::unique_ptr<KeyIndex>> Open(const std::filesystem::path& folder, const IndexOf& of, const IndexOptions& options = {});

  virtual const IndexOf& of() const = 0;
  /// Empties it and begins anew.
  virtual Status Clear() = 0;
  virtual std::uint64_t seed() const = 0;
  /// The lake snapshot whose files are all here; -1: none.
  virtual std::int64_t covers() const = 0;
  virtual void SetCovers(std::int64_t snapshot) = 0;
  /// Adds rows, in any order.
  virtual Status Add(std::vector<KeyedPlace> rows) = 0;
  /// Takes the rows of these files out of what is in memory: a batch that was given up.
  virtual void Forget(std::int64_t first_file) = 0;
  /// Calls `found(n, place)` for every place known of keys[n], later ones first; it answers whether to look on for that key.
  virtual void Find(std::span<const KeyHash> keys, const std::function<bool(std::size_t, const RowPlace&)>& found) = 0;
  /// Writes what is in memory, merges runs, and makes it last. Rows of files that are not `live` go when runs are merged.
  virtual Status Save(const std::function<bool(std::int64_t)>& live) = 0;
  /// How many entries wait in memory; how many there are.
  virtual std::size_t unsaved() const = 0;
  virtual std::size_t size() const = 0;
  /// Bytes that are held besides mapped files.
  virtual std::size_t resident_bytes() const = 0;
};

/// Reads every run of the index in `folder` and compares its checksums.  kCorrupt: with the file's name.
Status CheckIndex(const std::filesystem::path& folder);

}  // namespace nano::lake
