// SPDX-License-Identifier: Apache-2.0
#include "publish/table_state.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/check.h"
#include "lake/catalog_sql.h"
#include "publish/catalog_sql.h"
#include "publish/columns.h"
#include "publish/location.h"

namespace nano::publish {
namespace {

using engine::Connection;
using engine::Rows;

std::optional<std::string> TextOrNull(const Rows& rows, std::size_t row, std::size_t column) { return rows.rows[row][column]; }

std::optional<std::int64_t> IntegerOrNull(const Rows& rows, std::size_t row, std::size_t column) {
  if (!rows.rows[row][column]) return std::nullopt;
  return rows.integer(row, column);
}

class TableReader {
 public:
  TableReader(Connection& connection, const std::filesystem::path& root, const TableAt& at) : connection_(connection), root_(root) {
    state_.at = at;
  }

  Result<TableState> Read(const std::set<std::string>& hidden) {
    TRY(ReadSnapshot());
    TRY(ReadTable());
    TRY(RefuseWhatHasNoForm());
    ASSIGN(Columns columns, ReadColumns(connection_, state_.table_id, state_.at.snapshot, hidden));
    state_.fields = std::move(columns.fields);
    state_.last_column_id = columns.last_column_id;
    state_.warnings = std::move(columns.warnings);
    TRY(ReadPartitions());
    TRY(ReadDataFiles());
    TRY(ReadPartitionValues());
    TRY(ReadDeletes());
    return std::move(state_);
  }

 private:
  Status ReadSnapshot() {
    ASSIGN(const Rows rows, connection_.Query(CatalogSql("SELECT epoch_ms(snapshot_time::TIMESTAMPTZ), next_file_id FROM {}snapshot WHERE snapshot_id = {}",
                                                         kMeta, state_.at.snapshot)));
    if (rows.empty()) return Fail(Code::kNotFound, "the lake has no snapshot {}", state_.at.snapshot);
    state_.timestamp_ms = rows.integer(0, 0);
    state_.next_file_id = rows.integer(0, 1);
    return {};
  }

  Status ReadTable() {
    const std::int64_t n = state_.at.snapshot;
    ASSIGN(const Rows rows,
           connection_.Query(CatalogSql("SELECT t.table_id, t.table_uuid::VARCHAR, s.path, s.path_is_relative::BOOLEAN, t.path, t.path_is_relative::BOOLEAN "
                                        "FROM {0}table t JOIN {0}schema s USING (schema_id) "
                                        "WHERE t.table_name = ? AND s.schema_name = ? AND {1} AND {2}",
                                        kMeta, LiveAt("t", n), LiveAt("s", n)),
                             {state_.at.table, state_.at.schema}));
    if (rows.empty()) return Fail(Code::kNotFound, "the lake has no table \"{}\".\"{}\" at snapshot {}", state_.at.schema, state_.at.table, n);
    state_.table_id = rows.integer(0, 0);
    state_.uuid = rows.text(0, 1);
    const std::filesystem::path schema = lake::CatalogPath(root_ / "lake", rows.text(0, 2), rows.text(0, 3) == "true");
    folder_ = lake::CatalogPath(schema, rows.text(0, 4), rows.text(0, 5) == "true");
    ASSIGN(const Rows comment, connection_.Query(CatalogSql("SELECT value FROM {}tag t WHERE object_id = {} AND key = 'comment' AND {}", kMeta,
                                                            state_.table_id, LiveAt("t", n))));
    if (!comment.empty()) state_.comment = comment.text(0, 0);
    return {};
  }

  /// DuckDB's lists of tables leave the catalog out, so it is asked by binding.
  Result<bool> HasTable(const std::string& name) {
    const auto bound = connection_.Describe(fmt::format("SELECT 1 FROM {}.{}", engine::Quote(kMetaDatabase), engine::Quote(name)));
    if (bound) return true;
    if (bound.error().code == Code::kInvalid) return false;
    return tl::make_unexpected(bound.error());
  }

