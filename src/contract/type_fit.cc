// SPDX-License-Identifier: Apache-2.0
#include "contract/type_fit.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>
#include <vector>

namespace nano::contract {
namespace {

constexpr int kIntDigits = 10, kBigintDigits = 19;
constexpr int kDeepest = 32;

std::optional<std::string> WhyNoDecimal(const DataType& to, const DataType& from) {
  const int whole = to.width - to.scale;
  if (from.kind == TypeKind::kInt || from.kind == TypeKind::kBigint) {
    const int digits = from.kind == TypeKind::kInt ? kIntDigits : kBigintDigits;
    if (whole >= digits) return {};
    return fmt::format("{} has up to {} digits, {} holds {} before the point", ToString(from), digits, ToString(to), whole);
  }
  if (from.kind == TypeKind::kDecimal) {
    if (from.scale > to.scale)
      return fmt::format("{} has {} digits after the point, {} holds {}", ToString(from), from.scale, ToString(to), to.scale);
    if (from.width - from.scale > whole)
      return fmt::format("{} has {} digits before the point, {} holds {}", ToString(from), from.width - from.scale, ToString(to),
                         whole);
    return {};
  }
  if (from.kind == TypeKind::kFloat || from.kind == TypeKind::kDouble) return fmt::format("a {} is not exact", ToString(from));
  return fmt::format("{} is no number", ToString(from));
}

std::optional<std::string> WhyNoInteger(const DataType& to, const DataType& from) {
  if (to.kind == TypeKind::kBigint && from.kind == TypeKind::kInt) return {};
  if (from.kind == TypeKind::kBigint) return std::string("a bigint may be larger than an int");
  if (from.kind == TypeKind::kDecimal) {
    if (from.scale > 0) return fmt::format("{} has digits after the point", ToString(from));
    if (from.width < (to.kind == TypeKind::kInt ? kIntDigits : kBigintDigits)) return {};
    return fmt::format("{} may be larger than {}", ToString(from), ToString(to));
  }
  if (from.kind == TypeKind::kFloat || from.kind == TypeKind::kDouble) return fmt::format("a {} is not whole", ToString(from));
  return fmt::format("{} is no whole number", ToString(from));
}

class SqlTypeReader {
 public:
  explicit SqlTypeReader(std::string_view text) : text_(text) {}

  Result<DataType> All() {
    ASSIGN(DataType type, Type(0));
    if (at_ != text_.size()) return Fail(Code::kInvalid, "{} is no type of the language", text_);
    return type;
  }

 private:
  Result<DataType> Type(int depth) {
    if (depth > kDeepest) return Fail(Code::kInvalid, "a type is nested more than {} deep", kDeepest);
    ASSIGN(DataType type, Base(depth));
    while (at_ < text_.size() && text_[at_] == '[') {
      const auto close = text_.find(']', at_);
      if (close == std::string_view::npos) return Fail(Code::kInvalid, "{} is no type of the language", text_);
      at_ = close + 1;
      DataType list;
      list.kind = TypeKind::kList;
      list.children.push_back(std::move(type));
      type = std::move(list);
    }
    return type;
  }

  Result<DataType> Base(int depth) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 19> kNames{
        {{"BOOLEAN", "boolean"},
         {"TINYINT", "int"},
         {"SMALLINT", "int"},
         {"INTEGER", "int"},
         {"UTINYINT", "int"},
         {"USMALLINT", "int"},
         {"BIGINT", "bigint"},
         {"UINTEGER", "bigint"},
         {"UBIGINT", "decimal(20,0)"},
         {"FLOAT", "float"},
         {"DOUBLE", "double"},
         {"VARCHAR", "string"},
         {"BLOB", "binary"},
         {"UUID", "uuid"},
         {"DATE", "date"},
         {"TIME", "time"},
         {"TIMESTAMP", "timestamp"},
         {"TIMESTAMP WITH TIME ZONE", "timestamptz"},
         {"JSON", "json"}}};
    std::size_t end = at_;
    while (end < text_.size() && text_[end] != '(' && text_[end] != '[' && text_[end] != ',' && text_[end] != ')') ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    if (word == "DECIMAL" && end < text_.size() && text_[end] == '(') {
      const auto close = text_.find(')', end);
      if (close == std::string_view::npos) return Fail(Code::kInvalid, "{} is no type of the language", text_);
      at_ = close + 1;
      return ParseDataType("decimal" + std::string(text_.substr(end, close + 1 - end)));
    }
    if ((word == "STRUCT" || word == "MAP") && end < text_.size() && text_[end] == '(')
      return Nested(word == "MAP", end + 1, depth);
    for (const auto& [sql, name] : kNames)
      if (word == sql) {
        at_ = end;
        return ParseDataType(name);
      }
    if (word == "TIMESTAMP_S" || word == "TIMESTAMP_MS") {
      at_ = end;
      return ParseDataType("timestamp");
    }
    return Fail(Code::kInvalid, "{} is no type of the language", word.empty() ? text_ : word);
  }

