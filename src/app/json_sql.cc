// SPDX-License-Identifier: Apache-2.0
#include "app/json_sql.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "app/row_writer.h"
#include "engine/database.h"

namespace nano::app {
namespace {

constexpr int kDeepest = 64;

/// Where the text that begins at `from` ends: the first `stop` outside of quotes and parentheses, or the end.
std::size_t EndOfPart(std::string_view text, std::size_t from, char stop) {
  int depth = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      for (++i; i < text.size(); ++i) {
        if (text[i] != c) continue;
        if (i + 1 < text.size() && text[i + 1] == c) ++i;
        else break;
      }
      continue;
    }
    if (depth == 0 && c == stop) return i;
    if (c == '(') ++depth;
    if (c == ')') --depth;
  }
  return text.size();
}

std::vector<std::string_view> Parts(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = EndOfPart(text, at, ',');
    std::string_view part = text.substr(at, end - at);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    out.push_back(part);
    at = end + 1;
  }
  return out;
}

std::optional<std::string_view> Inside(std::string_view type, std::string_view kind) {
  if (!type.starts_with(kind) || type.size() < kind.size() + 2 || type[kind.size()] != '(' || type.back() != ')') return std::nullopt;
  return type.substr(kind.size() + 1, type.size() - kind.size() - 2);
}

/// `"a b" INTEGER` -> (a b, INTEGER); none where the field has no name.
std::optional<std::pair<std::string, std::string_view>> Field(std::string_view part) {
  std::string name;
  std::size_t at = 0;
  if (!part.empty() && part[0] == '"') {
    for (at = 1; at < part.size(); ++at) {
      if (part[at] == '"') {
        if (at + 1 < part.size() && part[at + 1] == '"') ++at;
        else break;
      }
      name += part[at];
    }
    ++at;
  } else {
    at = part.find(' ');
    if (at == std::string_view::npos) return std::nullopt;
    name = std::string(part.substr(0, at));
  }
  if (at >= part.size() || part[at] != ' ') return std::nullopt;
  return std::pair{std::move(name), part.substr(at + 1)};
}

std::string Json(const std::string& x, std::string_view type, int depth);

std::string OrNull(const std::string& x, const std::string& json) {
  return fmt::format("CASE WHEN ({}) IS NULL THEN 'null' ELSE {} END", x, json);
}

std::string JoinedList(const std::string& list, const std::string& variable, const std::string& item) {
  return fmt::format("array_to_string(list_transform({}, lambda {}: {}), ',')", list, variable, item);
}

std::string Struct(const std::string& x, std::string_view fields, int depth) {
  std::string text = "'{'";
  bool first = true;
  for (const std::string_view part : Parts(fields)) {
    const auto field = Field(part);
    if (!field) return OrNull(x, fmt::format("to_json({})::VARCHAR", x));
    std::string label = first ? "" : ",";
    AppendJsonText(field->first, label);
    label += ':';
    const std::string value = fmt::format("struct_extract({}, {})", x, engine::Literal(field->first));
    text += fmt::format(" || {} || {}", engine::Literal(label), Json(value, field->second, depth + 1));
    first = false;
  }
  return OrNull(x, text + " || '}'");
}

std::string Json(const std::string& x, std::string_view type, int depth) {
  const std::string by_engine = OrNull(x, fmt::format("to_json({})::VARCHAR", x));
  if (depth > kDeepest) return by_engine;
  const std::string variable = fmt::format("v{}", depth);
  if (type.ends_with("]")) {
    const std::size_t open = type.rfind('[');
    const std::string list = type.ends_with("[]") ? x : fmt::format("({})::{}[]", x, type.substr(0, open));
    return OrNull(x, "'[' || " + JoinedList(list, variable, Json(variable, type.substr(0, open), depth + 1)) + " || ']'");
  }
  if (const auto fields = Inside(type, "STRUCT")) return Struct(x, *fields, depth);
  if (const auto types = Inside(type, "MAP")) {
    const auto parts = Parts(*types);
    if (parts.size() != 2) return by_engine;
    const std::string item = fmt::format("to_json(({0}.key)::VARCHAR)::VARCHAR || ':' || {1}", variable,
                                         Json(variable + ".value", parts[1], depth + 1));
    return OrNull(x, "'{' || " + JoinedList(fmt::format("map_entries({})", x), variable, item) + " || '}'");
  }
  if (type.starts_with("UNION(") || type == "VARIANT") return by_engine;
  switch (ShapeOf(type)) {
    case ValueShape::kBoolean:
    case ValueShape::kNumber:
    case ValueShape::kJson: return OrNull(x, fmt::format("({})::VARCHAR", x));
    case ValueShape::kFloat:
      return OrNull(x, fmt::format("CASE WHEN isfinite({0}) THEN ({0})::VARCHAR WHEN isnan({0}) THEN '\"NaN\"' "
                                   "WHEN ({0}) > 0 THEN '\"Infinity\"' ELSE '\"-Infinity\"' END", x));
    case ValueShape::kText: break;
  }
  return OrNull(x, fmt::format("to_json(({})::VARCHAR)::VARCHAR", x));
}

}  // namespace

bool IsNested(std::string_view type) {
  return type.ends_with("]") || type.starts_with("STRUCT(") || type.starts_with("MAP(") || type.starts_with("UNION(") || type == "VARIANT";
}

std::string JsonExpression(const std::string& expression, std::string_view duckdb_type) { return Json(expression, duckdb_type, 0); }

}  // namespace nano::app
