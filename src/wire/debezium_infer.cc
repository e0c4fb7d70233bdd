// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "wire/debezium.h"
#include "wire/debezium_document.h"
#include "wire/debezium_form.h"
#include "wire/json_token.h"
#include "wire/postgres_value.h"

namespace nano::wire {
namespace {

using enum DebeziumForm;

constexpr int kDeepestType = 16;

DataType InferDecimal(const ConnectSchema& schema) {
  std::int64_t digits = 38;
  if (const auto found = schema.parameters.find("connect.decimal.precision"); found != schema.parameters.end())
    (void)std::from_chars(found->second.data(), found->second.data() + found->second.size(), digits);
  return DecimalOrText(digits, schema.number);
}

DataType InferSchema(const ConnectSchema& schema, int depth) {
  if (depth > kDeepestType) return Scalar(TypeKind::kJson);
  switch (schema.form) {
    case kPostgres: return InferPostgres(schema);
    case kBoolean: case kBit: return Scalar(TypeKind::kBoolean);
    case kInteger: return Scalar(schema.type == "int64" ? TypeKind::kBigint : TypeKind::kInt);
    case kReal: return Scalar(schema.type == "float" ? TypeKind::kFloat : TypeKind::kDouble);
    case kBytes: return Scalar(TypeKind::kBinary);
    case kDecimal: return InferDecimal(schema);
    case kDays: case kIsoDate: return Scalar(TypeKind::kDate);
    case kTimestampMillis: case kTimestampMicros: case kTimestampNanos: case kIsoTimestamp: return Scalar(TypeKind::kTimestamp);
    case kZonedTimestamp: return Scalar(TypeKind::kTimestamptz);
    case kJson: case kPoint: case kGeometry: return Scalar(TypeKind::kJson);
    case kList: case kMap: {
      DataType type = Scalar(schema.form == kList ? TypeKind::kList : TypeKind::kMap);
      for (const ConnectSchema& child : schema.fields) type.children.push_back(InferSchema(child, depth + 1));
      return type;
    }
    case kStruct: {
      if (schema.fields.empty()) return Scalar(TypeKind::kJson);
      DataType type = Scalar(TypeKind::kStruct);
      for (const ConnectSchema& child : schema.fields) {
        type.names.push_back(child.field);
        type.children.push_back(InferSchema(child, depth + 1));
      }
      return type;
    }
    default: return Scalar(TypeKind::kString);
  }
}

}  // namespace

DataType InferDebezium(const DebeziumField& field) {
  std::string_view token = field.token;
  if (field.schema != nullptr && field.schema->form == kBson) {
    const Extended value = ReadExtended(token);
    switch (value.kind) {
      case Extended::Kind::kText: case Extended::Kind::kDecimal: case Extended::Kind::kOpaque: return Scalar(TypeKind::kString);
      case Extended::Kind::kDate: return Scalar(TypeKind::kTimestamptz);
      case Extended::Kind::kBytes: return Scalar(TypeKind::kBinary);
      case Extended::Kind::kNumber: case Extended::Kind::kPlain: token = value.token;
    }
  } else if (field.schema != nullptr) {
    return InferSchema(*field.schema, 0);
  }
  if (token == "true" || token == "false") return Scalar(TypeKind::kBoolean);
  if (IsArray(token) || IsObject(token)) return Scalar(TypeKind::kJson);
  if (!IsNumber(token)) return Scalar(TypeKind::kString);
  std::int64_t number = 0;
  const auto [at, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error == std::errc() && at == token.data() + token.size()) return Scalar(TypeKind::kBigint);
  const bool integer = token.find_first_not_of("-0123456789") == std::string_view::npos;
  return Scalar(integer ? TypeKind::kString : TypeKind::kDouble);
}

}  // namespace nano::wire
