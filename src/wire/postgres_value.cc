// SPDX-License-Identifier: Apache-2.0
#include "wire/postgres_value.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <vector>

#include "wire/debezium_number.h"
#include "wire/postgres_text.h"

namespace nano::wire {
namespace {

constexpr int kDeepestValue = 64;

PostgresType TypeOf(const ConnectSchema& schema) { return static_cast<PostgresType>(schema.number); }

bool IsNumeric(PostgresType type) { return type >= PostgresType::kInteger && type <= PostgresType::kMoney; }

/// `$1,234.50` as 1234.50, `-$5.00` as -5.00: how money is written where lc_monetary is C.
std::string NumberOfMoney(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '$' && c != ',') out += c;
  return out;
}

bool IsFinite(std::string_view text) { return !text.empty() && text.find_first_not_of("+-.0123456789eE") == std::string_view::npos; }

class Reader {
 public:
  Reader(Special special, Arena& arena, std::string& reason) : special_(special), arena_(arena), reason_(reason) {}

  bool Read(const DataType& type, std::string_view text, const ConnectSchema& schema, int depth, Cell& out) {
    if (depth > kDeepestValue) return Misfit("is nested too deep");
    out.kind = Cell::Kind::kValue;
    if (type.kind == TypeKind::kJson) return Json(text, schema, depth, out);
    switch (TypeOf(schema)) {
      case PostgresType::kArray: return Array(type, text, schema, depth, out);
      case PostgresType::kComposite: return type.kind == TypeKind::kStruct ? Struct(type, text, schema, depth, out) : Plain(type, text, out);
      case PostgresType::kHstore: return type.nested() ? Hstore(type, text, out) : Plain(type, text, out);
      case PostgresType::kJson: return type.nested() ? ReadJson(type, Trimmed(text), special_, arena_, out, reason_) : Plain(type, text, out);
      case PostgresType::kMoney: return Plain(type, arena_.Keep(NumberOfMoney(text)), out);
      case PostgresType::kBoolean: return Boolean(type, text, out);
      case PostgresType::kBit: return Bit(type, text, out);
      case PostgresType::kHexText: return HexText(type, text, out);
      default: return Plain(type, text, out);
    }
  }

 private:
  bool Misfit(std::string_view why) {
    reason_.assign(why);
    return false;
  }
  bool PutText(std::string_view text, Cell& out) {
    out.kind = Cell::Kind::kValue;
    out.text = text;
    return true;
  }
  bool Plain(const DataType& type, std::string_view text, Cell& out) { return ReadText(type, text, special_, arena_, out, reason_); }

  static std::string_view Trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
  }

  bool Boolean(const DataType& type, std::string_view text, Cell& out) {
    if (type.kind != TypeKind::kString) return Plain(type, text, out);
    return PutText(text == "t" ? "true" : text == "f" ? "false" : text, out);
  }
  bool Bit(const DataType& type, std::string_view text, Cell& out) {
    if (type.kind != TypeKind::kBoolean || (text != "0" && text != "1")) return Plain(type, text, out);
    out.boolean = text == "1";
    return true;
  }
  bool HexText(const DataType& type, std::string_view text, Cell& out) {
    if (type.kind != TypeKind::kBinary) return Plain(type, text, out);
    std::string_view bytes;
    return DecodeHex(text, arena_, bytes) ? PutText(bytes, out) : Misfit("is no hexadecimal text");
  }

  bool Json(std::string_view text, const ConnectSchema& schema, int depth, Cell& out) {
    std::string json;
    if (!WriteJson(text, schema, depth, json)) return false;
    return PutText(json == text ? text : arena_.Keep(json), out);
  }

