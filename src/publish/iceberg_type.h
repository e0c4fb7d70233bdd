// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Iceberg v2's types and fields, and what each DuckLake type becomes. Values; no I/O.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nano::publish {

struct Field;

struct IcebergType {
  enum class Kind {
    kBoolean, kInt, kLong, kFloat, kDouble, kDecimal, kDate, kTime, kTimestamp, kTimestamptz, kString, kBinary, kUuid,
    kList, kMap, kStruct,
  };
  Kind kind = Kind::kString;
  int precision = 0, scale = 0;   ///< of a decimal
  std::vector<Field> fields;      ///< list: its element; map: key, value; struct: its fields

  bool operator==(const IcebergType&) const = default;
  bool nested() const { return kind >= Kind::kList; }
};

struct Field {
  int id = 0;
  std::string name;
  bool required = false;
  IcebergType type;
  std::string doc;

  bool operator==(const Field&) const = default;
};

/// The Iceberg type of one of DuckLake's primitive types (`int32`, `decimal(18,2)`); none where it has no exact one.
std::optional<IcebergType> FromDuckLake(std::string_view type);
/// Whether files written with `before` may be read as `after` by Iceberg's rules of promotion.
bool MayPromote(const IcebergType& before, const IcebergType& after);
/// `decimal(18, 2)`, `timestamptz`: a primitive type, as metadata spells it.
std::string Spelling(const IcebergType& type);
/// A type or a field, as metadata states it.
nlohmann::json ToJson(const IcebergType& type);
nlohmann::json ToJson(const Field& field);

}  // namespace nano::publish
