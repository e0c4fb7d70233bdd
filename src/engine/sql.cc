// SPDX-License-Identifier: Apache-2.0
#include "base/data_type.h"
#include "engine/database.h"

namespace nano::engine {
namespace {

std::string Doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

}  // namespace

std::string Quote(std::string_view identifier) { return Doubled(identifier, '"'); }
std::string Literal(std::string_view text) { return Doubled(text, '\''); }

std::string SqlType(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kBoolean: return "BOOLEAN";
    case TypeKind::kInt: return "INTEGER";
    case TypeKind::kBigint: return "BIGINT";
    case TypeKind::kFloat: return "FLOAT";
    case TypeKind::kDouble: return "DOUBLE";
    case TypeKind::kDecimal: return fmt::format("DECIMAL({},{})", type.width, type.scale);
    case TypeKind::kString: return "VARCHAR";
    case TypeKind::kJson: return "VARCHAR";
    case TypeKind::kBinary: return "BLOB";
    case TypeKind::kUuid: return "UUID";
    case TypeKind::kDate: return "DATE";
    case TypeKind::kTime: return "TIME";
    case TypeKind::kTimestamp: return "TIMESTAMP";
    case TypeKind::kTimestamptz: return "TIMESTAMPTZ";
    case TypeKind::kList: return SqlType(type.children[0]) + "[]";
    case TypeKind::kMap: return "MAP(" + SqlType(type.children[0]) + ", " + SqlType(type.children[1]) + ")";
    case TypeKind::kStruct: {
      std::string out = "STRUCT(";
      for (std::size_t i = 0; i < type.children.size(); ++i)
        out += (i ? ", " : "") + Quote(type.names[i]) + " " + SqlType(type.children[i]);
      return out + ")";
    }
  }
  return "VARCHAR";
}

const std::string& Rows::text(std::size_t row, std::size_t column) const {
  static const std::string kEmpty;
  const auto& value = rows[row][column];
  return value ? *value : kEmpty;
}

std::int64_t Rows::integer(std::size_t row, std::size_t column) const {
  return std::strtoll(text(row, column).c_str(), nullptr, 10);
}

}  // namespace nano::engine
