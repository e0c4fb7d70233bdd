// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "app/json_sql.h"
#include "app/row_writer.h"
#include "app/utf8_text.h"

namespace nano::app {
namespace {

bool IsFinite(std::string_view number) {
  return number.find_first_of("nN") == std::string_view::npos;   // nan, inf, -inf
}

class JsonWriter final : public RowWriter {
 public:
  JsonWriter(Output& output, JsonShape shape) : output_(output), shape_(shape) {}

  Status Begin(const std::vector<ResultColumn>& columns) override {
    const std::vector<std::string> names = UniqueNames(columns);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      std::string label = i == 0 ? "{" : ",";
      AppendJsonText(names[i], label);
      labels_.push_back(label + ":");
      shapes_.push_back(IsNested(columns[i].type) ? ValueShape::kJson : ShapeOf(columns[i].type));
    }
    return {};
  }

  Status Row(ResultRow row) override {
    line_.clear();
    if (shape_ == JsonShape::kArray) line_ += any_ ? ",\n" : "[";
    any_ = true;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line_ += labels_[i];
      Value(row[i], shapes_[i]);
    }
    line_ += '}';
    if (shape_ == JsonShape::kLines) line_ += '\n';
    return output_.Write(line_);
  }

  Status End() override {
    if (shape_ == JsonShape::kLines) return {};
    return output_.Write(any_ ? "]\n" : "[]\n");
  }

 private:
  void Value(const std::optional<std::string_view>& value, ValueShape shape) {
    if (!value) {
      line_ += "null";
      return;
    }
    switch (shape) {
      case ValueShape::kBoolean:
      case ValueShape::kNumber:
      case ValueShape::kJson: line_ += *value; return;
      case ValueShape::kFloat:
        if (IsFinite(*value)) {
          line_ += *value;
        } else {
          line_ += (*value)[0] == '-' ? "\"-Infinity\"" : value->find("inf") != std::string_view::npos ? "\"Infinity\"" : "\"NaN\"";
        }
        return;
      case ValueShape::kText: AppendJsonText(*value, line_); return;
    }
  }

  Output& output_;
  JsonShape shape_;
  std::vector<std::string> labels_;
  std::vector<ValueShape> shapes_;
  std::string line_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<RowWriter> MakeJsonWriter(Output& output, JsonShape shape) { return std::make_unique<JsonWriter>(output, shape); }

ValueShape ShapeOf(std::string_view type) {
  for (const std::string_view number : {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
                                        "UBIGINT", "UHUGEINT"})
    if (type == number) return ValueShape::kNumber;
  if (type.starts_with("DECIMAL(") && type.ends_with(")")) return ValueShape::kNumber;
  if (type == "FLOAT" || type == "DOUBLE") return ValueShape::kFloat;
  if (type == "BOOLEAN") return ValueShape::kBoolean;
  if (type == "JSON") return ValueShape::kJson;
  return ValueShape::kText;
}

std::vector<std::string> UniqueNames(const std::vector<ResultColumn>& columns) {
  std::set<std::string> taken;
  for (const auto& column : columns) taken.insert(column.name);
  std::set<std::string> given;
  std::vector<std::string> out;
  for (const auto& column : columns) {
    std::string name = column.name;
    for (int n = 2; given.contains(name) || (n > 2 && taken.contains(name)); ++n) name = fmt::format("{}_{}", column.name, n);
    given.insert(name);
    out.push_back(std::move(name));
  }
  return out;
}

void AppendJsonText(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    std::size_t bytes = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[0];
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else if (c < 0x80) {
      out += text[0];
    } else if (const std::size_t length = Utf8CharacterBytes(text); length > 0) {
      bytes = length;
      out += text.substr(0, bytes);
    } else {
      out += "\xEF\xBF\xBD";
    }
    text.remove_prefix(bytes);
  }
  out += '"';
}

}  // namespace nano::app
