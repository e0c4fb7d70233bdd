// SPDX-License-Identifier: Apache-2.0
#include "publish/iceberg_type.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

namespace nano::publish {

using Kind = IcebergType::Kind;

std::optional<IcebergType> FromDuckLake(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, Kind>, 15> kPlain = {{
      {"boolean", Kind::kBoolean}, {"int8", Kind::kInt}, {"int16", Kind::kInt}, {"int32", Kind::kInt}, {"int64", Kind::kLong},
      {"float32", Kind::kFloat}, {"float64", Kind::kDouble}, {"date", Kind::kDate}, {"time", Kind::kTime},
      {"timestamp", Kind::kTimestamp}, {"timestamptz", Kind::kTimestamptz}, {"varchar", Kind::kString},
      {"json", Kind::kString}, {"blob", Kind::kBinary}, {"uuid", Kind::kUuid},
  }};
  for (const auto& [name, kind] : kPlain) {
    if (name == type) return IcebergType{kind, 0, 0, {}};
  }
  constexpr std::string_view kDecimal = "decimal(";
  if (!type.starts_with(kDecimal)) return std::nullopt;
  IcebergType decimal{Kind::kDecimal, 0, 0, {}};
  const char* const end = type.data() + type.size();
  const auto width = std::from_chars(type.data() + kDecimal.size(), end, decimal.precision);
  if (width.ec != std::errc() || width.ptr == end || *width.ptr != ',') return std::nullopt;
  const char* digit = width.ptr + 1;
  while (digit != end && *digit == ' ') ++digit;
  const auto scale = std::from_chars(digit, end, decimal.scale);
  if (scale.ec != std::errc() || scale.ptr + 1 != end || *scale.ptr != ')') return std::nullopt;
  if (decimal.precision < 1 || decimal.precision > 38 || decimal.scale < 0 || decimal.scale > decimal.precision) return std::nullopt;
  return decimal;
}

bool MayPromote(const IcebergType& before, const IcebergType& after) {
  if (before.kind == Kind::kDecimal && after.kind == Kind::kDecimal) {
    return before.scale == after.scale && before.precision <= after.precision;
  }
  return before.kind == after.kind || (before.kind == Kind::kInt && after.kind == Kind::kLong) ||
         (before.kind == Kind::kFloat && after.kind == Kind::kDouble);
}

std::string Spelling(const IcebergType& type) {
  switch (type.kind) {
    case Kind::kBoolean: return "boolean";
    case Kind::kInt: return "int";
    case Kind::kLong: return "long";
    case Kind::kFloat: return "float";
    case Kind::kDouble: return "double";
    case Kind::kDecimal: return fmt::format("decimal({}, {})", type.precision, type.scale);
    case Kind::kDate: return "date";
    case Kind::kTime: return "time";
    case Kind::kTimestamp: return "timestamp";
    case Kind::kTimestamptz: return "timestamptz";
    case Kind::kString: return "string";
    case Kind::kBinary: return "binary";
    case Kind::kUuid: return "uuid";
    case Kind::kList: return "list";
    case Kind::kMap: return "map";
    case Kind::kStruct: return "struct";
  }
  return {};
}

nlohmann::json ToJson(const IcebergType& type) {
  if (!type.nested()) return Spelling(type);
  nlohmann::json json = {{"type", Spelling(type)}};
  if (type.kind == Kind::kStruct) {
    json["fields"] = nlohmann::json::array();
    for (const Field& field : type.fields) json["fields"].push_back(ToJson(field));
    return json;
  }
  if (type.kind == Kind::kMap) {
    const Field& key = type.fields.front();
    json["key-id"] = key.id;
    json["key"] = ToJson(key.type);
  }
  const std::string part = type.kind == Kind::kMap ? "value" : "element";
  const Field& last = type.fields.back();
  json[part + "-id"] = last.id;
  json[part] = ToJson(last.type);
  json[part + "-required"] = last.required;
  return json;
}

nlohmann::json ToJson(const Field& field) {
  nlohmann::json json = {{"id", field.id}, {"name", field.name}, {"required", field.required}, {"type", ToJson(field.type)}};
  if (!field.doc.empty()) json["doc"] = field.doc;
  return json;
}

}  // namespace nano::publish
