// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One value of a primitive type: from the text in which the catalog keeps it (bounds, partition values) to Iceberg's
/// single-value bytes. What can not be read exactly is no value: a missing bound is slow, a wrong one loses rows.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "publish/iceberg_type.h"

namespace nano::publish {

__extension__ using Int128 = __int128;

/// The type says which member counts: `bytes` of string, binary and uuid; `real` of float and double; else `number`
/// (days, microseconds, the unscaled decimal, 0 or 1).
struct Datum {
  Int128 number = 0;
  double real = 0;
  std::string bytes;

  bool operator==(const Datum&) const = default;
};

/// Reads DuckDB's text of a value. None for infinity, NaN, BC, 24:00, blobs, and what is no such text.
std::optional<Datum> ParseDatum(const IcebergType& type, std::string_view text);
/// Iceberg's single-value serialization.
std::string SingleValue(const IcebergType& type, const Datum& value);
bool Less(const IcebergType& type, const Datum& left, const Datum& right);
/// Big-endian two's complement, in the least number of bytes, or in `size` of them.
std::string BigEndian(Int128 number, std::size_t size = 0);

struct Bounds {
  std::optional<std::string> lower, upper;
};
/// Bounds of a file's column from the texts of its least and greatest value: strings cut to 16 code points, the upper
/// one then incremented; -0.0 below, 0.0 above; left out where they are not known for certain.
Bounds MakeBounds(const IcebergType& type, std::string_view least, std::string_view greatest);

}  // namespace nano::publish
