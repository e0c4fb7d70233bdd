// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the direct writer keeps of a table, and of the batch that is open. Inside lake/ only.

#include <optional>
#include <set>
#include <unordered_map>

#include "lake/direct_writer.h"

namespace nano::lake {

/// Field id of the column that holds row ids (DuckLake's, reserved).
constexpr std::int64_t kRowIdField = 2147483540;
constexpr const char* kRowIdColumn = "_ducklake_internal_row_id";
/// File ids that a batch leaves to commits of the extension in its middle.
constexpr std::int64_t kIdsLeftFree = 256;
/// Entries of a key index that wait in memory.
constexpr std::size_t kIndexInMemory = 1 << 20;
/// As many files of like size are merged; files up to this many rows are all alike.
constexpr std::int64_t kFilesOfATier = 8;
constexpr std::int64_t kSmallestTier = 10'000;

/// Hashes are spread evenly: a part of one will do for a table in memory.
struct PartOfHash {
  std::size_t operator()(const KeyHash& key) const { return static_cast<std::size_t>(key.low); }
};
using RowIdsByKey = std::unordered_map<KeyHash, std::int64_t, PartOfHash>;

struct AddedFile {
  std::int64_t id = 0;
  engine::WrittenFile written;
  std::optional<std::int64_t> row_id_start;   ///< none: row ids stand in the file
};

struct AddedDeletes {
  std::int64_t id = 0, data_file = 0, count = 0, bytes = 0, footer_bytes = 0;
  std::filesystem::path path;
};

struct DirectWriter::Table {
  TableRows rows;
  std::string inlined;                        ///< of our own tables: the catalog's table that their rows stand in
  KeyIndex* index = nullptr;

  // Of the open batch.
  std::vector<AddedFile> added;
  std::vector<AddedDeletes> deletes;
  std::vector<std::int64_t> ended_files, ended_deletes;
  std::set<std::int64_t> changed;             ///< files of which rows went
  std::map<std::int64_t, ColumnBounds> widened;
  RowIdsByKey row_ids;    ///< of rows that go and may come again
  bool inserted = false, deleted = false, rewritten = false;

  bool touched() const { return inserted || deleted || rewritten; }
};

struct DirectWriter::Batch {
  std::int64_t base = 0;                      ///< the snapshot that it follows
  std::string schema_version, next_catalog_id;
  std::int64_t first_file = 0, next_file = 0; ///< ids of data and delete files, of one sequence
  struct SmallRow {
    std::string table;
    std::vector<std::string> values;
    std::size_t key = 0;
  };
  std::vector<SmallRow> small;
  std::vector<std::filesystem::path> files;   ///< written so far
  std::vector<std::filesystem::path> dropped; ///< those of them that ended before the batch did
};

/// Registers a visitor for the time of one statement.
class DirectWriter::Visitors {
 public:
  Visitors(engine::Database& database, std::shared_ptr<engine::KeyVisitor> visitor)
      : database_(database), handle_(database.Register(std::move(visitor))) {}
  Visitors(const Visitors&) = delete;
  Visitors& operator=(const Visitors&) = delete;
  ~Visitors() { database_.Dismiss(handle_); }
  std::int64_t handle() const { return handle_; }

 private:
  engine::Database& database_;
  std::int64_t handle_;
};

/// A name that no other file has; those of ours sort by the time they were made.
std::string NewFileName(const std::string& end);
/// `"a", "b"`, or with `before` in front of each.
std::string ColumnList(const std::vector<std::string>& columns, const std::string& before = "");

}  // namespace nano::lake
