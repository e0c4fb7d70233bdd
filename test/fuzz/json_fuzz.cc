// SPDX-License-Identifier: Apache-2.0
// JSON text: the scanner against simdjson, the reader of records against reading each token alone, every value as every
// type, and text to a JSON string and back. The first byte chooses which.
#include <simdjson.h>

#include "input.h"
#include "wire/cell.h"
#include "wire/json_scan.h"
#include "wire/json_token.h"
#include "wire/record_reader.h"

using namespace nano;
using namespace nano::wire;

namespace {

bool Equal(const DataType& type, const Cell& a, const Cell& b) {
  if (a.kind != b.kind) return false;
  if (a.kind != Cell::Kind::kValue) return true;
  switch (type.kind) {
    case TypeKind::kBoolean: return a.boolean == b.boolean;
    case TypeKind::kInt: case TypeKind::kDate: return a.i32 == b.i32;
    case TypeKind::kBigint: case TypeKind::kTime: case TypeKind::kTimestamp: case TypeKind::kTimestamptz: return a.i64 == b.i64;
    case TypeKind::kDecimal: case TypeKind::kUuid: return a.i128 == b.i128;
    case TypeKind::kFloat: return std::memcmp(&a.f32, &b.f32, sizeof a.f32) == 0;
    case TypeKind::kDouble: return std::memcmp(&a.f64, &b.f64, sizeof a.f64) == 0;
    case TypeKind::kString: case TypeKind::kBinary: case TypeKind::kJson: return a.text == b.text;
    case TypeKind::kList: case TypeKind::kMap: case TypeKind::kStruct: break;
  }
  if (a.children.size() != b.children.size()) return false;
  for (std::size_t i = 0; i < a.children.size(); ++i) {
    const std::size_t child = type.kind == TypeKind::kList ? 0 : type.kind == TypeKind::kMap ? i % 2 : i;
    if (!Equal(type.children[child], a.children[i], b.children[i])) return false;
  }
  return true;
}

/// Whatever simdjson takes for a document, so does the scanner.
void Scan(std::string_view text) {
  if (!text.empty() && (text[0] == '{' || text[0] == '[')) {
    const char* const end = text.data() + text.size();
    const char* const value = SkipValue(text.data(), end, Bare::kTaken);
    const char* const brackets = SkipBrackets(text.data(), end);
    if (value != nullptr) fuzz::Require(brackets == value);
  }
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  const simdjson::padded_string padded(text);
  const bool theirs = parser.parse(padded).get(document) == simdjson::SUCCESS;
  const bool ours = IsJson(text, Bare::kRefused);
  if (theirs) fuzz::Require(ours);
  if (!ours) return;
  fuzz::Require(IsJson(text, Bare::kTaken));
  std::string_view token, name, value;
  fuzz::Require(WholeToken(text, token));
  for (JsonObject members(token); members.Next(name, value);) fuzz::Require(!Member(token, Inside(name)).empty());
}

/// A record by RecordReader, and the same members one by one.
void ReadRecord(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) return;
  std::vector<FieldSpec> fields;
  for (const DataType& type : fuzz::Types()) fields.push_back({{std::string(1, static_cast<char>('a' + fields.size()))}, type});
  fields.push_back({{"x", "y"}, ParseDataType("int").value()});
  fields.push_back({{"x", "z", "w"}, ParseDataType("string").value()});
  const std::size_t plain = fuzz::Types().size();
  RecordReader reader(fields, Special::kNull, {{"ignored"}, {"x", "ignored"}});
  std::vector<Cell> cells(fields.size());
  std::vector<RecordReader::Misfit> misfits;
  std::vector<RecordReader::Unknown> unknown;
  for (int round = 0; round < 2; ++round) {   // the second time the order of the members is known
    Arena arena;
    if (!reader.Read(text, arena, cells, misfits, unknown)) return;
    for (std::size_t i = 0; i < plain; ++i) {
      const std::string_view name = fields[i].path[0];
      std::string_view token, key, value, unescaped;
      for (ObjectScanner scanner(text); scanner.Next(key, value);)
        if (Unescape(key, arena, unescaped) && unescaped == name) token = value;
      Cell cell;
      std::string reason;
      if (!token.empty() && !ReadJson(fields[i].type, token, Special::kNull, arena, cell, reason)) {
        cell = Cell{};
        cell.kind = Cell::Kind::kNull;
      }
      fuzz::Require(Equal(fields[i].type, cells[i], cell));
    }
  }
}

void ReadValues(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) return;
  Arena arena;
  std::string reason;
  for (const DataType& type : fuzz::Types()) {
    for (const Special special : {Special::kQuarantine, Special::kNull, Special::kClamp}) {
      Cell cell, again;
      reason.clear();
      fuzz::Require(ReadText(type, text, special, arena, cell, reason) || !reason.empty());
      if (IsJson(text, Bare::kTaken)) {
        std::string_view token;
        fuzz::Require(WholeToken(text, token));
        reason.clear();
        fuzz::Require(ReadJson(type, token, special, arena, again, reason) || !reason.empty());
      }
    }
  }
}

void RoundTrip(std::string_view text) {
  const std::string token = Escape(text);
  fuzz::Require(IsJson(token, Bare::kRefused));
  Arena arena;
  std::string_view back;
  std::string owned;
  fuzz::Require(Unescape(token, arena, back) && back == text);
  fuzz::Require(UnescapeInto(token, owned) && owned == text);
  std::string_view other;
  if (const bool good = Unescape(text, arena, other); good) fuzz::Require(UnescapeInto(text, owned) && owned == other);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const fuzz::Input input(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0: Scan(input.text()); break;
    case 1: ReadRecord(input.text()); break;
    case 2: ReadValues(input.text()); break;
    default: RoundTrip(input.text()); break;
  }
  return 0;
}