  bool Array(const DataType& type, std::string_view text, const ConnectSchema& schema, int depth, Cell& out) {
    if (type.kind == TypeKind::kString) return Json(text, schema, depth, out);
    if (type.kind != TypeKind::kList) return Misfit("is a list");
    ArrayText array(text, DelimiterOf(schema));
    return Items(type, array, schema, depth, out);
  }
  static char DelimiterOf(const ConnectSchema& schema) { return schema.parameters.contains("delimiter") ? ';' : ','; }
  bool Items(const DataType& type, ArrayText& array, const ConnectSchema& schema, int depth, Cell& out) {
    if (depth > kDeepestValue) return Misfit("is nested too deep");
    if (type.kind != TypeKind::kList) return Misfit("has more dimensions than the column's type");
    std::vector<Cell> cells;
    const DataType& item_type = type.children[0];
    for (ArrayText::Item item; array.Next(item);) {
      Cell& cell = cells.emplace_back();
      switch (item.kind) {
        case ArrayText::Item::Kind::kNull: cell.kind = Cell::Kind::kNull; break;
        case ArrayText::Item::Kind::kOpen:
          if (!Items(item_type, array, schema, depth + 1, cell)) return false;
          break;
        case ArrayText::Item::Kind::kText:
          if (!Read(item_type, arena_.Keep(item.text), schema.fields.front(), depth + 1, cell)) return false;
          break;
      }
    }
    if (array.broken()) return Misfit("is no array");
    const std::span<Cell> kept = arena_.Array<Cell>(cells.size());
    std::copy(cells.begin(), cells.end(), kept.begin());
    out.kind = Cell::Kind::kValue;
    out.children = kept;
    return true;
  }

  bool Struct(const DataType& type, std::string_view text, const ConnectSchema& schema, int depth, Cell& out) {
    const std::span<Cell> cells = arena_.Array<Cell>(type.children.size());
    for (Cell& cell : cells) cell.kind = Cell::Kind::kNull;
    RowText row(text);
    std::size_t n = 0;
    for (RowText::Item item; row.Next(item); ++n) {
      if (n == schema.fields.size()) return Misfit("has more fields than its type");
      const auto found = std::find(type.names.begin(), type.names.end(), schema.fields[n].field);
      if (found == type.names.end()) return Misfit("has a field that the column's type lacks");
      const auto at = static_cast<std::size_t>(found - type.names.begin());
      if (!item.is_null && !Read(type.children[at], arena_.Keep(item.text), schema.fields[n], depth + 1, cells[at])) return false;
    }
    if (row.broken()) return Misfit("is no row");
    out.kind = Cell::Kind::kValue;
    out.children = cells;
    return true;
  }

  bool Hstore(const DataType& type, std::string_view text, Cell& out) {
    std::string json;
    if (!WriteHstore(text, json)) return false;
    return ReadJson(type, arena_.Keep(json), special_, arena_, out, reason_);
  }

  // As JSON: what has a structure keeps it, numbers stay numbers, all else is text.

  bool WriteJson(std::string_view text, const ConnectSchema& schema, int depth, std::string& out) {
    if (depth > kDeepestValue) return Misfit("is nested too deep");
    const PostgresType kind = TypeOf(schema);
    if (kind == PostgresType::kArray) {
      ArrayText array(text, DelimiterOf(schema));
      return WriteItems(array, schema, depth, out);
    }
    if (kind == PostgresType::kComposite) return WriteRow(text, schema, depth, out);
    if (kind == PostgresType::kHstore) return WriteHstore(text, out);
    if (kind == PostgresType::kJson) return out += text, true;
    if (kind == PostgresType::kBoolean) return out += text == "t" || text == "true" ? "true" : "false", true;
    if (kind == PostgresType::kMoney) return out += NumberOfMoney(text), true;
    if (IsNumeric(kind) && IsFinite(text)) return out += text, true;
    out += Escape(text);
    return true;
  }
  bool WriteItems(ArrayText& array, const ConnectSchema& schema, int depth, std::string& out) {
    if (depth > kDeepestValue) return Misfit("is nested too deep");
    out += '[';
    bool first = true;
    for (ArrayText::Item item; array.Next(item); first = false) {
      if (!first) out += ',';
      if (item.kind == ArrayText::Item::Kind::kNull) out += "null";
      else if (item.kind == ArrayText::Item::Kind::kOpen && !WriteItems(array, schema, depth + 1, out)) return false;
      else if (item.kind == ArrayText::Item::Kind::kText && !WriteJson(std::string(item.text), schema.fields.front(), depth + 1, out)) return false;
    }
    out += ']';
    return !array.broken() || Misfit("is no array");
  }
  bool WriteRow(std::string_view text, const ConnectSchema& schema, int depth, std::string& out) {
    RowText row(text);
    std::size_t n = 0;
    out += '{';
    for (RowText::Item item; row.Next(item); ++n) {
      if (n == schema.fields.size()) return Misfit("has more fields than its type");
      if (n != 0) out += ',';
      out += Escape(schema.fields[n].field) + ":";
      if (item.is_null) out += "null";
      else if (!WriteJson(std::string(item.text), schema.fields[n], depth + 1, out)) return false;
    }
    out += '}';
    return !row.broken() || Misfit("is no row");
  }
  bool WriteHstore(std::string_view text, std::string& out) {
    HstoreText pairs(text);
    out += '{';
    bool first = true;
    for (HstoreText::Pair pair; pairs.Next(pair); first = false) {
      if (!first) out += ',';
      out += Escape(pair.key) + ":" + (pair.is_null ? "null" : Escape(pair.value));
    }
    out += '}';
    return !pairs.broken() || Misfit("is no hstore");
  }

