// SPDX-License-Identifier: Apache-2.0
#include "lake/table_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "lake/catalog_sql.h"

namespace nano::lake {
namespace {

using engine::Rows;

std::string ScalarType(const std::string& type) {
  static const std::map<std::string, std::string> kNames{
      {"int8", "TINYINT"}, {"int16", "SMALLINT"}, {"int32", "INTEGER"}, {"int64", "BIGINT"}, {"float32", "FLOAT"}, {"float64", "DOUBLE"},
      {"timestamptz", "TIMESTAMP WITH TIME ZONE"}, {"json", "VARCHAR"}};
  const auto known = kNames.find(type);
  return known == kNames.end() ? type : known->second;
}

class Reading {
 public:
  Reading(engine::Connection& connection, CatalogKind kind, const std::filesystem::path& data) : connection_(connection), kind_(kind), data_(data) {}

  Result<TableRows> Read(const std::string& schema, const std::string& table) {
    TRY(ReadTable(schema, table));
    TRY(ReadColumns());
    TRY(ReadStatistics());
    TRY(ReadFiles());
    TRY(ReadDeletes());
    TRY(ReadOddities());
    return std::move(out_);
  }

 private:
  Status ReadTable(const std::string& schema, const std::string& table) {
    ASSIGN(const Rows rows, connection_.Query(
        "SELECT t.table_id, t.table_uuid::VARCHAR, t.path, t.path_is_relative::BOOLEAN, s.path, s.path_is_relative::BOOLEAN FROM " + Meta("table") +
        " t JOIN " + Meta("schema") + " s USING (schema_id) WHERE t.table_name = ? AND s.schema_name = ? AND t.end_snapshot IS NULL", {table, schema}));
    if (rows.empty()) return Fail(Code::kNotFound, "the lake has no table {}.{}", schema, table);
    out_.id = rows.integer(0, 0);
    out_.uuid = rows.text(0, 1);
    out_.folder = CatalogPath(CatalogPath(data_, rows.text(0, 4), rows.text(0, 5) == "true"), rows.text(0, 2), rows.text(0, 3) == "true");
    return {};
  }

  Status ReadColumns() {
    ASSIGN(const Rows rows, connection_.Query(fmt::format(
        "SELECT column_id, column_name, column_type, parent_column, begin_snapshot FROM {} WHERE table_id = {} AND end_snapshot IS NULL "
        "ORDER BY column_order, column_id", Meta("column"), out_.id)));
    std::map<std::int64_t, std::vector<std::size_t>> parts;
    std::vector<std::size_t> top;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (rows.text(r, 3).empty()) top.push_back(r);
      else parts[rows.integer(r, 3)].push_back(r);
    }
    const std::function<CatalogColumn(std::size_t)> make = [&](std::size_t r) {
      CatalogColumn column{rows.integer(r, 0), rows.text(r, 1), rows.text(r, 2), rows.integer(r, 4), {}};
      for (const std::size_t part : parts[column.id]) column.parts.push_back(make(part));
      return column;
    };
    for (const std::size_t r : top) out_.columns.push_back(make(r));
    return {};
  }

  Status ReadStatistics() {
    ASSIGN(const Rows sums, connection_.Query(fmt::format("SELECT record_count, next_row_id, file_size_bytes FROM {} WHERE table_id = {}",
                                                          Meta("table_stats"), out_.id)));
    if (!sums.empty()) {
      out_.records_ever = sums.integer(0, 0);
      out_.next_row_id = sums.integer(0, 1);
      out_.bytes_ever = sums.integer(0, 2);
    }
    ASSIGN(const Rows rows, connection_.Query(fmt::format(
        "SELECT column_id, coalesce(contains_null::BOOLEAN, true), contains_nan::BOOLEAN, min_value, max_value FROM {} WHERE table_id = {}",
        Meta("table_column_stats"), out_.id)));
    const auto text = [&](std::size_t r, std::size_t c) -> std::optional<std::string> { return rows.rows[r][c]; };
    for (std::size_t r = 0; r < rows.size(); ++r) {
      ColumnBounds& bounds = out_.bounds[rows.integer(r, 0)];
      bounds.has_null = rows.text(r, 1) == "true";
      if (text(r, 2)) bounds.has_nan = *text(r, 2) == "true";
      bounds.least = text(r, 3);
      bounds.greatest = text(r, 4);
    }
    return {};
  }

  Status ReadFiles() {
    ASSIGN(const Rows rows, connection_.Query(fmt::format(
        "SELECT data_file_id, path, path_is_relative::BOOLEAN, begin_snapshot, record_count, file_size_bytes, row_id_start FROM {} "
        "WHERE table_id = {} AND end_snapshot IS NULL", Meta("data_file"), out_.id)));
    for (std::size_t r = 0; r < rows.size(); ++r) {
      LiveFile file;
      file.id = rows.integer(r, 0);
      file.path = CatalogPath(out_.folder, rows.text(r, 1), rows.text(r, 2) == "true");
      file.begin = rows.integer(r, 3);
      file.records = rows.integer(r, 4);
      file.bytes = rows.integer(r, 5);
      if (rows.rows[r][6]) file.row_id_start = rows.integer(r, 6);
      file.loaded = true;   // until a delete file says otherwise
      out_.files[file.id] = std::move(file);
    }
    return {};
  }

