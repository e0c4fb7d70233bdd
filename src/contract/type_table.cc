// SPDX-License-Identifier: Apache-2.0
#include "contract/type_table.h"

#include "base/check.h"

namespace nano::contract {
namespace {

constexpr std::string_view kNumberSpecial =
    "`quarantine`: the row; `null`: NULL; `clamp`: infinity becomes the type's last or first value, NaN goes to quarantine";
constexpr std::string_view kTimeSpecial =
    "`quarantine`: the row; `null`: NULL; `clamp`: infinity becomes 9999-12-31 (23:59:59.999999), -infinity 0001-01-01";

/// A cell of a Markdown table.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

const std::vector<TypeForms>& TypeTable() {
  using enum TypeKind;
  static const std::vector<TypeForms> table = {
      {kBoolean, "boolean", "BOOLEAN", "boolean", "BOOLEAN", "boolean", "`true`, `false`; as text also `t`, `f`, in any case", "",
       "", ""},
      {kInt, "int", "INT32", "int", "INTEGER", "integer", "whole numbers of 32 bits: `12`, `+12`, `12.0`, `1.2e1`", kNumberSpecial,
       "", ""},
      {kBigint, "bigint", "INT64", "long", "BIGINT", "bigint", "whole numbers of 64 bits: `12`, `+12`, `12.0`, `1.2e1`",
       kNumberSpecial, "", ""},
      {kFloat, "float", "FLOAT", "float", "FLOAT", "real",
       "a number, taken as the nearest; `NaN`, `Infinity`, `inf`, `-Infinity` in any case", "", "", ""},
      {kDouble, "double", "DOUBLE", "double", "DOUBLE", "double precision",
       "a number, taken as the nearest; `NaN`, `Infinity`, `inf`, `-Infinity` in any case", "", "", ""},
      {kDecimal, "decimal(p,s)", "DECIMAL(p,s) as INT32, INT64 or FIXED_LEN_BYTE_ARRAY(16)", "decimal(p,s)", "DECIMAL(p,s)",
       "numeric(p,s)",
       "a number of up to 38 digits, all of which fit: `12.50`, `.5`, `5.`, `1.25e1`; a further digit after the point must be 0",
       kNumberSpecial, "", ""},
      {kString, "string", "BYTE_ARRAY (STRING)", "string", "VARCHAR", "text",
       "any text in UTF-8, the empty one too; of a JSON number, boolean, list or object its own text", "", "", ""},
      {kBinary, "binary", "BYTE_ARRAY", "binary", "BLOB", "bytea",
       "`\\x` and hexadecimal digits; from Debezium also its base64 and hex forms", "", "", ""},
      {kUuid, "uuid", "FIXED_LEN_BYTE_ARRAY(16) (UUID)", "uuid", "UUID", "uuid",
       "32 hexadecimal digits, with the four dashes or without, in any case", "",
       "Athena and Redshift do not list it, Spark reads it as text", "string"},
      {kDate, "date", "INT32 (DATE)", "date", "DATE", "date", "`2024-02-29`, `0044-03-15 BC`; with a time only if that is midnight",
       kTimeSpecial, "", ""},
      {kTime, "time", "INT64 (TIME, µs)", "time", "TIME", "time",
       "`10:00`, `10:00:00`, `10:00:00.123456`; further digits must be 0",
       "24:00 — `quarantine`: the row; `null`: NULL; `clamp`: 23:59:59.999999",
       "Spark opens no table with one, Athena and Redshift do not list it", "string"},
      {kTimestamp, "timestamp", "INT64 (TIMESTAMP, µs, not UTC)", "timestamp", "TIMESTAMP", "timestamp",
       "a date, `T` or a space, a time: `2024-02-29 10:00:00.123456`; a date alone is its midnight; a zone only if it is UTC",
       kTimeSpecial, "", ""},
      {kTimestamptz, "timestamptz", "INT64 (TIMESTAMP, µs, UTC)", "timestamptz", "TIMESTAMP WITH TIME ZONE", "timestamptz",
       "the same, always with a zone: `2024-02-29T10:00:00Z`, `+02`, `+02:00`", kTimeSpecial, "", ""},
      {kJson, "json", "BYTE_ARRAY (STRING)", "string", "VARCHAR", "jsonb", "any JSON, kept as it is written",
       "a bare `NaN` — `null`: NULL; else the row goes to quarantine", "", ""},
      {kList, "list<t>", "LIST", "list", "t[]", "t[]", "a JSON array; each element as `t`", "", "", ""},
      {kStruct, "struct<a: t, …>", "group", "struct", "STRUCT(a t, …)", "a composite type",
       "a JSON object; a field that is not there is NULL, one that the struct lacks is a mismatch", "", "", ""},
      {kMap, "map<k, v>", "MAP", "map", "MAP(k, v)", "jsonb",
       "a JSON object; its names are read as `k`, of equal ones the last counts", "", "", ""},
  };
  return table;
}

const TypeForms& FormsOf(TypeKind kind) {
  for (const auto& forms : TypeTable())
    if (forms.kind == kind) return forms;
  NANO_CHECK(false && "a type without a row");
}

std::string TypesMarkdown() {
  std::string out =
      "# Types\n\n"
      "<!-- Made by `nanohouse schema types`; a test holds it against the program. -->\n\n"
      "A column's `data_type` is one of these. Case and spaces do not matter: `Decimal( 18, 2 )` is `decimal(18,2)`; a struct's "
      "field whose\n"
      "name is not plain stands in double quotes: `struct<\"first name\": string>`.\n\n"
      "## What each is\n\n"
      "| type | Parquet | Iceberg | DuckDB | PostgreSQL |\n|---|---|---|---|---|\n";
  for (const auto& t : TypeTable())
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", Cell(t.name), Cell(t.parquet), Cell(t.iceberg), Cell(t.duckdb),
                       Cell(t.postgres));
  out +=
      "\n## What values it takes\n\n"
      "A value lands only if its column can hold it exactly. Anything else is a mismatch, and `on_type_mismatch` says what becomes "
      "of it:\n"
      "nothing is rounded, cut or guessed. The empty text is a mismatch for every type but `string`; `null` is NULL for each.\n\n"
      "| type | spellings |\n|---|---|\n";
  for (const auto& t : TypeTable()) out += fmt::format("| `{}` | {} |\n", Cell(t.name), Cell(t.spellings));
  out +=
      "\n## Special values\n\n"
      "Sources have values that a type has not: infinity, NaN, 24:00. `special_values` of the table says what becomes of them.\n\n"
      "| type | special values |\n|---|---|\n";
  for (const auto& t : TypeTable())
    if (!t.special.empty()) out += fmt::format("| `{}` | {} |\n", Cell(t.name), Cell(t.special));
  out +=
      "\nA `float` or `double` holds NaN and infinity itself.\n"
      "\n## What not every engine reads\n\n"
      "DuckDB, PyIceberg and Trino read every type from the published tables. `check` warns of these:\n\n"
      "| type | engines | declare instead |\n|---|---|---|\n";
  for (const auto& t : TypeTable())
    if (!t.unread_by.empty()) out += fmt::format("| `{}` | {} | `{}` |\n", Cell(t.name), Cell(t.unread_by), Cell(t.instead));
  out +=
      "\n## The source's own types\n\n"
      "`source_type` takes a type of the language, or the source's own name for it: `timestamp(3)`, `int unsigned`, `character "
      "varying(20)`, `text[]`.\n"
      "A type without a counterpart (interval, money, bit, ranges, composites, geometry, unconstrained numeric, …) is read as the "
      "source's own\n"
      "text, exact. Unsigned 64-bit integers are read as `decimal(20,0)`.\n";
  return out;
}

}  // namespace nano::contract
