// SPDX-License-Identifier: Apache-2.0
// Messages of pgoutput, each behind its length in two bytes: taken apart; what changes a row is written as an envelope, which
// must be read again with the values that went in, and every value is read as every type.
#include <map>

#include "input.h"
#include "wire/debezium.h"
#include "wire/json_scan.h"
#include "wire/pgoutput.h"
#include "wire/postgres_envelope.h"
#include "wire/postgres_text.h"
#include "wire/utf8.h"

using namespace nano;
using namespace nano::wire;

namespace {

/// Types of every kind, by the last digits of the oids that messages name.
const PgTypes& KnownTypes() {
  static const PgTypes types = [] {
    PgTypes known;
    std::uint32_t oid = 0;
    for (const char* const name : {"bool", "int4", "int8", "float8", "numeric", "money", "bytea", "geometry", "jsonb", "hstore", "date", "time", "timestamp",
                                   "timestamptz", "bit", "text"})
      known.Add(oid++, {.name = name});
    for (std::uint32_t item = 0; item < 10; ++item) known.Add(20 + item, {.kind = PgType::Kind::kArray, .name = "_", .of = item});
    known.Add(30, {.kind = PgType::Kind::kComposite, .name = "row", .fields = {{"n", 1, -1}, {"list", 25, -1}, {"t", 15, -1}}});
    known.Add(31, {.kind = PgType::Kind::kArray, .name = "_row", .of = 30});
    known.Add(32, {.kind = PgType::Kind::kDomain, .name = "d", .of = 4, .modifier = 655366});
    known.Add(33, {.name = "box", .delimiter = ';'});
    known.Add(34, {.kind = PgType::Kind::kArray, .name = "_box", .of = 33});
    known.Add(35, {.kind = PgType::Kind::kComposite, .name = "self", .fields = {{"again", 35, -1}}});
    return known;
  }();
  return types;
}

/// Whether JSON can hold it: bare numbers are written as they came.
bool IsHonest(const PgTable& table, const std::vector<PgValue>& row) {
  if (row.size() > table.columns.size()) return false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!IsUtf8(row[i].text)) return false;
    if (table.columns[i].writes != PgTable::Writes::kQuoted && row[i].kind != PgValue::Kind::kNull && !IsJson(row[i].text, Bare::kRefused)) return false;
  }
  return true;
}

void ReadBack(const PgTable& table, const std::vector<PgValue>& row, char op) {
  std::string value;
  WriteChange(table, op, {}, false, row, {}, value);
  Arena arena;
  DebeziumDecoder decoder;
  const auto event = decoder.Decode(value, true, {}, false, {}, table.stream, arena);
  fuzz::Require(event && event->op == op && event->after.size() <= row.size());
  std::string reason;
  for (const auto& field : event->after) {
    fuzz::Require(field.schema != nullptr);
    Cell cell;
    (void)ReadDebezium(InferDebezium(field), field, "", Special::kNull, arena, cell, reason);
    for (const DataType& type : fuzz::Types()) {
      reason.clear();
      const bool fits = ReadDebezium(type, field, "", Special::kQuarantine, arena, cell, reason);
      fuzz::Require(fits || !reason.empty());
    }
  }
}

void Drain(std::string_view text) {
  ArrayText array(text, ',');
  for (ArrayText::Item item; !array.broken();)
    if (!array.Next(item)) break;
  RowText row(text);
  for (RowText::Item item; row.Next(item);) {
  }
  HstoreText pairs(text);
  for (HstoreText::Pair pair; pairs.Next(pair);) {
  }
  std::string line(text);
  std::vector<CopyValue> values;
  SplitCopyLine(line, values);
  fuzz::Require(!values.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input(data, size);
  static const bool closed = KnownTypes().Missing().empty();   // every type names known ones
  fuzz::Require(closed);
  std::map<std::uint32_t, PgTable> tables;
  PgMessage message;
  InStream in = InStream::kNo;
  std::string_view rest = input.text();
  if (rest.size() < 64) Drain(rest);
  (void)DecodeWalFrame(rest);
  (void)ParseLsn(rest.substr(0, 20));
  for (int count = 0; rest.size() > 2 && count < 64; ++count) {
    const std::size_t length = std::min<std::size_t>(static_cast<unsigned char>(rest[0]) << 8 | static_cast<unsigned char>(rest[1]), rest.size() - 2);
    const std::string own(rest.substr(2, length));   // memory of exactly that size
    rest.remove_prefix(2 + length);
    if (!DecodePgOutput(own, in, message)) continue;
    switch (message.kind) {
      case PgMessage::Kind::kStreamStart: in = InStream::kYes; break;
      case PgMessage::Kind::kStreamStop: in = InStream::kNo; break;
      case PgMessage::Kind::kRelation: {
        std::vector<PgTableColumn> columns;
        std::vector<std::string> key;
        bool honest = IsUtf8(message.schema) && IsUtf8(message.name);
        for (const auto& column : message.columns) {
          columns.push_back({std::string(column.name), column.type % 36, column.modifier});
          if (column.in_key) key.emplace_back(column.name);
          honest = honest && IsUtf8(column.name);
        }
        if (honest && columns.size() < 64) tables.insert_or_assign(message.relation, MakePgTable(std::string(message.schema), std::string(message.name), columns, key, KnownTypes()));
        break;
      }
      case PgMessage::Kind::kInsert:
      case PgMessage::Kind::kUpdate: {
        const auto table = tables.find(message.relation);
        if (table == tables.end() || message.after.empty() || !IsHonest(table->second, message.after)) break;
        std::string key;
        (void)WriteKey(table->second, message.after, key);
        ReadBack(table->second, message.after, message.kind == PgMessage::Kind::kInsert ? 'c' : 'u');
        break;
      }
      default: break;
    }
  }
  return 0;
}
