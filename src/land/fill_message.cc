// SPDX-License-Identifier: Apache-2.0
#include "land/fill_message.h"

#include <algorithm>
#include <array>

#include "wire/json_token.h"

namespace nano::land {
namespace {

using wire::DebeziumField;

/// A text of more than this stands for more bytes than PostgreSQL keeps in line, in whatever form it is written: of 20
/// bytes hexadecimal has 42 characters with its prefix.
constexpr std::size_t kSurelyLong = 42;

const std::array<DataType, 6>& Forms() {
  static const std::array<DataType, 6> forms = {*ParseDataType("string"),     *ParseDataType("binary"),       *ParseDataType("list<string>"),
                                                *ParseDataType("list<uuid>"), *ParseDataType("list<bigint>"), *ParseDataType("list<binary>")};
  return forms;
}

/// Whether the value may stand for one that was not sent, whatever the column's type is.
bool MayBeUnsent(const DebeziumField& field) {
  if (field.token.empty() || (field.token[0] != '"' && field.token[0] != '[' && field.token[0] != '{')) return false;
  for (const DataType& type : Forms()) {
    Arena arena;
    wire::Cell cell;
    std::string reason;
    (void)wire::ReadDebezium(type, field, "", wire::Special::kQuarantine, arena, cell, reason);
    if (cell.kind == wire::Cell::Kind::kUnchanged) return true;
  }
  return false;
}

/// Whether the value is one that PostgreSQL moves out of line, so that a placeholder behind it stands for it.
bool IsLong(std::string_view token) {
  if (token.empty()) return false;
  if (token[0] == '[') return std::any_of(token.begin() + 1, token.end() - 1, [](char c) { return c != ' '; });
  if (token[0] == '{') return token.find(':') != std::string_view::npos;
  std::string text;
  return token[0] == '"' && wire::UnescapeInto(token, text) && text.size() > kSurelyLong;
}

bool SameForm(const wire::ConnectSchema* a, const wire::ConnectSchema* b) {
  if (!a || !b) return !a && !b;
  return a->type == b->type && a->name == b->name && a->parameters == b->parameters;
}

}  // namespace

Completeness CompletenessOf(const wire::DebeziumEvent& change) {
  if (change.partial) return Completeness::kDocument;
  const bool may_lack = change.op == 'u' || change.has_old_key;   // in any other insert the text is data
  if (may_lack && std::any_of(change.after.begin(), change.after.end(), MayBeUnsent)) return Completeness::kUnsent;
  return Completeness::kWhole;
}

std::optional<std::string> FillMessage(const Record& record, const wire::DebeziumEvent& change, const wire::DebeziumEvent& earlier) {
  struct Piece {
    std::size_t at = 0, size = 0;
    std::string_view value;
  };
  std::vector<Piece> pieces;
  for (const auto& field : change.after) {
    if (!MayBeUnsent(field)) continue;
    const auto from = std::find_if(earlier.after.begin(), earlier.after.end(), [&](const DebeziumField& f) { return f.name == field.name; });
    if (from == earlier.after.end() || !SameForm(field.schema, from->schema) || MayBeUnsent(*from) || !IsLong(from->token)) return std::nullopt;
    const char* const begin = record.bytes.data();
    if (std::less<>()(field.token.data(), begin) || std::less<>()(begin + record.bytes.size(), field.token.data() + field.token.size())) return std::nullopt;
    pieces.push_back({static_cast<std::size_t>(field.token.data() - begin), field.token.size(), from->token});
  }
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.at < b.at; });
  std::string filled;
  std::size_t done = 0;
  for (const Piece& piece : pieces) {
    if (piece.at < done) return std::nullopt;
    filled.append(record.bytes.substr(done, piece.at - done)).append(piece.value);
    done = piece.at + piece.size;
  }
  return filled.append(record.bytes.substr(done));
}

}  // namespace nano::land
