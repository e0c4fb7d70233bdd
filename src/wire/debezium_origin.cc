// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium_origin.h"

#include <fmt/format.h>

#include <cstring>

#include "wire/debezium_number.h"
#include "wire/json_token.h"

namespace nano::wire {
namespace {

/// The three numbers of an LSN of SQL Server, `00000027:00000758:0005`, as two: 64 bits and 16.
bool ReadLsn(std::string_view text, std::uint64_t& high, std::uint64_t& low) {
  std::uint64_t parts[3] = {0, 0, 0};
  std::size_t part = 0, digits = 0;
  for (const char c : text) {
    if (c == ':') {
      if (digits == 0 || ++part > 2) return false;
      digits = 0;
      continue;
    }
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0 || ++digits > 8) return false;
    parts[part] = parts[part] << 4 | static_cast<std::uint64_t>(digit);
  }
  high = parts[0] << 32 | parts[1];
  low = parts[2];
  return part == 2 && digits != 0;
}

/// `mysql-bin.000003` -> "mysql-bin" and 3.
bool ReadFile(std::string_view file, std::string_view& base, std::uint64_t& number) {
  const std::size_t dot = file.rfind('.');
  if (dot == std::string_view::npos) return false;
  base = file.substr(0, dot);
  const auto read = ReadNumber<std::uint64_t>(file.substr(dot + 1));
  number = read.value_or(0);
  return read.has_value();
}

bool IsSnapshot(std::string_view snapshot) { return !snapshot.empty() && snapshot != "false"; }

/// A number that is not there counts as 0.
std::uint64_t NumberOf(std::string_view token) { return ReadNumber<std::uint64_t>(token).value_or(0); }

std::optional<SourcePlace> PlaceOf(const Origin& origin, const DebeziumEvent& event, Arena& arena) {
  SourcePlace place;
  if (event.sequence_b) {
    place.parts = {event.sequence_a.value_or(0), *event.sequence_b};
    return place;
  }
  if (IsSnapshot(event.snapshot)) return std::nullopt;
  if (!origin.change_lsn.empty() && !IsNull(origin.change_lsn)) {
    auto& p = place.parts;
    if (!ReadLsn(TextOf(origin.commit_lsn, arena), p[0], p[1]) || !ReadLsn(TextOf(origin.change_lsn, arena), p[2], p[3])) return std::nullopt;
    p[4] = NumberOf(origin.event_serial_no);
    return place;
  }
  if (const auto commit = ReadNumber<std::uint64_t>(origin.commit_scn)) {
    place.parts[0] = *commit;
    place.may_resume_inside = true;
    return place;
  }
  if (const auto position = ReadNumber<std::uint64_t>(origin.pos)) {
    std::string_view base;
    if (!ReadFile(TextOf(origin.file, arena), base, place.parts[0])) return std::nullopt;
    place.parts[1] = *position;
    place.parts[2] = NumberOf(origin.row);
    place.epoch = Joined(TextOf(origin.server_id, arena), base, arena);
    return place;
  }
  if (const auto ord = ReadNumber<std::uint64_t>(origin.ord); ord && event.committed_at >= 0) {
    place.parts = {static_cast<std::uint64_t>(event.committed_at / 1'000'000), *ord};
    place.epoch = TextOf(origin.rs, arena);
    place.may_resume_inside = true;
    return place;
  }
  return std::nullopt;
}

std::string_view MarkOf(const Origin& origin, Arena& arena) {
  if (!origin.file.empty() && !IsNull(origin.file)) return Joined(TextOf(origin.file, arena), TextOf(origin.pos, arena), arena);
  for (const std::string_view token : {origin.commit_lsn, origin.scn})
    if (const std::string_view text = TextOf(token, arena); !text.empty()) return text;
  return origin.ord.empty() ? std::string_view() : TextOf(origin.ts_ms, arena);
}

}  // namespace

std::string_view TextOf(std::string_view token, Arena& arena) {
  if (token.empty() || IsNull(token)) return {};
  std::string_view text;
  if (!IsString(token)) return token;
  return Unescape(token, arena, text) ? text : std::string_view();
}

std::string_view Joined(std::string_view first, std::string_view second, Arena& arena) {
  if (first.empty()) return second;
  char* const at = arena.Allocate(first.size() + 1 + second.size());
  std::memcpy(at, first.data(), first.size());
  at[first.size()] = '.';
  if (!second.empty()) std::memcpy(at + first.size() + 1, second.data(), second.size());
  return {at, first.size() + 1 + second.size()};
}

