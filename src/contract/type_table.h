// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Every type of the language, once: its form in Parquet, Iceberg, DuckDB and PostgreSQL, how its values may be spelt,
/// what becomes of special ones, and which engines can't read it. docs/reference/types.md is made from it. Constant.

#include <string>
#include <string_view>
#include <vector>

#include "base/data_type.h"

namespace nano::contract {

struct TypeForms {
  TypeKind kind;
  std::string_view name;  ///< as the language writes it: "decimal(p,s)"
  std::string_view parquet, iceberg, duckdb, postgres;
  std::string_view spellings;  ///< what a source's value may look like
  std::string_view special;    ///< what special_values says about it; empty: it has no special values
  std::string_view unread_by;  ///< which engines can't read it from the published tables; empty: all can
  std::string_view instead;    ///< the type to declare for those
};
const std::vector<TypeForms>& TypeTable();
const TypeForms& FormsOf(TypeKind kind);

/// docs/reference/types.md, whole.
std::string TypesMarkdown();

}  // namespace nano::contract