  Status RefuseWhatHasNoForm() {
    ASSIGN(const Rows encrypted, connection_.Query(CatalogSql("SELECT count(*) FROM {}metadata WHERE key = 'encrypted' AND value = 'true'", kMeta)));
    if (encrypted.integer(0, 0) > 0) return Fail(Code::kUnsupported, "the lake is encrypted");
    ASSIGN(const Rows inlined, connection_.Query(CatalogSql("SELECT table_name FROM {}inlined_data_tables WHERE table_id = {}", kMeta, state_.table_id)));
    for (std::size_t i = 0; i < inlined.size(); ++i) {
      ASSIGN(const bool there, HasTable(inlined.text(i, 0)));
      if (!there) continue;
      ASSIGN(const Rows live, connection_.Query(fmt::format("SELECT count(*) FROM {}.{} t WHERE {}", engine::Quote(kMetaDatabase),
                                                            engine::Quote(inlined.text(i, 0)), LiveAt("t", state_.at.snapshot))));
      if (live.integer(0, 0) > 0) return Fail(Code::kUnsupported, "{} rows lie in the catalog and not in a file: flush them first", live.integer(0, 0));
    }
    return {};
  }

  Status ReadPartitions() {
    ASSIGN(const Rows keys, connection_.Query(CatalogSql("SELECT partition_id, column_id, transform FROM {}partition_column "
                                                         "WHERE table_id = {} ORDER BY partition_id, partition_key_index",
                                                         kMeta, state_.table_id)));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      state_.partitions[keys.integer(i, 0)].push_back({keys.integer(i, 1), keys.text(i, 2)});
    }
    ASSIGN(const Rows live, connection_.Query(CatalogSql("SELECT partition_id FROM {}partition_info p WHERE table_id = {} AND {}", kMeta,
                                                         state_.table_id, LiveAt("p", state_.at.snapshot))));
    if (!live.empty()) state_.partition = live.integer(0, 0);
    return {};
  }

