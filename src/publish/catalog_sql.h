// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Names of DuckLake's catalog tables, and the one condition that every row of it is read under.

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "lake/catalog_sql.h"

namespace nano::publish {

using lake::kMetaDatabase;
/// What stands before the name of a catalog table: `{}snapshot`.
constexpr const char* kMeta = "__ducklake_metadata_lake.ducklake_";

/// Whether the row was there at a snapshot.
inline std::string LiveAt(std::string_view alias, std::int64_t snapshot) {
  return fmt::format("({0}.begin_snapshot <= {1} AND ({0}.end_snapshot IS NULL OR {0}.end_snapshot > {1}))", alias, snapshot);
}

/// The table of the deletes that lie in the catalog itself.
inline std::string InlinedDeletes(std::int64_t table_id) { return fmt::format("ducklake_inlined_delete_{}", table_id); }

/// Only numbers, names of ours and other such SQL are put in; values are bound.
template <class... Args>
std::string CatalogSql(fmt::format_string<Args...> sql, Args&&... args) {
  return fmt::format(sql, std::forward<Args>(args)...);
}

}  // namespace nano::publish
