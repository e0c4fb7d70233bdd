// SPDX-License-Identifier: Apache-2.0
#include "base/data_type.h"

#include <array>
#include <cctype>
#include <utility>

namespace nano {
namespace {

constexpr std::array<std::pair<std::string_view, TypeKind>, 14> kScalars{{
    {"boolean", TypeKind::kBoolean}, {"int", TypeKind::kInt}, {"bigint", TypeKind::kBigint}, {"float", TypeKind::kFloat},
    {"double", TypeKind::kDouble}, {"string", TypeKind::kString}, {"binary", TypeKind::kBinary}, {"uuid", TypeKind::kUuid},
    {"date", TypeKind::kDate}, {"time", TypeKind::kTime}, {"timestamp", TypeKind::kTimestamp},
    {"timestamptz", TypeKind::kTimestamptz}, {"json", TypeKind::kJson}, {"decimal", TypeKind::kDecimal}}};

constexpr int kDeepest = 32;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<DataType> All() {
    ASSIGN(DataType type, Type(0));
    Space();
    if (at_ != text_.size()) return Fail(Code::kInvalid, "\"{}\" is not a type: \"{}\" is left over", text_, text_.substr(at_));
    return type;
  }

 private:
  void Space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool Take(char c) {
    Space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Status Want(char c) {
    if (Take(c)) return {};
    return Fail(Code::kInvalid, "\"{}\" is not a type: \"{}\" is missing at character {}", text_, c, at_ + 1);
  }
  std::string Word() {
    Space();
    std::string word;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(text_[at_++])));
    return word;
  }
  Result<std::string> FieldName() {
    Space();
    std::string name;
    if (Take('"')) {
      while (at_ < text_.size()) {
        if (text_[at_] == '"') {
          if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') ++at_;
          else break;
        }
        name += text_[at_++];
      }
      TRY(Want('"'));
      return name;
    }
    while (at_ < text_.size() && text_[at_] != ':' && text_[at_] != ' ' && text_[at_] != '<' && text_[at_] != '>' && text_[at_] != ',')
      name += text_[at_++];
    if (name.empty()) return Fail(Code::kInvalid, "\"{}\" is not a type: a field has no name", text_);
    return name;
  }
  Result<int> Number() {
    Space();
    int number = 0;
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) && number < 10000)
      number = number * 10 + (text_[at_++] - '0');
    if (begin == at_) return Fail(Code::kInvalid, "\"{}\" is not a type: a number is missing at character {}", text_, at_ + 1);
    return number;
  }

  Result<DataType> Type(int depth) {
    if (depth > kDeepest) return Fail(Code::kInvalid, "a type is nested more than {} deep", kDeepest);
    const std::string word = Word();
    DataType type;
    if (word == "list") {
      type.kind = TypeKind::kList;
      TRY(Want('<'));
      ASSIGN(DataType element, Type(depth + 1));
      type.children.push_back(std::move(element));
      TRY(Want('>'));
      return type;
    }
    if (word == "map") {
      type.kind = TypeKind::kMap;
      TRY(Want('<'));
      ASSIGN(DataType key, Type(depth + 1));
      TRY(Want(','));
      ASSIGN(DataType value, Type(depth + 1));
      type.children = {std::move(key), std::move(value)};
      TRY(Want('>'));
      return type;
    }
    if (word == "struct") {
      type.kind = TypeKind::kStruct;
      TRY(Want('<'));
      do {
        ASSIGN(std::string name, FieldName());
        for (const auto& other : type.names)
          if (other == name) return Fail(Code::kInvalid, "a struct has two fields \"{}\"", name);
        TRY(Want(':'));
        ASSIGN(DataType field, Type(depth + 1));
        type.names.push_back(std::move(name));
        type.children.push_back(std::move(field));
      } while (Take(','));
      TRY(Want('>'));
      return type;
    }
    for (const auto& [name, kind] : kScalars)
      if (name == word) {
        type.kind = kind;
        if (kind != TypeKind::kDecimal) return type;
        TRY(Want('('));
        ASSIGN(const int width, Number());
        int scale = 0;
        if (Take(',')) { ASSIGN(scale, Number()); }
        TRY(Want(')'));
        if (width < 1 || width > 38) return Fail(Code::kInvalid, "a decimal has 1 to 38 digits, not {}", width);
        if (scale > width) return Fail(Code::kInvalid, "a decimal of {} digits can't have {} after the point", width, scale);
        type.width = static_cast<std::uint8_t>(width);
        type.scale = static_cast<std::uint8_t>(scale);
        return type;
      }
    if (word.empty()) return Fail(Code::kInvalid, "\"{}\" is not a type", text_);
    return Fail(Code::kInvalid, "\"{}\" is not a type", word);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool IsPlainName(const std::string& name) {
  if (name.empty()) return false;
  for (const char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  return true;
}

}  // namespace

Result<DataType> ParseDataType(std::string_view text) { return Parser(text).All(); }

std::string ToString(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kDecimal: return fmt::format("decimal({},{})", type.width, type.scale);
    case TypeKind::kList: return "list<" + ToString(type.children[0]) + ">";
    case TypeKind::kMap: return "map<" + ToString(type.children[0]) + ", " + ToString(type.children[1]) + ">";
    case TypeKind::kStruct: {
      std::string out = "struct<";
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        if (i) out += ", ";
        if (IsPlainName(type.names[i])) {
          out += type.names[i];
        } else {
          out += '"';
          for (const char c : type.names[i]) {
            if (c == '"') out += '"';
            out += c;
          }
          out += '"';
        }
        out += ": " + ToString(type.children[i]);
      }
      return out + ">";
    }
    default:
      for (const auto& [name, kind] : kScalars)
        if (kind == type.kind) return std::string(name);
      return "string";
  }
}

DataType Scalar(TypeKind kind) {
  DataType type;
  type.kind = kind;
  return type;
}

DataType DecimalOrText(std::int64_t digits, std::int64_t scale) {
  if (scale < 0) {
    digits -= scale;
    scale = 0;
  }
  digits = std::max(digits, scale);
  if (digits < 1 || digits > 38) return Scalar(TypeKind::kString);
  DataType type = Scalar(TypeKind::kDecimal);
  type.width = static_cast<std::uint8_t>(digits);
  type.scale = static_cast<std::uint8_t>(scale);
  return type;
}

}  // namespace nano