  Status ReadDataFiles() {
    const std::int64_t n = state_.at.snapshot;
    ASSIGN(const Rows rows, connection_.Query(CatalogSql(
        "SELECT data_file_id, begin_snapshot, record_count, file_size_bytes, path, path_is_relative::BOOLEAN, partition_id, "
        "coalesce(partial_max > {}, false), mapping_id IS NOT NULL, encryption_key IS NOT NULL, lower(file_format) "
        "FROM {}data_file f WHERE table_id = {} AND {} ORDER BY data_file_id", n, kMeta, state_.table_id, LiveAt("f", n))));
    state_.data.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows.text(i, 8) == "true") return Fail(Code::kUnsupported, "files were added with a mapping of names");
      if (rows.text(i, 9) == "true") return Fail(Code::kUnsupported, "a file is encrypted");
      if (rows.text(i, 10) != "parquet") return Fail(Code::kUnsupported, "a file is not Parquet");
      state_.data.push_back({.id = rows.integer(i, 0),
                             .begin = rows.integer(i, 1),
                             .records = rows.integer(i, 2),
                             .bytes = rows.integer(i, 3),
                             .path = lake::CatalogPath(folder_, rows.text(i, 4), rows.text(i, 5) == "true"),
                             .partition = IntegerOrNull(rows, i, 6),
                             .partition_values = {},
                             .partition_lossy = false,
                             .younger_rows = rows.text(i, 7) == "true"});
    }
    return {};
  }

  DataFile* Find(std::int64_t id) {
    const auto at = std::lower_bound(state_.data.begin(), state_.data.end(), id, [](const DataFile& file, std::int64_t wanted) { return file.id < wanted; });
    return at != state_.data.end() && at->id == id ? &*at : nullptr;
  }

  Status ReadPartitionValues() {
    if (state_.partitions.empty()) return {};
    const std::string live = CatalogSql("{0}data_file f ON f.table_id = {1} AND f.data_file_id = v.data_file_id AND {2}", kMeta, state_.table_id,
                                        LiveAt("f", state_.at.snapshot));
    ASSIGN(const Rows rows, connection_.Query(CatalogSql("SELECT v.data_file_id, v.partition_key_index, v.partition_value FROM {0}file_partition_value v "
                                                         "JOIN {2} WHERE v.table_id = {1}", kMeta, state_.table_id, live)));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      DataFile* const file = Find(rows.integer(i, 0));
      if (file == nullptr || !file->partition) continue;
      const auto index = static_cast<std::size_t>(rows.integer(i, 1));
      const auto& keys = state_.partitions[*file->partition];
      if (index >= keys.size()) return Fail(Code::kCorrupt, "data file {} has a value of partition key {}, which is not there", file->id, index);
      file->partition_values.resize(keys.size());
      file->partition_values[index] = TextOrNull(rows, i, 2);
    }
    // A NULL of `year` and the like may stand for infinity: only where the column itself is NULL throughout is it one.
    ASSIGN(const Rows lossy, connection_.Query(CatalogSql(
        "SELECT DISTINCT f.data_file_id FROM {0}file_partition_value v JOIN {2} "
        "JOIN {0}partition_column c ON c.table_id = {1} AND c.partition_id = f.partition_id AND c.partition_key_index = v.partition_key_index "
        "LEFT JOIN {0}file_column_stats s ON s.table_id = {1} AND s.data_file_id = f.data_file_id AND s.column_id = c.column_id "
        "WHERE v.table_id = {1} AND v.partition_value IS NULL AND s.null_count IS DISTINCT FROM f.record_count", kMeta, state_.table_id, live)));
    for (std::size_t i = 0; i < lossy.size(); ++i) {
      if (DataFile* const file = Find(lossy.integer(i, 0))) file->partition_lossy = true;
    }
    return {};
  }

  Status ReadDeletes() {
    const std::int64_t n = state_.at.snapshot;
    ASSIGN(const Rows rows, connection_.Query(CatalogSql(
        "SELECT delete_file_id, data_file_id, begin_snapshot, path, path_is_relative::BOOLEAN, coalesce(partial_max > {}, false), "
        "lower(format), encryption_key IS NOT NULL, delete_count, file_size_bytes FROM {}delete_file d WHERE table_id = {} AND {} ORDER BY delete_file_id",
        n, kMeta, state_.table_id, LiveAt("d", n))));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (Find(rows.integer(i, 1)) == nullptr) continue;
      if (rows.text(i, 6) != "parquet") return Fail(Code::kUnsupported, "deletion vectors have no form in Iceberg v2");
      if (rows.text(i, 7) == "true") return Fail(Code::kUnsupported, "a delete file is encrypted");
      state_.deletes.push_back({.id = rows.integer(i, 0),
                                .data_file = rows.integer(i, 1),
                                .begin = rows.integer(i, 2),
                                .records = rows.integer(i, 8),
                                .bytes = rows.integer(i, 9),
                                .path = lake::CatalogPath(folder_, rows.text(i, 3), rows.text(i, 4) == "true"),
                                .by_snapshot = rows.text(i, 5) == "true"});
    }
    ASSIGN(const bool inlined, HasTable(InlinedDeletes(state_.table_id)));
    if (!inlined) return {};
    ASSIGN(const Rows counts, connection_.Query(fmt::format("SELECT file_id, count(*) FROM {}.{} WHERE begin_snapshot <= {} GROUP BY file_id ORDER BY file_id",
                                                            engine::Quote(kMetaDatabase), engine::Quote(InlinedDeletes(state_.table_id)), n)));
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (Find(counts.integer(i, 0)) != nullptr) state_.inlined_deletes[counts.integer(i, 0)] = counts.integer(i, 1);
    }
    return {};
  }

  Connection& connection_;
  std::filesystem::path root_, folder_;
  TableState state_;
};

std::optional<std::int64_t> ToInteger(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  return number;
}

/// Stands for a set of data files: it is kept in published snapshots.
template <class Count, class Sum, class Squares>
std::string FilesText(const Count& count, const Sum& of_ids, const Squares& of_their_squares) {
  return fmt::format("{}:{}:{}", count, of_ids, of_their_squares);
}

std::optional<std::string> ToText(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

}  // namespace

Result<TableState> ReadTableState(Connection& connection, const std::filesystem::path& root, const TableAt& at, const std::set<std::string>& hidden) {
  return TableReader(connection, root, at).Read(hidden);
}