std::string_view TransactionOf(std::string_view id) {
  const std::size_t colon = id.find(':');
  if (colon == std::string_view::npos || colon == 0) return id;
  const auto digits = [](std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; };
  return digits(id.substr(0, colon)) && digits(id.substr(colon + 1)) ? id.substr(0, colon) : id;
}

std::int64_t CommitTime(std::string_view ts_us, std::string_view ts_ms, std::string_view ts_ns) {
  if (const auto micros = ReadNumber<std::int64_t>(ts_us)) return *micros;
  std::int64_t micros = -1;
  if (const auto nanos = ReadNumber<std::int64_t>(ts_ns)) return *nanos / 1000;
  if (const auto millis = ReadNumber<std::int64_t>(ts_ms); millis && !__builtin_mul_overflow(*millis, 1000, &micros)) return micros;
  return -1;
}

bool Origin::Take(std::string_view key, std::string_view value) {
  const auto is = [&](std::string_view name, std::string_view& into) {
    if (key != name) return false;
    into = value;
    return true;
  };
  switch (key.size()) {
    case 2: return is("db", db) || is("rs", rs);
    case 3: return is("lsn", lsn) || is("pos", pos) || is("row", row) || is("scn", scn) || is("ord", ord);
    case 4: return is("txId", tx) || is("gtid", gtid) || is("file", file) || is("lsid", lsid);
    case 5: return is("ts_us", ts_us) || is("ts_ms", ts_ms) || is("ts_ns", ts_ns) || is("table", table);
    case 6: return is("schema", schema);
    case 7: return is("pending", pending);
    case 8: return is("snapshot", snapshot) || is("sequence", sequence);
    case 9: return is("connector", connector) || is("server_id", server_id) || is("txnNumber", txn_number);
    case 10: return is("collection", table) || is("change_lsn", change_lsn) || is("commit_lsn", commit_lsn) || is("commit_scn", commit_scn);
    case 15: return is("event_serial_no", event_serial_no);
    default: return false;
  }
}

void Origin::Into(DebeziumEvent& event, Arena& arena) const {
  event.connector = TextOf(connector, arena);
  event.snapshot = TextOf(snapshot, arena);
  event.committed_at = CommitTime(ts_us, ts_ms, ts_ns);
  std::string_view pair, item;
  if (WholeToken(TextOf(sequence, arena), pair)) {
    JsonArray items(pair);
    if (items.Next(item)) event.sequence_a = ReadNumber<std::uint64_t>(item);
    if (items.Next(item)) event.sequence_b = ReadNumber<std::uint64_t>(item);
  }
  event.lsn = ReadNumber<std::uint64_t>(lsn);
  event.transaction = TextOf(tx, arena);
  event.pending = pending == "true";
  event.place = PlaceOf(*this, event, arena);
  if (IsSnapshot(event.snapshot)) event.snapshot_mark = MarkOf(*this, arena);
  const std::string_view in = TextOf(schema, arena), name = TextOf(table, arena);
  if (!name.empty()) event.stream = Joined(in.empty() ? TextOf(db, arena) : in, name, arena);
}

void Origin::NameTransaction(DebeziumEvent& event, Arena& arena) const {
  if (!event.transaction.empty() || IsSnapshot(event.snapshot)) return;
  if (!gtid.empty()) event.transaction = TextOf(gtid, arena);
  else if (!change_lsn.empty()) event.transaction = TextOf(commit_lsn, arena);
  else if (!txn_number.empty() && !IsNull(txn_number)) event.transaction = Joined(TextOf(txn_number, arena), TextOf(lsid, arena), arena);
}

std::string_view NameOfAttribute(std::string_view attribute) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"tsus", "ts_us"}, {"tsms", "ts_ms"}, {"tsns", "ts_ns"}, {"serverid", "server_id"}, {"changelsn", "change_lsn"},
      {"commitlsn", "commit_lsn"}, {"eventserialno", "event_serial_no"}, {"commitscn", "commit_scn"}, {"txnnumber", "txnNumber"}};
  for (const auto& [short_name, name] : kNames)
    if (attribute == short_name) return name;
  return attribute;
}

std::string SnapshotOf(const DebeziumEvent& event) {
  if (!IsSnapshot(event.snapshot) || event.snapshot == "incremental") return {};
  if (event.lsn || event.snapshot_mark.empty()) return fmt::format("{}/{}/{}", event.lsn.value_or(0), event.transaction, event.run_id);
  return fmt::format("{}/{}/{}", event.snapshot_mark, event.transaction, event.run_id);
}

}  // namespace nano::wire
