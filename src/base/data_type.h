// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The type of a column, as the schema language names it (docs/reference/types.md). A value; no I/O.
/// What each type is called in Parquet, Iceberg, DuckDB and PostgreSQL stands in contract/type_table.h.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nano {

enum class TypeKind : std::uint8_t {
  kBoolean, kInt, kBigint, kFloat, kDouble, kDecimal, kString, kBinary, kUuid, kDate, kTime, kTimestamp, kTimestamptz,
  kJson, kList, kStruct, kMap,
};

struct DataType {
  TypeKind kind = TypeKind::kString;
  std::uint8_t width = 0, scale = 0;   ///< of a decimal: digits in all (1..38), digits after the point
  std::vector<std::string> names;      ///< of a struct: its fields, one for each child
  std::vector<DataType> children;      ///< list: element; map: key, value; struct: its fields

  bool operator==(const DataType&) const = default;
  bool nested() const { return kind >= TypeKind::kList; }
};

/// Reads `decimal(18,2)`, `list<int>`, `struct<a: int, "b c": list<string>>`, `map<string, bigint>`; case and
/// spaces do not matter. kInvalid: not a type; the message names what was not understood.
Result<DataType> ParseDataType(std::string_view text);

/// A type without parameters.
DataType Scalar(TypeKind kind);
/// A decimal that holds a source's numbers of so many digits, of which `scale` stand behind the point (of a negative scale, so many
/// zeros before it); a string where no decimal here is so wide.
DataType DecimalOrText(std::int64_t digits, std::int64_t scale);

/// The language's own spelling; ParseDataType reads it back.
std::string ToString(const DataType& type);

}  // namespace nano
