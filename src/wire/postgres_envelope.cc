// SPDX-License-Identifier: Apache-2.0
#include "wire/postgres_envelope.h"

#include <algorithm>
#include <charconv>

#include "wire/json_scan.h"

namespace nano::wire {
namespace {

void AppendNumber(std::uint64_t number, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    const char* const special = FindInString(at, end);
    out.append(at, special);
    if (special == end) break;
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(*special);
    switch (*special) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        out += "\\u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
    at = special + 1;
  }
  out += '"';
}

/// PostgreSQL spells NaN and infinity in letters, which JSON has no numbers for.
bool IsNumber(std::string_view text) { return !text.empty() && text.find_first_of("Nny") == std::string_view::npos; }

void AppendValue(PgTable::Writes writes, const PgValue& value, std::string& out) {
  if (value.kind == PgValue::Kind::kNull) {
    out += "null";
  } else if (value.kind == PgValue::Kind::kUnchanged) {
    out += kUnchangedToken;
  } else if (writes == PgTable::Writes::kBoolean && (value.text == "t" || value.text == "f")) {
    out += value.text == "t" ? "true" : "false";
  } else if (writes == PgTable::Writes::kBare || (writes == PgTable::Writes::kReal && IsNumber(value.text))) {
    out += value.text;
  } else {
    AppendQuoted(value.text, out);
  }
}

void AppendColumns(const PgTable& table, PgRow row, std::span<const std::size_t> which, std::string& out) {
  out += '{';
  bool first = true;
  for (const std::size_t n : which) {
    if (n >= row.size()) continue;
    if (!first) out += ',';
    first = false;
    out += table.columns[n].member;
    AppendValue(table.columns[n].writes, row[n], out);
  }
  out += '}';
}

void AppendRow(const PgTable& table, PgRow row, std::string& out) {
  out += '{';
  for (std::size_t n = 0; n < std::min(row.size(), table.columns.size()); ++n) {
    if (n != 0) out += ',';
    out += table.columns[n].member;
    AppendValue(table.columns[n].writes, row[n], out);
  }
  out += '}';
}

PgTable::Writes WritesOf(PostgresType type) {
  switch (type) {
    case PostgresType::kInteger: case PostgresType::kBigint: return PgTable::Writes::kBare;
    case PostgresType::kFloat: case PostgresType::kDouble: return PgTable::Writes::kReal;
    case PostgresType::kBoolean: return PgTable::Writes::kBoolean;
    default: return PgTable::Writes::kQuoted;
  }
}

std::string Header(std::string_view name, std::string_view key) { return fmt::format("{{\"{}\":{}}}", name, Escape(key)); }

}  // namespace

PgTable MakePgTable(std::string schema, std::string name, const std::vector<PgTableColumn>& columns, const std::vector<std::string>& key,
                    const PgTypes& types) {
  PgTable table;
  table.stream = schema + "." + name;
  table.source = fmt::format(R"("connector":"postgresql","schema":{},"table":{})", Escape(schema), Escape(name));
  table.schema = std::move(schema);
  table.name = std::move(name);
  std::string fields;
  for (const auto& column : columns) {
    if (!fields.empty()) fields += ',';
    fields += types.FieldSchema(column.name, column.type, column.modifier);
    table.columns.push_back({column.name, Escape(column.name) + ":", WritesOf(types.TypeOf(column.type, column.modifier))});
  }
  for (std::size_t n = 0; n < columns.size(); ++n)
    if (std::find(key.begin(), key.end(), columns[n].name) != key.end()) table.key.push_back(n);
  table.opening = fmt::format(R"({{"schema":{{"type":"struct","name":"{}","fields":[{}]}},"payload":{{"op":")", kPostgresRow, fields);
  return table;
}

DebeziumOutline WriteChange(const PgTable& table, char op, PgRow before, bool before_is_key, PgRow after, const PgOrigin& origin, std::string& out) {
  out += table.opening;
  return WriteChangeBody(table, op, before, before_is_key, after, origin, out);
}

DebeziumOutline WriteChangeBody(const PgTable& table, char op, PgRow before, bool before_is_key, PgRow after, const PgOrigin& origin, std::string& out) {
  const std::size_t begin = out.size();
  DebeziumOutline outline;
  if (op != 't' && !origin.pending && origin.snapshot != PgOrigin::Snapshot::kWhole) outline.op = op;
  const auto place = [&](std::size_t from, std::uint32_t& at, std::uint32_t& size) {
    at = static_cast<std::uint32_t>(from - begin + table.opening.size());
    size = static_cast<std::uint32_t>(out.size() - from);
  };
  out += op;
  out += R"(","before":)";
  const std::size_t before_at = out.size();
  if (before.empty()) out += "null";
  else if (before_is_key) AppendColumns(table, before, table.key, out);
  else AppendRow(table, before, out);
  if (!before.empty()) place(before_at, outline.before, outline.before_size);
  out += R"(,"after":)";
  const std::size_t after_at = out.size();
  if (after.empty()) out += "null";
  else AppendRow(table, after, out);
  if (!after.empty()) place(after_at, outline.after, outline.after_size);
  out += R"(,"source":{)";
  out += table.source;
  if (origin.xid != 0) {
    out += R"(,"txId":)";
    AppendNumber(origin.xid, out);
  }
  out += R"(,"lsn":)";
  AppendNumber(origin.lsn.value, out);
  if (origin.snapshot == PgOrigin::Snapshot::kNone) {
    out += R"(,"sequence":"[\")";
    AppendNumber(origin.commit.value, out);
    out += R"(\",\")";
    AppendNumber(origin.lsn.value, out);
    out += R"(\"]")";
  } else {
    out += origin.snapshot == PgOrigin::Snapshot::kChunk ? R"(,"snapshot":"incremental")" : R"(,"snapshot":"true")";
  }
  out += R"(,"ts_us":)";
  if (origin.time < 0) out += '-';
  AppendNumber(static_cast<std::uint64_t>(origin.time < 0 ? -origin.time : origin.time), out);
  if (origin.pending) out += R"(,"pending":true)";
  out += "}}}";
  return outline;
}

bool WriteKey(const PgTable& table, PgRow row, std::string& out) {
  if (table.key.empty()) return false;
  for (const std::size_t n : table.key)
    if (n >= row.size() || row[n].kind != PgValue::Kind::kText) return false;
  AppendColumns(table, row, table.key, out);
  return true;
}

std::string NewKeyHeader(std::string_view key) { return Header("__debezium.newkey", key); }
std::string OldKeyHeader(std::string_view key) { return Header("__debezium.oldkey", key); }

}  // namespace nano::wire
