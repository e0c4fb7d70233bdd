// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "contract/expressions.h"
#include "engine/database.h"

namespace nano::contract {
namespace {

/// What is known of one level of a struct: its fields in order, each a leaf's SQL or a struct again.
std::string PackSql(const ExpressionInput& input, const std::vector<std::string>& leaves, const std::vector<std::size_t>& within,
                    std::size_t depth) {
  std::vector<std::string> names;
  for (const std::size_t n : within)
    if (std::find(names.begin(), names.end(), input.leaves[n].path[depth]) == names.end())
      names.push_back(input.leaves[n].path[depth]);
  std::string out = "struct_pack(";
  for (const auto& name : names) {
    std::vector<std::size_t> inside;
    for (const std::size_t n : within)
      if (input.leaves[n].path[depth] == name) inside.push_back(n);
    const bool is_leaf = input.leaves[inside[0]].path.size() == depth + 1;
    out += (out.back() == '(' ? "" : ", ") + engine::Quote(name) +
           " := " + (is_leaf ? leaves[inside[0]] : PackSql(input, leaves, inside, depth + 1));
  }
  return out + ")";
}

/// The spellings of a type that DuckDB's cast reads exactly, as a regular expression over the whole text.
std::string Spellings(const DataType& type) {
  static const std::string date = R"([0-9]{4,6}-[0-9]{2}-[0-9]{2}( \(BC\))?)",
                           time = R"([0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?)";
  switch (type.kind) {
    case TypeKind::kBoolean: return "(?i)(true|false|t|f)";
    case TypeKind::kInt:
    case TypeKind::kBigint: return R"([+-]?[0-9]+(\.0*)?)";
    case TypeKind::kDecimal:  // with an exponent only whole numbers made larger, which the cast does exactly
      return fmt::format(R"((?i)[+-]?([0-9]+(\.[0-9]{{0,{}}}0*)?|\.[0-9]{{0,{}}}0*|[0-9]+e\+?[0-9]{{1,2}}))", type.scale, type.scale);
    case TypeKind::kFloat:
    case TypeKind::kDouble: return R"((?i)[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|nan|[+-]?inf(inity)?)";
    case TypeKind::kUuid: return "[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}";
    case TypeKind::kDate: return date;
    case TypeKind::kTime: return time;
    case TypeKind::kTimestamp: return date + "([T ]" + time + ")?";
    case TypeKind::kTimestamptz: return date + "[T ]" + time + "(Z|[+-][0-9]{2}(:?[0-9]{2})?)";
    default: return {};
  }
}

}  // namespace

std::string InputSql(const ExpressionInput& input, const std::vector<std::string>& leaves) {
  if (input.leaves.size() == 1 && input.leaves[0].path.size() == 1) return leaves[0];
  std::vector<std::size_t> all(input.leaves.size());
  for (std::size_t n = 0; n < all.size(); ++n) all[n] = n;
  return PackSql(input, leaves, all, 1);
}

std::string ValueSql(const Column& column) {
  const std::string value = "(" + column.expr.value_or("NULL") + ")",
                    cast = "CAST(" + value + " AS " + engine::SqlType(column.type) + ")";
  if (!column.expr_type || column.expr_type->kind != TypeKind::kString || column.type.kind == TypeKind::kString) return cast;
  if (column.type.kind == TypeKind::kJson) return "CASE WHEN json_valid(" + value + ") THEN " + value + " END";
  return "CASE WHEN regexp_full_match(" + value + ", " + engine::Literal(Spellings(column.type)) + ") THEN " + cast + " END";
}

}  // namespace nano::contract