  Special special_;
  Arena& arena_;
  std::string& reason_;
};

/// `numeric(12,2)`; without a precision, or with one that no decimal here has, it is text.
DataType InferNumeric(std::string_view name) {
  const std::size_t open = name.find('('), comma = name.find(',', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || comma == std::string_view::npos) return Scalar(TypeKind::kString);
  int digits = 0, scale = 0;
  (void)std::from_chars(name.data() + open + 1, name.data() + comma, digits);
  (void)std::from_chars(name.data() + comma + 1, name.data() + name.size(), scale);
  return DecimalOrText(digits, scale);
}

}  // namespace

PostgresType PostgresTypeOf(std::string_view name) {
  using enum PostgresType;
  static const std::unordered_map<std::string_view, PostgresType> types{
      {"bool", kBoolean}, {"int2", kInteger}, {"int4", kInteger}, {"int8", kBigint}, {"oid", kBigint}, {"float4", kFloat},
      {"float8", kDouble}, {"numeric", kNumeric}, {"money", kMoney}, {"bytea", kBytea}, {"geometry", kHexText}, {"geography", kHexText},
      {"json", kJson}, {"jsonb", kJson}, {"hstore", kHstore}, {"date", kDate}, {"time", kTime}, {"timestamp", kTimestamp},
      {"timestamptz", kTimestamptz}, {"bit(1)", kBit}, {"array", kArray}, {"composite", kComposite}};
  auto found = types.find(name);
  if (found == types.end()) found = types.find(name.substr(0, name.find('(')));
  return found == types.end() ? kText : found->second;
}

bool ReadPostgres(const DataType& type, std::string_view token, const ConnectSchema& schema, Special special, Arena& arena, Cell& out,
                  std::string& reason) {
  if (token == kUnchangedToken) {
    out.kind = Cell::Kind::kUnchanged;   // and no data: nothing that stands for it can be data
    return true;
  }
  std::string_view text = token;
  if (token.starts_with('"') && !Unescape(token, arena, text)) {
    reason = "has an escape that is no character";
    return false;
  }
  return Reader(special, arena, reason).Read(type, text, schema, 0, out);
}

DataType InferPostgres(const ConnectSchema& schema) {
  switch (static_cast<PostgresType>(schema.number)) {
    case PostgresType::kBoolean: case PostgresType::kBit: return Scalar(TypeKind::kBoolean);
    case PostgresType::kInteger: return Scalar(TypeKind::kInt);
    case PostgresType::kBigint: return Scalar(TypeKind::kBigint);
    case PostgresType::kFloat: return Scalar(TypeKind::kFloat);
    case PostgresType::kDouble: return Scalar(TypeKind::kDouble);
    case PostgresType::kNumeric: return InferNumeric(schema.name);
    case PostgresType::kMoney: return InferNumeric("numeric(38,2)");
    case PostgresType::kBytea: case PostgresType::kHexText: return Scalar(TypeKind::kBinary);
    case PostgresType::kJson: case PostgresType::kHstore: return Scalar(TypeKind::kJson);
    case PostgresType::kDate: return Scalar(TypeKind::kDate);
    case PostgresType::kTimestamp: return Scalar(TypeKind::kTimestamp);
    case PostgresType::kTimestamptz: return Scalar(TypeKind::kTimestamptz);
    case PostgresType::kArray: {
      DataType type = Scalar(TypeKind::kList);
      type.children.push_back(InferPostgres(schema.fields.front()));
      return type;
    }
    default: return Scalar(TypeKind::kString);
  }
}

}  // namespace nano::wire
