// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium_document.h"

#include <algorithm>

#include "wire/debezium_form.h"
#include "wire/json_token.h"

namespace nano::wire {
namespace {

/// {"$date": {"$numberLong": "1"}} and {"$date": 1}; other texts of a date stay texts.
std::string_view BareDate(std::string_view token) {
  if (!IsObject(token)) return token;
  const std::string_view number = Member(token, "$numberLong");
  return IsString(number) ? Inside(number) : number;
}

}  // namespace

const ConnectSchema& DocumentSchema() {
  static const ConnectSchema schema = [] {
    ConnectSchema made;
    made.type = "string";
    made.optional = true;
    made.form = DebeziumForm::kBson;
    return made;
  }();
  return schema;
}

std::string_view DocumentOf(std::string_view text_token, Arena& arena) {
  std::string_view text, token;
  if (!IsString(text_token) || !Unescape(text_token, arena, text) || !WholeToken(text, token) || !IsObject(token)) return {};
  return token;
}

Status TakeUpdateDescription(std::string_view description, Arena& arena, std::vector<DebeziumField>& fields, std::string_view& unfit) {
  const auto in_part = [&](std::string_view name) {
    unfit = arena.Keep(fmt::format("tells only a part of field \"{}\": set capture.mode to change_streams_update_full, which sends whole documents", name));
  };
  const auto add = [&](std::string_view name, std::string_view token) {
    if (const std::size_t dot = name.find('.'); dot != std::string_view::npos) in_part(name.substr(0, dot));
    else fields.push_back({name, token, &DocumentSchema()});
  };
  std::string_view key, token, name, item;
  for (JsonObject members(DocumentOf(Member(description, "updatedFields"), arena)); members.Next(key, token);) {
    if (!Unescape(key, arena, name)) return Fail(Code::kInvalid, "a field's name has an escape that is no character");
    add(name, token);
  }
  for (JsonArray items(Member(description, "removedFields")); items.Next(item);) {
    if (!Unescape(item, arena, name)) return Fail(Code::kInvalid, "a removed field has no name");
    add(name, "null");
  }
  for (JsonArray items(Member(description, "truncatedArrays")); items.Next(item);) {
    if (!Unescape(Member(item, "field"), arena, name)) name = "";
    in_part(name);
  }
  return {};
}

void RenameDocumentKey(std::vector<DebeziumField>& key, Arena& arena) {
  if (key.size() != 1 || key[0].name != "id") return;
  std::string_view text, token;
  if (IsString(key[0].token) && Unescape(key[0].token, arena, text) && WholeToken(text, token)) key[0] = {"_id", token, &DocumentSchema()};
}

Extended ReadExtended(std::string_view token) {
  using Kind = Extended::Kind;
  if (!IsObject(token)) return {Kind::kPlain, token};
  JsonObject members(token);
  std::string_view name, value;
  if (!members.Next(name, value) || !Inside(name).starts_with('$')) return {Kind::kPlain, token};
  const std::string_view word = Inside(name);
  if (word == "$oid" || word == "$uuid" || word == "$symbol") return {IsString(value) ? Kind::kText : Kind::kOpaque, IsString(value) ? value : token};
  if (word == "$numberInt" || word == "$numberLong" || word == "$numberDouble") return {Kind::kNumber, IsString(value) ? Inside(value) : value};
  if (word == "$numberDecimal") return {IsString(value) ? Kind::kDecimal : Kind::kNumber, value};
  if (word == "$date") return {Kind::kDate, BareDate(value)};
  if (word == "$binary") {
    const std::string_view bytes = IsObject(value) ? Member(value, "base64") : value;
    if (IsString(bytes)) return {Kind::kBytes, bytes};
  }
  return {Kind::kOpaque, token};
}

}  // namespace nano::wire
