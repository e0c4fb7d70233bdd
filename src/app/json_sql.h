// SPDX-License-Identifier: Apache-2.0
#pragma once
/// SQL that writes a value of any DuckDB type as JSON text, exactly. DuckDB's own to_json takes decimals of few digits
/// through a double (1.10 becomes 1.1) and prints NaN, which is no JSON. Pure functions.

#include <string>
#include <string_view>

namespace nano::app {

/// True of lists, arrays, structs, maps and unions.
bool IsNested(std::string_view duckdb_type);

/// An expression of type VARCHAR: the JSON of `expression`, whose type is `duckdb_type`; `'null'` where it is NULL.
/// Numbers keep all digits; NaN and the infinities become text; map keys become names. Types that are not known here
/// are left to to_json.
std::string JsonExpression(const std::string& expression, std::string_view duckdb_type);

}  // namespace nano::app
