// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The direct lane: batches whose Parquet files, delete files and catalog rows we write ourselves, by DuckLake's specification
/// (docs/adr/0017-the-direct-lane.md). A batch is gathered, its files are written and made durable, and then one transaction on the
/// catalog, through DuckDB's own handle, makes all of it visible. Old rows are found by the key index, not by a scan.
/// What is known of a table is kept from batch to batch, and read anew where someone else committed in between.
/// Not for several threads at once.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lake/build.h"
#include "lake/key_index.h"
#include "lake/lane.h"
#include "lake/table_rows.h"

namespace nano::lake {

struct DirectOptions {
  std::filesystem::path data;          ///< folder of the tables' files
  std::filesystem::path indexes;       ///< folder of the key indexes
  std::string compression = "zstd";
  std::int64_t target_file_bytes = 128LL << 20;
  CatalogKind catalog = CatalogKind::kSqlite;
  /// Waits until a commit that gave no answer is done or undone, where the catalog could still be at it.
  std::function<Status()> settle = {};
};

class DirectWriter {
 public:
  DirectWriter(engine::Database& database, engine::Connection& connection, DirectOptions options);
  ~DirectWriter();

  /// Whether batches of this build can be written here: partitioned tables, and nested columns that changed while older files
  /// are live, are left to the extension.
  Result<bool> Fits(const Build& build);

  Status Begin();
  /// Appends the rows of `select` to `schema.table`. `order`: columns by which they are sorted.
  Status Append(const std::string& schema, const std::string& table, const std::string& select, const std::vector<std::string>& order = {});
  Status Apply(const Build& build, const Staged& staged);
  /// A relation of `_n` and all columns: the row as it now is, for each row of relation `keys` (`_n` and the key's columns)
  /// that there is one for. Good until the next call.
  Result<std::string> RowsOf(const Build& build, const std::string& keys);
  /// Adds a row to one of our own tables that stand in the catalog itself; rows with the same values in its first `key`
  /// columns go. Values are text, in the table's order.
  void Put(const std::string& table, std::vector<std::string> values, std::size_t key = 0);
  /// The new snapshot's number. What Writer::Commit says of errors holds.
  Result<std::int64_t> Commit(const std::string& message, const std::string& extra_info);
  void Rollback();
  /// Lets `ddl` commit something in the middle of a batch, which then follows it.
  Status Amend(const std::function<Status()>& ddl);

  /// Merges small files of a build, and those of which much is deleted, in a commit of its own; does nothing where there is
  /// little to win.
  Status Compact(const Build& build, const std::string& extra_info);
  /// Gives up the open batch, if there is one, and saves the indexes.
  Status Close();

 private:
  struct Table;
  struct Batch;
  class Visitors;

  static bool IsDirect(const TableRows& rows, const Build& build);
  Result<Table*> Find(const std::string& schema, const std::string& table);
  Result<Table*> Small(const std::string& table);
  Result<Table*> Keyed(const Build& build);
  Status IndexFiles(Table& table, const std::vector<std::int64_t>& files, const std::vector<std::string>& key);
  Result<std::vector<std::vector<RowPlace>>> Locate(Table& table, const std::vector<KeyHash>& keys);
  Result<std::vector<KeyHash>> HashesOf(Table& table, const std::string& relation, const std::vector<std::string>& key, std::vector<std::int64_t>* tags);
  Status LoadGone(Table& table, const std::set<std::int64_t>& files);
  Status Mark(Table& table, std::int64_t file, std::uint32_t row);
  Status MarkWhere(Table& table, const std::string& before, const std::string& after);
  void EndAll(Table& table);
  void End(Table& table, std::int64_t file);
  Result<std::string> Scan(Table& table, const std::vector<std::int64_t>& files);
  enum class RowIdsFrom { kStart, kKeys, kRows };   ///< given in a row; those of the rows that go; as the rows say
  Status WriteRows(Table& table, const std::string& select, const std::vector<std::string>& order, RowIdsFrom row_ids,
                   const std::vector<std::string>& key);
  std::vector<std::int64_t> WorthMerging(const Table& table) const;
  Status WriteDeletes();
  Status Widen(Table& table, const engine::WrittenFile& file);
  Result<std::string> StatementsOf(std::int64_t snapshot, const std::string& message, const std::string& extra_info);
  Status Durable();
  /// The newest snapshot of the catalog.
  struct Newest {
    std::int64_t snapshot = 0, next_file = 0;
    std::string schema_version, next_catalog_id;
  };
  Result<Newest> ReadNewest();
  void Forget();
  void ReleaseHeld();

  engine::Database& database_;
  engine::Connection& connection_;
  DirectOptions options_;
  std::map<std::string, std::unique_ptr<Table>> tables_;      ///< by `schema.table`
  std::map<std::string, std::unique_ptr<KeyIndex>> indexes_;  ///< by the same
  std::unique_ptr<Batch> batch_;
  std::int64_t as_of_ = -1;                                   ///< snapshot that `tables_` tell of
  std::vector<std::int64_t> held_;                            ///< handles of what RowsOf() gave
};

}  // namespace nano::lake
