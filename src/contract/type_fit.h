// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Types against each other: what can hold what exactly, what a source calls its types, and how DuckDB's answer is read
/// back. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "base/data_type.h"

namespace nano::contract {

/// Why a column of type `to` can't hold every value of `from` exactly, in a few words; nothing where it can. Text is
/// read value by value (the accepted spellings), so it may become anything.
std::optional<std::string> WhyNotHeld(const DataType& to, const DataType& from);

struct SourceType {
  DataType type;         ///< what its values are read as
  bool is_known = true;  ///< false: the name is not known, its values are read as text
  bool is_opaque =
      false;  ///< a type without a counterpart (hstore, geometry, …): what its values look like depends on the source's settings
};
/// Reads `source_type`: a type of the language, or PostgreSQL's or MySQL's own (`timestamp(3)`, `int unsigned`, `text[]`).
SourceType ReadSourceType(std::string_view text);

/// Reads a type as DuckDB writes it: `DECIMAL(18,2)`, `STRUCT("a" INTEGER)[]`. Narrow integers become those that hold
/// them.  kInvalid: the language has none for it (HUGEINT, TIME_NS, INTERVAL, …).
Result<DataType> ReadSqlType(std::string_view text);

}  // namespace nano::contract
