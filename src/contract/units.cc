// SPDX-License-Identifier: Apache-2.0
#include "contract/units.h"

#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace nano::contract {
namespace {

using Transform = PartitionField::Transform;

constexpr int kMostBuckets = 10'000;

constexpr std::array<std::pair<std::string_view, Transform>, 5> kTransforms{{{"year", Transform::kYear},
                                                                             {"month", Transform::kMonth},
                                                                             {"day", Transform::kDay},
                                                                             {"hour", Transform::kHour},
                                                                             {"bucket", Transform::kBucket}}};

/// Leading digits; `text` is what follows them.
std::int64_t Leading(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// A column's name inside the parentheses: bare, or in double quotes.
std::string Unquote(std::string_view text) {
  text = Trim(text);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '"' && i + 2 < text.size() && text[i + 1] == '"') ++i;
    out += text[i];
  }
  return out;
}

}  // namespace

std::int64_t Milliseconds(std::string_view text) {
  const std::int64_t n = Leading(text);
  if (text == "ms") return n;
  if (text == "s") return n * 1000;
  if (text == "m") return n * 60'000;
  if (text == "h") return n * 3'600'000;
  if (text == "d") return n * 86'400'000;
  return 0;
}

std::int64_t Bytes(std::string_view text) {
  const std::int64_t n = Leading(text);
  if (text == "B") return n;
  if (text == "KB") return n << 10;
  if (text == "MB") return n << 20;
  if (text == "GB") return n << 30;
  if (text == "TB") return n << 40;
  return 0;
}

Result<PartitionField> ParsePartition(std::string_view text) {
  text = Trim(text);
  PartitionField field;
  const auto open = text.find('(');
  if (!text.starts_with('"') && (open == std::string_view::npos) != (text.find(')') == std::string_view::npos))
    return WithHint(Fail(Code::kInvalid, "\"{}\" has one parenthesis of two", text),
                    "A comma parts the items of a list: write the whole in quotes, as in [\"bucket(16, id)\"].");
  if (open == std::string_view::npos || text.back() != ')') {
    field.column = Unquote(text);
    return field;
  }
  std::string word(Trim(text.substr(0, open)));
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::string_view inside = text.substr(open + 1, text.size() - open - 2);
  bool known = false;
  for (const auto& [name, transform] : kTransforms)
    if (name == word) field.transform = transform, known = true;
  if (!known) {
    return WithHint(Fail(Code::kInvalid, "\"{}\" is no transform of partition_by", word),
                    "Write a column, or year, month, day, hour or bucket(n, …) of one; put a column whose name has parentheses in "
                    "double quotes.");
  }
  if (field.transform == Transform::kBucket) {
    inside = Trim(inside);
    const std::int64_t buckets = Leading(inside);
    inside = Trim(inside);
    if (buckets < 1 || buckets > kMostBuckets || !inside.starts_with(','))
      return WithHint(Fail(Code::kInvalid, "\"bucket\" takes a number of buckets from 1 to {} and a column", kMostBuckets),
                      "Write bucket(16, id).");
    field.buckets = static_cast<int>(buckets);
    inside.remove_prefix(1);
  }
  field.column = Unquote(inside);
  if (field.column.empty())
    return WithHint(Fail(Code::kInvalid, "\"{}\" takes a column", word), fmt::format("Write {}(…) of a column.", word));
  return field;
}

std::string ToString(const PartitionField& field) {
  bool plain = !field.column.empty();
  for (const char c : field.column)
    plain = plain && (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (static_cast<unsigned char>(c) & 0x80));
  std::string column = field.column;
  if (!plain) {
    column = "\"";
    for (const char c : field.column) column += c == '"' ? "\"\"" : std::string(1, c);
    column += '"';
  }
  if (field.transform == Transform::kBucket) return fmt::format("bucket({}, {})", field.buckets, column);
  for (const auto& [name, transform] : kTransforms)
    if (transform == field.transform) return fmt::format("{}({})", name, column);
  return column;
}

}  // namespace nano::contract
