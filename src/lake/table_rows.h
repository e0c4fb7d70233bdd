// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What DuckLake's catalog says of one table at its newest snapshot, read through DuckDB's own handle on the catalog: columns
/// with their field ids, live files, what is deleted in them, statistics. The direct lane keeps it current over its commits.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lake/catalog_sql.h"
#include "engine/database.h"

namespace nano::lake {

/// A column, or a part of a nested one.
struct CatalogColumn {
  std::int64_t id = 0;
  std::string name;
  std::string type;                      ///< DuckLake's name: int64, decimal(18,2), list
  std::int64_t begin = 0;                ///< snapshot since which it is as it is
  std::vector<CatalogColumn> parts;      ///< struct: fields; list: element; map: key, value

  std::string sql_type() const;          ///< as DuckDB names it
  std::int64_t newest() const;           ///< the greatest `begin` of it and its parts
};

/// Bounds of all rows that the table ever had, as text; widened only.
struct ColumnBounds {
  bool has_null = false;
  std::optional<bool> has_nan;           ///< of floats alone
  std::optional<std::string> least, greatest;
};

struct LiveFile {
  std::int64_t id = 0;
  std::filesystem::path path;            ///< absolute
  std::int64_t begin = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  std::optional<std::int64_t> row_id_start;   ///< none: row ids stand in the file
  std::int64_t delete_file = -1;         ///< id of its live delete file
  std::filesystem::path delete_path;
  std::int64_t deleted = 0;              ///< rows of it that are gone
  bool loaded = false;                   ///< `gone` is complete
  bool changed = false;                  ///< rows went in the open batch
  std::vector<bool> gone;                ///< by row; empty while none is known

  std::int64_t live() const { return records - deleted; }
  bool IsGone(std::uint32_t row) const { return !gone.empty() && gone[row]; }
};

struct TableRows {
  std::int64_t id = 0;
  std::string uuid;
  std::filesystem::path folder;          ///< absolute; paths of new files are relative to it
  std::vector<CatalogColumn> columns;
  bool partitioned = false;
  bool inlined = false;                  ///< has rows or deletes that stand in the catalog
  std::int64_t records_ever = 0, next_row_id = 0, bytes_ever = 0;
  std::map<std::int64_t, ColumnBounds> bounds;   ///< by column id, leaves only
  std::map<std::int64_t, LiveFile> files;

  const CatalogColumn* column(const std::string& name) const;
  /// Leaves by the path that COPY's statistics use: `"a"`, `"st"."x"`.
  std::map<std::string, const CatalogColumn*> leaves() const;
};

/// One of our own tables whose rows stand in the catalog.
struct SmallTable {
  TableRows rows;          ///< without files
  std::string relation;    ///< where its rows stand, in the catalog
};
/// kNotFound: there is no such table in schema `nanohouse`, or its rows stand elsewhere.
Result<SmallTable> ReadSmallTable(engine::Connection& connection, CatalogKind kind, const std::string& table);

/// kNotFound: there is no such table.
Result<TableRows> ReadTableRows(engine::Connection& connection, CatalogKind kind, const std::filesystem::path& data, const std::string& schema,
                                const std::string& table);

}  // namespace nano::lake
