// SPDX-License-Identifier: Apache-2.0
// What the catalog's rows say of each other.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lake/catalog_sql.h"
#include "lake/invariant_rules.h"
#include "lake/reader.h"
#include "lake/table_rows.h"

namespace nano::lake {
namespace {

constexpr const char* kRestore = "Restore the catalog from a backup, or remove the table's build and land it again from the journal.";

/// One question of the whole catalog: rows of (table, data file's or delete file's path, what is wrong).
struct Rule {
  Invariant invariant;
  std::string sql;
};

std::string Named(const std::string& of) {
  return fmt::format("coalesce((SELECT max(s.schema_name || '.' || t.table_name) FROM {} t JOIN {} s USING (schema_id) WHERE t.table_id = {}.table_id), '')",
                     Meta("table"), Meta("schema"), of);
}

std::vector<Rule> Rules() {
  const std::string data = Meta("data_file"), deletes = Meta("delete_file"), head = "(SELECT max(snapshot_id) FROM " + Meta("snapshot") + ")";
  std::vector<Rule> rules;
  rules.push_back({Invariant::kRowIdRanges, fmt::format(
      "SELECT {}, path, printf('rows %d to %d of it have row ids that another live file has, too', row_id_start, row_id_start + record_count - 1) FROM ("
      "SELECT *, max(row_id_start + record_count) OVER (PARTITION BY table_id ORDER BY row_id_start, data_file_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) "
      "AS taken FROM {} WHERE end_snapshot IS NULL AND row_id_start IS NOT NULL AND record_count > 0) f WHERE taken > row_id_start", Named("f"), data)});
  rules.push_back({Invariant::kOneDeleteFile, fmt::format(
      "SELECT {}, max(d.path), printf('it has %d live delete files', count(*)) FROM {} x JOIN {} d USING (data_file_id) "
      "WHERE x.end_snapshot IS NULL GROUP BY x.table_id, data_file_id HAVING count(*) > 1", Named("x"), deletes, data)});
  rules.push_back({Invariant::kDeleteCount, fmt::format(
      "SELECT {}, x.path, printf('it deletes %d rows of a file of %d', x.delete_count, d.record_count) FROM {} x JOIN {} d USING (data_file_id) "
      "WHERE x.end_snapshot IS NULL AND d.end_snapshot IS NULL AND x.delete_count >= d.record_count", Named("x"), deletes, data)});
  rules.push_back({Invariant::kDeleteBegin, fmt::format(
      "SELECT {}, x.path, printf('it is of snapshot %d, its data file of %d', x.begin_snapshot, d.begin_snapshot) FROM {} x JOIN {} d USING (data_file_id) "
      "WHERE x.begin_snapshot < d.begin_snapshot", Named("x"), deletes, data)});
  rules.push_back({Invariant::kFileIds, fmt::format(
      "SELECT '', '', printf('next_file_id is %d, and there is a file %d', next, used) FROM (SELECT (SELECT next_file_id FROM {0} WHERE snapshot_id = {1}) AS next, "
      "greatest((SELECT max(data_file_id) FROM {2}), (SELECT max(delete_file_id) FROM {3})) AS used) WHERE used >= next", Meta("snapshot"), head, data, deletes)});
  rules.push_back({Invariant::kSnapshots, fmt::format(
      "SELECT '', '', CASE WHEN s.snapshot_id IS NULL THEN printf('snapshot %d is missing, and what it changed is there', c.snapshot_id) "
      "ELSE printf('snapshot %d does not say what it changed', s.snapshot_id) END FROM {} s FULL JOIN {} c USING (snapshot_id) "
      "WHERE s.snapshot_id IS NULL OR (c.snapshot_id IS NULL AND s.snapshot_id > 0)", Meta("snapshot"), Meta("snapshot_changes"))});
  for (const char* table : {"data_file", "delete_file", "table", "column", "view"})
    rules.push_back({Invariant::kSnapshots, fmt::format(
        "SELECT '', '', printf('a row of ducklake_{0} is of snapshot %d, and the newest one is %d', x.at, {1}) "
        "FROM (SELECT max(greatest(begin_snapshot, coalesce(end_snapshot, 0))) AS at FROM {2}) x WHERE x.at > {1}", table, head, Meta(table))});
  rules.push_back({Invariant::kPartitionValues, fmt::format(
      "SELECT {}, f.path, printf('it has %d partition values, its table is partitioned by %d', have, want) FROM ("
      "SELECT d.table_id, d.path, (SELECT count(*) FROM {} v WHERE v.data_file_id = d.data_file_id) AS have, "
      "(SELECT count(*) FROM {} c WHERE c.partition_id = p.partition_id) AS want FROM {} d JOIN {} p ON p.table_id = d.table_id AND p.end_snapshot IS NULL "
      "AND (d.partition_id = p.partition_id OR (d.partition_id IS NULL AND d.begin_snapshot > p.begin_snapshot)) WHERE d.end_snapshot IS NULL) f "
      "WHERE have <> want", Named("f"), Meta("file_partition_value"), Meta("partition_column"), data, Meta("partition_info"))});
  return rules;
}

/// Row ids of rows that stand in the catalog itself.
Status CheckInlinedRowIds(engine::Connection& connection, std::vector<Violation>& out) {
  ASSIGN(const auto tables, connection.Query("SELECT i.table_id, i.table_name, s.next_row_id, s.next_row_id IS NULL, " + Named("i") + " FROM " +
                                             Meta("inlined_data_tables") + " i LEFT JOIN " + Meta("table_stats") + " s USING (table_id)"));
  for (std::size_t r = 0; r < tables.size(); ++r) {
    ASSIGN(const auto most, connection.Query("SELECT max(row_id) FROM __ducklake_metadata_lake." + engine::Quote(tables.text(r, 1))));
    if (!most.rows[0][0] || (tables.rows[r][2] && most.integer(0, 0) < tables.integer(r, 2))) continue;
    out.push_back({Invariant::kRowIds, tables.text(r, 4), {},
                   fmt::format("next_row_id is {}, and a row {} is there", tables.rows[r][2] ? tables.text(r, 2) : "not known", most.integer(0, 0)),
                   {}, tables.rows[r][2] ? fmt::format("UPDATE {} SET next_row_id = {} WHERE table_id = {}", Meta("table_stats"), most.integer(0, 0) + 1, tables.integer(r, 0))
                                         : std::string(), {}});
  }
  return {};
}

}  // namespace

Status CheckCatalogRows(engine::Connection& connection, std::vector<Violation>& out) {
  for (const Rule& rule : Rules()) {
    ASSIGN(const auto rows, connection.Query(rule.sql));
    for (std::size_t r = 0; r < rows.size(); ++r)
      out.push_back({rule.invariant, rows.text(r, 0), rows.text(r, 1), rows.text(r, 2), kRestore, {}, {}});
  }
  return CheckInlinedRowIds(connection, out);
}

Status CheckPositions(engine::Connection& connection, std::vector<Violation>& out) {
  ASSIGN(const auto newest, connection.Query("SELECT commit_extra_info FROM " + Meta("snapshot_changes") +
                                             " WHERE commit_extra_info IS NOT NULL ORDER BY snapshot_id DESC LIMIT 1"));
  if (newest.empty()) return {};
  const auto info = nlohmann::json::parse(newest.text(0, 0), nullptr, false);
  if (!info.is_object() || !info.contains("positions")) return {};   // another program's
  const auto known = connection.Query("SELECT source, max(position) FROM lake.nanohouse.position WHERE lane = 'main' GROUP BY source ORDER BY source");
  if (!known) {
    out.push_back({Invariant::kPositions, "nanohouse.position", {}, "it can't be read: " + known.error().message, kRestore, {}, {}});
    return {};
  }
  std::map<std::string, Position> rows, said, lacking;
  for (std::size_t r = 0; r < known->size(); ++r) rows[known->text(r, 0)] = Position{static_cast<std::uint64_t>(known->integer(r, 1))};
  for (const auto& [source, position] : info["positions"].items())
    if (position.is_number_unsigned()) said[source] = Position{position.get<std::uint64_t>()};
  std::string what;
  for (const auto& [source, position] : said) {
    const auto row = rows.find(source);
    if (row != rows.end() && row->second == position) continue;
    if (row == rows.end() || row->second < position) lacking[source] = position;
    what += fmt::format("{}source \"{}\" is at {} by the newest commit, at {} by this table", what.empty() ? "" : "; ", source, position.value,
                        row == rows.end() ? "nothing" : std::to_string(row->second.value));
  }
  for (const auto& [source, position] : rows)
    if (!said.contains(source)) what += fmt::format("{}the newest commit does not name source \"{}\"", what.empty() ? "" : "; ", source);
  if (what.empty()) return {};
  const bool all = [&] {
    for (const auto& [source, position] : rows)
      if (!said.contains(source) || said.at(source) < position) return false;
    return true;
  }();
  out.push_back({Invariant::kPositions, "nanohouse.position", {}, what, all ? "Don't run `nanohouse ingest` before it is mended: rows would land twice." : kRestore,
                 {}, all ? lacking : std::map<std::string, Position>{}});
  return {};
}

Status CheckBounds(engine::Connection& connection, const std::filesystem::path& data, const CatalogTable& table, std::vector<Violation>& out) {
  ASSIGN(const CatalogKind kind, CatalogKindOf(connection));
  ASSIGN(const TableRows rows, ReadTableRows(connection, kind, data, table.schema, table.name));
  if (rows.files.empty()) return {};
  std::string lower, upper, of;
  std::map<std::int64_t, std::string> names;
  for (const auto& [path, leaf] : rows.leaves()) {
    const std::string type = leaf->sql_type();
    lower += fmt::format(" WHEN {} THEN TRY_CAST(f.min_value AS {}) < TRY_CAST(b.min_value AS {})", leaf->id, type, type);
    upper += fmt::format(" WHEN {} THEN TRY_CAST(f.max_value AS {}) > TRY_CAST(b.max_value AS {})", leaf->id, type, type);
    names[leaf->id] = path;
  }
  ASSIGN(const auto narrow, connection.Query(fmt::format(
      "SELECT column_id, coalesce(bool_or(below), false)::BIGINT, coalesce(bool_or(above), false)::BIGINT, coalesce(bool_or(nulls), false)::BIGINT, "
      "coalesce(bool_or(nans), false)::BIGINT, min(path) FROM (SELECT f.column_id, d.path, CASE f.column_id{} END AS below, CASE f.column_id{} END AS above, "
      "f.null_count > 0 AND b.contains_null::BIGINT = 0 AS nulls, f.contains_nan::BIGINT = 1 AND b.contains_nan::BIGINT = 0 AS nans FROM {} f JOIN {} d USING (data_file_id) "
      "JOIN {} b ON b.table_id = f.table_id AND b.column_id = f.column_id WHERE f.table_id = {} AND d.end_snapshot IS NULL) "
      "WHERE below OR above OR nulls OR nans GROUP BY column_id ORDER BY column_id",
      lower, upper, Meta("file_column_stats"), Meta("data_file"), Meta("table_column_stats"), table.id)));
  for (std::size_t r = 0; r < narrow.size(); ++r) {
    const std::int64_t id = narrow.integer(r, 0);
    std::string missing, set;
    const auto add = [&](std::size_t column, const char* what, const char* to) {
      if (narrow.integer(r, column) == 0) return;
      missing += (missing.empty() ? "" : ", ") + std::string(what);
      set += (set.empty() ? "" : ", ") + std::string(to);
    };
    add(1, "its least values", "min_value = NULL");   // NULL: not known
    add(2, "its greatest values", "max_value = NULL");
    add(3, "its NULLs", "contains_null = 1");
    add(4, "its NaNs", "contains_nan = 1");
    out.push_back({Invariant::kColumnBounds, table.full_name(), narrow.text(r, 5),
                   fmt::format("the statistics of column {} do not cover {}: filters would miss rows", names[id], missing), {},
                   fmt::format("UPDATE {} SET {} WHERE table_id = {} AND column_id = {}", Meta("table_column_stats"), set, table.id, id), {}});
  }
  return {};
}

}  // namespace nano::lake
