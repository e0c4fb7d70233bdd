// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What DuckLake's catalog says of one table at one snapshot, read in one transaction. Everything that is published is
/// a function of it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/database.h"
#include "publish/iceberg_type.h"

namespace nano::publish {

/// A table of the lake, and the cut at which it is meant.
struct TableAt {
  std::string schema, table;
  std::int64_t snapshot = 0;
};

struct DataFile {
  std::int64_t id = 0, begin = 0, records = 0, bytes = 0;
  std::filesystem::path path;
  std::optional<std::int64_t> partition;                          ///< DuckLake's partition_id
  std::vector<std::optional<std::string>> partition_values;       ///< by key index
  bool partition_lossy = false;     ///< a value is NULL for rows that are not (infinity): no partition of Iceberg's
  bool younger_rows = false;        ///< a merged file with rows of later snapshots than this one
};

struct DeleteFile {
  std::int64_t id = 0, data_file = 0, begin = 0, records = 0, bytes = 0;
  std::filesystem::path path;
  bool by_snapshot = false;         ///< holds the deletes of several snapshots, some later than this one
};

struct PartitionKey {
  std::int64_t column = 0;
  std::string transform;            ///< `identity`, `year`, `bucket(16)`
};

struct TableState {
  TableAt at;
  std::int64_t table_id = 0;
  std::string uuid, comment;
  std::int64_t timestamp_ms = 0;
  std::int64_t next_file_id = 0;    ///< files of later snapshots, and later merges, have this id or a higher one
  std::int64_t last_column_id = 0;
  std::vector<Field> fields;        ///< as published: without hidden columns
  std::vector<DataFile> data;       ///< by id
  std::vector<DeleteFile> deletes;
  std::map<std::int64_t, std::int64_t> inlined_deletes;           ///< how many, by data file
  std::map<std::int64_t, std::vector<PartitionKey>> partitions;   ///< by partition_id, keys by index
  std::optional<std::int64_t> partition;                          ///< the one in force
  std::vector<std::string> warnings;
};

/// kNotFound: no such table at that snapshot.  kUnsupported: it can't be published exactly; the message says why.
/// `root` holds the lake's folder `lake/`. `hidden` names top-level columns that are not published.
Result<TableState> ReadTableState(engine::Connection& connection, const std::filesystem::path& root, const TableAt& at,
                                  const std::set<std::string>& hidden);

/// For each snapshot, a text that stands for the set of data files that the table has in it, by what the catalog says
/// now. It changes when compaction or expiry takes a file away, and then that snapshot can't be read any longer.
Result<std::map<std::int64_t, std::string>> FilesOfSnapshots(engine::Connection& connection, std::int64_t table_id,
                                                             const std::set<std::int64_t>& snapshots);
/// The same of a state that was read.
std::string FilesOf(const TableState& state);

/// Whether nothing but compaction happened to the table after snapshot `after`, up to `until`.
Result<bool> OnlyCompacted(engine::Connection& connection, std::int64_t table_id, std::int64_t after, std::int64_t until);

/// Reads one value a leaf column and file, in order of file and column.
struct ColumnStats {
  std::int64_t column = 0;
  std::optional<std::int64_t> bytes, values, nulls;
  std::optional<std::string> least, greatest;
  bool has_no_nan = false;          ///< said so; never merely unknown
};

class StatsReader {
 public:
  /// Of all files at `snapshot`, or of those in `files` alone.
  static Result<StatsReader> Open(engine::Connection& connection, std::int64_t table_id, std::int64_t snapshot,
                                  const std::optional<std::vector<std::int64_t>>& files);
  /// The stats of a file. Ask in order of id; files without stats give none.
  Result<std::vector<ColumnStats>> Of(std::int64_t data_file);

 private:
  explicit StatsReader(std::unique_ptr<engine::TextStream> stream) : stream_(std::move(stream)) {}
  Result<bool> Fetch();

  std::unique_ptr<engine::TextStream> stream_;
  std::size_t row_ = 0, rows_ = 0;
  bool end_ = false;
};

}  // namespace nano::publish