  Status ReadDeletes() {
    ASSIGN(const Rows rows, connection_.Query(fmt::format(
        "SELECT delete_file_id, data_file_id, path, path_is_relative::BOOLEAN, delete_count FROM {} WHERE table_id = {} AND end_snapshot IS NULL",
        Meta("delete_file"), out_.id)));
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto at = out_.files.find(rows.integer(r, 1));
      if (at == out_.files.end()) continue;
      at->second.delete_file = rows.integer(r, 0);
      at->second.delete_path = CatalogPath(out_.folder, rows.text(r, 2), rows.text(r, 3) == "true");
      at->second.deleted = rows.integer(r, 4);
      at->second.loaded = false;
    }
    return {};
  }

  Status ReadOddities() {
    ASSIGN(const Rows partition, connection_.Query(fmt::format(
        "SELECT count(*) FROM {} i JOIN {} c USING (partition_id) WHERE i.table_id = {} AND i.end_snapshot IS NULL",
        Meta("partition_info"), Meta("partition_column"), out_.id)));
    out_.partitioned = partition.integer(0, 0) > 0;
    const char* const names = kind_ == CatalogKind::kPostgres ? "(SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))) n" : "sqlite_master";
    ASSIGN(const Rows tables, connection_.Query("SELECT name FROM " + AskCatalog(kind_, fmt::format(
        "SELECT name FROM {1} WHERE name = 'ducklake_inlined_delete_{0}' OR name LIKE 'ducklake\\_inlined\\_data\\_{0}\\_%' ESCAPE '\\'", out_.id, names))));
    for (std::size_t r = 0; r < tables.size() && !out_.inlined; ++r) {
      ASSIGN(const Rows some, connection_.Query("SELECT n FROM " + AskCatalog(kind_, "SELECT count(*) AS n FROM (SELECT 1 FROM " + engine::Quote(tables.text(r, 0)) + " LIMIT 1) t")));
      out_.inlined = some.integer(0, 0) > 0;
    }
    return {};
  }

  engine::Connection& connection_;
  const CatalogKind kind_;
  const std::filesystem::path& data_;
  TableRows out_;
};

}  // namespace

std::string CatalogColumn::sql_type() const {
  if (type == "list") return parts[0].sql_type() + "[]";
  if (type == "map") return "MAP(" + parts[0].sql_type() + ", " + parts[1].sql_type() + ")";
  if (type == "struct") {
    std::string fields;
    for (const auto& part : parts) fields += (fields.empty() ? "" : ", ") + engine::Quote(part.name) + " " + part.sql_type();
    return "STRUCT(" + fields + ")";
  }
  return ScalarType(type);
}

std::int64_t CatalogColumn::newest() const {
  std::int64_t snapshot = begin;
  for (const auto& part : parts) snapshot = std::max(snapshot, part.newest());
  return snapshot;
}

const CatalogColumn* TableRows::column(const std::string& name) const {
  for (const auto& candidate : columns)
    if (candidate.name == name) return &candidate;
  return nullptr;
}

std::map<std::string, const CatalogColumn*> TableRows::leaves() const {
  std::map<std::string, const CatalogColumn*> out;
  const std::function<void(const CatalogColumn&, const std::string&)> walk = [&](const CatalogColumn& column, const std::string& above) {
    const std::string path = above + engine::Quote(column.name);
    if (column.parts.empty()) out[path] = &column;
    for (const auto& part : column.parts) walk(part, path + ".");
  };
  for (const auto& column : columns) walk(column, "");
  return out;
}

Result<SmallTable> ReadSmallTable(engine::Connection& connection, CatalogKind kind, const std::string& table) {
  ASSIGN(const Rows rows, connection.Query("SELECT * FROM " + AskCatalog(kind,
      "SELECT t.table_id, s.record_count, s.next_row_id, s.file_size_bytes, c.column_id, c.column_name, c.column_type, c.begin_snapshot, "
      "CASE WHEN b.contains_null THEN 1 ELSE 0 END AS has_null, b.min_value, b.max_value, CASE WHEN b.table_id IS NULL THEN 0 ELSE 1 END AS known, "
      "(SELECT i.table_name FROM ducklake_inlined_data_tables i WHERE i.table_id = t.table_id ORDER BY schema_version DESC LIMIT 1) AS relation "
      "FROM ducklake_table t JOIN ducklake_schema h ON h.schema_id = t.schema_id AND h.schema_name = 'nanohouse' "
      "JOIN ducklake_table_stats s ON s.table_id = t.table_id JOIN ducklake_column c ON c.table_id = t.table_id AND c.end_snapshot IS NULL "
      "LEFT JOIN ducklake_table_column_stats b ON b.table_id = t.table_id AND b.column_id = c.column_id "
      "WHERE t.end_snapshot IS NULL AND t.table_name = " + engine::Literal(table) + " ORDER BY c.column_order")));
  if (rows.empty() || rows.text(0, 12).empty()) return Fail(Code::kNotFound, "the catalog keeps no rows of nanohouse.{}", table);
  SmallTable out;
  out.relation = engine::Quote(rows.text(0, 12));
  out.rows.id = rows.integer(0, 0);
  out.rows.records_ever = rows.integer(0, 1);
  out.rows.next_row_id = rows.integer(0, 2);
  out.rows.bytes_ever = rows.integer(0, 3);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out.rows.columns.push_back({rows.integer(r, 4), rows.text(r, 5), rows.text(r, 6), rows.integer(r, 7), {}});
    if (rows.integer(r, 11) != 0)
      out.rows.bounds[rows.integer(r, 4)] = {rows.integer(r, 8) != 0, std::nullopt, rows.rows[r][9], rows.rows[r][10]};
  }
  return out;
}

Result<TableRows> ReadTableRows(engine::Connection& connection, CatalogKind kind, const std::filesystem::path& data, const std::string& schema,
                                const std::string& table) {
  return Reading(connection, kind, data).Read(schema, table);
}

}  // namespace nano::lake
