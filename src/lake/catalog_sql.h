// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Names of DuckLake's own tables, as our sessions see them: through the handle that DuckDB has on the catalog. A second
/// library on that file in the same process would lose its locks.

#include <filesystem>
#include <string>

#include "engine/database.h"

namespace nano::lake {

/// The database in which DuckLake shows the catalog of the lake that is attached as `lake`.
constexpr const char* kMetaDatabase = "__ducklake_metadata_lake";

/// `__ducklake_metadata_lake.ducklake_data_file`
inline std::string Meta(const std::string& table) { return std::string(kMetaDatabase) + ".ducklake_" + table; }

/// A path of the catalog: below `folder`, or one that stands for itself, perhaps as a URI.
inline std::filesystem::path CatalogPath(const std::filesystem::path& folder, const std::string& path, bool relative) {
  if (relative) return (folder / path).lexically_normal();
  return std::filesystem::path(path.starts_with("file://") ? path.substr(7) : path).lexically_normal();
}

/// Whose database the catalog is; what it is asked directly, it is asked in its own SQL.
enum class CatalogKind { kSqlite, kPostgres };

/// That of the lake that is attached.
Result<CatalogKind> CatalogKindOf(engine::Connection& connection);

/// A relation: what the catalog's own database answers to `sql`. One such question costs less than one that DuckDB plans.
inline std::string AskCatalog(CatalogKind kind, const std::string& sql) {
  return std::string(kind == CatalogKind::kPostgres ? "postgres_query" : "sqlite_query") + "('__ducklake_metadata_lake', " + engine::Literal(sql) + ")";
}

}  // namespace nano::lake
