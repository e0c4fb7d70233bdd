// SPDX-License-Identifier: Apache-2.0
#include "lake/invariants.h"

#include <fmt/format.h>

#include "lake/catalog_sql.h"
#include "lake/invariant_rules.h"

namespace nano::lake {

std::string_view ToString(Invariant invariant) {
  switch (invariant) {
    case Invariant::kRowIds: return "next_row_id";
    case Invariant::kRowIdRanges: return "row_id_ranges";
    case Invariant::kColumnBounds: return "column_bounds";
    case Invariant::kOneDeleteFile: return "one_delete_file";
    case Invariant::kDeleteCount: return "delete_count";
    case Invariant::kDeleteBegin: return "delete_begin";
    case Invariant::kFileMissing: return "file_missing";
    case Invariant::kFileSize: return "file_size";
    case Invariant::kFileRows: return "file_rows";
    case Invariant::kFileIds: return "next_file_id";
    case Invariant::kSnapshots: return "snapshots";
    case Invariant::kPartitionValues: return "partition_values";
    case Invariant::kPaths: return "paths";
    case Invariant::kPositions: return "positions";
  }
  return "";
}

Result<std::vector<CatalogTable>> LiveTables(engine::Connection& connection) {
  ASSIGN(const auto rows, connection.Query("SELECT t.table_id, s.schema_name, t.table_name FROM " + Meta("table") + " t JOIN " + Meta("schema") +
                                           " s USING (schema_id) WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL ORDER BY t.table_id"));
  std::vector<CatalogTable> out;
  for (std::size_t r = 0; r < rows.size(); ++r) out.push_back({rows.integer(r, 0), rows.text(r, 1), rows.text(r, 2)});
  return out;
}

Result<Inspection> Inspect(engine::Connection& connection, const std::filesystem::path& data, const std::function<bool()>& stop) {
  Inspection out;
  ASSIGN(const auto tables, LiveTables(connection));
  TRY(CheckCatalogRows(connection, out.violations));
  TRY(CheckPositions(connection, out.violations));
  for (const auto& table : tables) {
    if (stop && stop()) return out;
    TRY(CheckBounds(connection, data, table, out.violations));
  }
  TRY(CheckFiles(connection, data, tables, stop, out));
  return out;
}

Status Mend(Writer& writer, const Violation& violation) {
  if (!violation.mendable()) return Fail(Code::kUnsupported, "\"{}\" can't be mended from what is here", ToString(violation.invariant));
  if (violation.positions.empty()) return writer.connection().Execute(violation.mend);
  TRY(writer.Begin());
  for (const auto& [source, position] : violation.positions) {
    const Status set = writer.SetPosition(source, position);
    if (set) continue;
    writer.Rollback();
    return set;
  }
  return writer.Commit("doctor");
}

}  // namespace nano::lake