  Result<DataType> Nested(bool is_map, std::size_t begin, int depth) {
    DataType type;
    type.kind = is_map ? TypeKind::kMap : TypeKind::kStruct;
    at_ = begin;
    for (;;) {
      if (!is_map) type.names.push_back(FieldName());
      ASSIGN(DataType child, Type(depth + 1));
      type.children.push_back(std::move(child));
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
        continue;
      }
      break;
    }
    if (at_ >= text_.size() || text_[at_] != ')' || (is_map && type.children.size() != 2))
      return Fail(Code::kInvalid, "{} is no type of the language", text_);
    ++at_;
    return type;
  }

  std::string FieldName() {
    std::string name;
    if (at_ < text_.size() && text_[at_] == '"') {
      for (++at_; at_ < text_.size(); ++at_) {
        if (text_[at_] == '"') {
          if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
          ++at_;
        }
        name += text_[at_];
      }
      if (at_ < text_.size()) ++at_;
    } else {
      while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != ',') name += text_[at_++];
    }
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return name;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Lower case, one space between words, none around `(`, `,`, `)`.
std::string Normal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool is_space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (is_space && (out.empty() || out.back() == ' ' || out.back() == '(' || out.back() == ',')) continue;
    if ((lower == '(' || lower == ')' || lower == ',' || lower == '[') && !out.empty() && out.back() == ' ') out.pop_back();
    out += is_space ? ' ' : lower;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

/// `name(…) rest` without the parentheses; `inside` is what stood in them.
std::string WithoutArguments(const std::string& text, std::string& inside) {
  const auto open = text.find('('), close = text.find(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return text;
  inside = text.substr(open + 1, close - open - 1);
  return text.substr(0, open) + text.substr(close + 1);
}

}  // namespace

std::optional<std::string> WhyNotHeld(const DataType& to, const DataType& from) {
  using enum TypeKind;
  if (to == from || (from.kind == kString && !to.nested())) return {};
  switch (to.kind) {
    case kString:
    case kJson:
      if (from.kind == kBinary) return std::string("bytes are not text");
      if (to.kind == kJson && !from.nested() && from.kind != kJson) return fmt::format("{} is no json", ToString(from));
      return {};
    case kDecimal: return WhyNoDecimal(to, from);
    case kInt:
    case kBigint: return WhyNoInteger(to, from);
    case kFloat: return fmt::format("a float can't hold every {}", ToString(from));
    case kDouble:
      if (from.kind == kFloat || from.kind == kInt) return {};
      return fmt::format("a double can't hold every {}", ToString(from));
    case kTimestamp:
      if (from.kind == kDate) return {};
      if (from.kind == kTimestamptz) return std::string("the time zone would be lost");
      break;
    case kTimestamptz:
      if (from.kind == kTimestamp || from.kind == kDate) return std::string("a time without a zone is no point in time");
      break;
    case kDate:
      if (from.kind == kTimestamp || from.kind == kTimestamptz) return std::string("the time of day would be lost");
      break;
    case kList:
      if (from.kind == kJson) return {};
      if (from.kind == kList) return WhyNotHeld(to.children[0], from.children[0]);
      break;
    case kMap:
      if (from.kind == kJson) return {};
      if (from.kind == kMap) {
        if (auto why = WhyNotHeld(to.children[0], from.children[0])) return why;
        return WhyNotHeld(to.children[1], from.children[1]);
      }
      break;
    case kStruct:
      if (from.kind == kJson) return {};
      if (from.kind == kStruct) {
        for (std::size_t i = 0; i < from.names.size(); ++i) {
          const auto found = std::find(to.names.begin(), to.names.end(), from.names[i]);
          if (found == to.names.end()) return fmt::format("field \"{}\" would be lost", from.names[i]);
          if (auto why = WhyNotHeld(to.children[static_cast<std::size_t>(found - to.names.begin())], from.children[i])) return why;
        }
        return {};
      }
      break;
    case kBoolean:
    case kBinary:
    case kUuid:
    case kTime: break;
  }
  return fmt::format("{} is no {}", ToString(from), ToString(to));
}

SourceType ReadSourceType(std::string_view text) {
  if (auto type = ParseDataType(text)) return {*std::move(type), true, false};
  std::string inside;
  std::string name = Normal(text);
  const auto as = [](std::string_view type) { return SourceType{*ParseDataType(type), true, false}; };
  if (name.ends_with("[]") || (name.starts_with('_') && name.size() > 1)) {
    SourceType element = ReadSourceType(name[0] == '_' ? name.substr(1) : name.substr(0, name.size() - 2));
    DataType list;
    list.kind = TypeKind::kList;
    list.children.push_back(std::move(element.type));
    return {std::move(list), element.is_known, element.is_opaque};
  }
  name = WithoutArguments(name, inside);
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 100> kNames{
      {{"bool", "boolean"},
       {"int2", "int"},
       {"smallint", "int"},
       {"smallserial", "int"},
       {"tinyint", "int"},
       {"mediumint", "int"},
       {"int4", "int"},
       {"int", "int"},
       {"integer", "int"},
       {"serial", "int"},
       {"year", "int"},
       {"tinyint unsigned", "int"},
       {"smallint unsigned", "int"},
       {"mediumint unsigned", "int"},
       {"int8", "bigint"},
       {"bigint", "bigint"},
       {"bigserial", "bigint"},
       {"oid", "bigint"},
       {"int unsigned", "bigint"},
       {"integer unsigned", "bigint"},
       {"bigint unsigned", "decimal(20,0)"},
       {"serial8", "bigint"},
       {"float4", "float"},
       {"real", "float"},
       {"float8", "double"},
       {"double precision", "double"},
       {"bytea", "binary"},
       {"blob", "binary"},
       {"tinyblob", "binary"},
       {"mediumblob", "binary"},
       {"longblob", "binary"},
       {"varbinary", "binary"},
       {"binary", "binary"},
       {"datetime", "timestamp"},
       {"timestamp", "timestamp"},
       {"timestamp without time zone", "timestamp"},
       {"timestamptz", "timestamptz"},
       {"timestamp with time zone", "timestamptz"},
       {"time", "time"},
       {"time without time zone", "time"},
       {"jsonb", "json"},
       {"text", "string"},
       {"varchar", "string"},
       {"character varying", "string"},
       {"char", "string"},
       {"character", "string"},
       {"bpchar", "string"},
       {"citext", "string"},
       {"name", "string"},
       {"tinytext", "string"},
       {"mediumtext", "string"},
       {"longtext", "string"},
       {"enum", "string"},
       {"set", "string"},
       {"xml", "string"},
       {"inet", "string"},
       {"cidr", "string"},
       {"macaddr", "string"},
       {"macaddr8", "string"},
       {"money", "string"},
       {"interval", "string"},
       {"bit", "string"},
       {"bit varying", "string"},
       {"varbit", "string"},
       {"timetz", "string"},
       {"time with time zone", "string"},
       {"point", "string"},
       {"line", "string"},
       {"lseg", "string"},
       {"box", "string"},
       {"path", "string"},
       {"polygon", "string"},
       {"circle", "string"},
       {"geometry", "string"},
       {"geography", "string"},
       {"tsvector", "string"},
       {"tsquery", "string"},
       {"hstore", "string"},
       {"ltree", "string"},
       {"pg_lsn", "string"},
       {"int4range", "string"},
       {"int8range", "string"},
       {"numrange", "string"},
       {"tsrange", "string"},
       {"tstzrange", "string"},
       {"daterange", "string"},
       {"int4multirange", "string"},
       {"int8multirange", "string"},
       {"nummultirange", "string"},
       {"tsmultirange", "string"},
       {"tstzmultirange", "string"},
       {"datemultirange", "string"},
       {"jsonpath", "string"},
       {"vector", "string"},
       {"isbn", "string"},
       {"regclass", "string"},
       {"nvarchar", "string"},
       {"nchar", "string"},
       {"clob", "string"},
       {"uniqueidentifier", "uuid"}}};
  if (name == "numeric" || name == "decimal" || name == "dec") {
    if (inside.empty()) return as("string");  // unconstrained: any number of digits
    if (auto type = ParseDataType("decimal(" + inside + ")")) return {*std::move(type), true, false};
    return as("string");
  }
  for (const auto& [source, type] : kNames)
    if (source == name) {
      SourceType found = as(type);
      static constexpr std::array<std::string_view, 14> kText{
          "text", "varchar",  "character varying", "char",     "character", "bpchar", "citext",
          "name", "tinytext", "mediumtext",        "longtext", "nvarchar",  "nchar",  "clob"};
      found.is_opaque = type == "string" && std::find(kText.begin(), kText.end(), name) == kText.end();
      return found;
    }
  return {*ParseDataType("string"), false, true};
}

Result<DataType> ReadSqlType(std::string_view text) { return SqlTypeReader(text).All(); }

}  // namespace nano::contract