Result<std::map<std::int64_t, std::string>> FilesOfSnapshots(Connection& connection, std::int64_t table_id, const std::set<std::int64_t>& snapshots) {
  std::map<std::int64_t, std::string> files;
  if (snapshots.empty()) return files;
  ASSIGN(const Rows rows, connection.Query(CatalogSql(
      "SELECT s.n, count(f.data_file_id), coalesce(sum(f.data_file_id), 0), coalesce(sum(f.data_file_id::HUGEINT * f.data_file_id), 0) "
      "FROM (SELECT unnest([{0}]) AS n) s LEFT JOIN {1}data_file f "
      "ON f.table_id = {2} AND f.begin_snapshot <= s.n AND (f.end_snapshot IS NULL OR f.end_snapshot > s.n) GROUP BY s.n",
      fmt::join(snapshots, ", "), kMeta, table_id)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    files[rows.integer(i, 0)] = FilesText(rows.text(i, 1), rows.text(i, 2), rows.text(i, 3));
  }
  return files;
}

std::string FilesOf(const TableState& state) {
  std::int64_t sum = 0;
  __int128 squares = 0;
  for (const DataFile& file : state.data) {
    sum += file.id;
    squares += static_cast<__int128>(file.id) * file.id;
  }
  return FilesText(state.data.size(), sum, squares);
}

Result<bool> OnlyCompacted(Connection& connection, std::int64_t table_id, std::int64_t after, std::int64_t until) {
  ASSIGN(const Rows rows, connection.Query(CatalogSql(
      "SELECT count(*) FILTER (change IN ('merge_adjacent:{2}', 'rewrite_delete:{2}')), "
      "count(*) FILTER (change IN ('inserted_into_table:{2}', 'deleted_from_table:{2}', 'inlined_insert:{2}', 'inlined_delete:{2}', 'altered_table:{2}')) "
      "FROM (SELECT unnest(string_split(changes_made, ',')) AS change FROM {3}snapshot_changes WHERE snapshot_id > {0} AND snapshot_id <= {1})",
      after, until, table_id, kMeta)));
  return rows.integer(0, 0) > 0 && rows.integer(0, 1) == 0;
}

Result<StatsReader> StatsReader::Open(Connection& connection, std::int64_t table_id, std::int64_t snapshot,
                                      const std::optional<std::vector<std::int64_t>>& files) {
  std::string rows = CatalogSql("(SELECT s.* FROM {0}file_column_stats s JOIN {0}data_file f ON f.table_id = {1} AND f.data_file_id = s.data_file_id AND {2} "
                                "WHERE s.table_id = {1})", kMeta, table_id, LiveAt("f", snapshot));
  if (files) {   // few of many: the catalog's own database finds them
    ASSIGN(const lake::CatalogKind kind, lake::CatalogKindOf(connection));
    rows = lake::AskCatalog(kind, CatalogSql("SELECT * FROM ducklake_file_column_stats WHERE table_id = {} AND data_file_id IN ({})", table_id,
                                             files->empty() ? "NULL" : fmt::format("{}", fmt::join(*files, ", "))));
  }
  ASSIGN(auto stream, connection.Stream(
      "SELECT data_file_id::VARCHAR, column_id::VARCHAR, column_size_bytes::VARCHAR, value_count::VARCHAR, null_count::VARCHAR, min_value::VARCHAR, "
      "max_value::VARCHAR, contains_nan::VARCHAR FROM " + rows + " ORDER BY data_file_id::BIGINT, column_id::BIGINT"));
  return StatsReader(std::move(stream));
}

Result<bool> StatsReader::Fetch() {
  if (row_ < rows_) return true;
  if (end_) return false;
  ASSIGN(rows_, stream_->Next());
  row_ = 0;
  end_ = rows_ == 0;
  return !end_;
}

Result<std::vector<ColumnStats>> StatsReader::Of(std::int64_t data_file) {
  std::vector<ColumnStats> stats;
  while (true) {
    ASSIGN(const bool there, Fetch());
    if (!there) return stats;
    const auto file = ToInteger(stream_->at(0, row_));
    if (file && *file > data_file) return stats;
    if (file && *file == data_file) {
      const auto nan = stream_->at(7, row_);
      stats.push_back({.column = ToInteger(stream_->at(1, row_)).value_or(0),
                       .bytes = ToInteger(stream_->at(2, row_)),
                       .values = ToInteger(stream_->at(3, row_)),
                       .nulls = ToInteger(stream_->at(4, row_)),
                       .least = ToText(stream_->at(5, row_)),
                       .greatest = ToText(stream_->at(6, row_)),
                       .has_no_nan = nan && (*nan == "0" || *nan == "false")});
    }
    ++row_;
  }
}

}  // namespace nano::publish
