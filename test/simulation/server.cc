// SPDX-License-Identifier: Apache-2.0
#include "server.h"

#include <algorithm>

#include "copy_query.h"
#include "wire/pgoutput.h"

namespace nano::simulation {
namespace {

constexpr const char* kSlotName = "nanohouse_simulated_db";

tl::unexpected<Error> ServerError(Code code, std::string_view state, const std::string& message) {
  auto failure = Fail(code, "the database said: {}", message);
  failure.value().value = state;
  return failure;
}

std::string Lsn(std::uint64_t value) { return wire::LsnText(wire::Lsn{value}); }

std::uint64_t Number(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

const char* TypeName(std::uint32_t oid) { return oid == 20 ? "int8" : oid == 23 ? "int4" : oid == 1700 ? "numeric" : "text"; }

}  // namespace

Server::Server(Draw draw, Scheduler& scheduler, Trace& trace, Database& database, int version)
    : draw_(draw), scheduler_(scheduler), trace_(trace), database_(database), version_(version) {
  ticked_ = scheduler_.steady_micros();
}

std::string Server::Literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string Server::Identifier(std::string_view text) { return "\"" + std::string(text) + "\""; }

void Server::Scale(double by) {
  for (double* const rate : {&rates.refused, &rates.cut_before, &rates.cut_after, &rates.cut_in_copy, &rates.refused_query, &rates.stream_cut, &rates.server_crash}) *rate *= by;
}

// --- what goes on by itself

void Server::Tick() {
  const std::int64_t now = scheduler_.steady_micros(), passed = now - std::exchange(ticked_, now);
  if (!is_up()) return;
  if (draw_.Chance(rates.server_crash)) {
    trace_.SayFault("server crashes");
    return Crash();
  }
  database_.Tick(passed);
  if (draw_.Chance(0.05))
    for (auto& [name, slot] : slots_) slot.saved = slot.confirmed;
  if (sending_) Serve(*sending_);
}

void Server::Crash() {
  database_.Crash();
  ++incarnation_;
  up_at_ = scheduler_.steady_micros() + draw_.Between(10'000, 4'000'000);
  for (auto& [name, slot] : slots_) slot.confirmed = slot.saved;
  if (sending_) sending_->link->cut = true;
  sending_.reset();
  exported_.clear();
}

void Server::DropSlot() {
  if (slots_.empty()) return;
  trace_.SayFault("slot is dropped");
  if (sending_) sending_->link->cut = true;
  sending_.reset();
  slots_.clear();
}

ServerBackup Server::Backup() {
  ServerBackup backup{database_.Copy(), published_, has_publication_, {}};
  for (const auto& [name, slot] : slots_) backup.slots[name] = slot.confirmed;
  return backup;
}

void Server::Restore(const ServerBackup& backup) {
  trace_.SayFault("backup is restored", fmt::format("to {:x}", backup.database.end));
  database_.Restore(backup.database);
  published_ = backup.published;
  has_publication_ = backup.has_publication;
  slots_.clear();
  for (const auto& [name, confirmed] : backup.slots) slots_[name] = {confirmed, confirmed};
  Crash();
}

void Server::Serve(Sending& sending) {
  Link& link = *sending.link;
  const std::int64_t now = scheduler_.steady_micros();
  if (!link.cut && !link.reader_gone && draw_.Chance(rates.stream_cut)) {
    trace_.SayFault("stream is cut");
    link.cut = true;
    const std::size_t through = draw_.Below(link.down.size() + 1);
    link.down.resize(through);
    if (draw_.Chance(0.5)) link.up.clear();
  }
  while (!link.up.empty() && link.up.front().at <= now) {
    TakeStatus(sending, link.up.front().bytes);
    link.up.pop_front();
  }
  if (link.cut || link.reader_gone) {
    if (sending.notices_at < 0) sending.notices_at = now + (draw_.Chance(0.7) ? draw_.Between(0, 50'000) : draw_.Between(0, 25'000'000));
    if (now >= sending.notices_at && link.up.empty()) sending_.reset();
    return;
  }
  constexpr std::size_t kWindow = 60;
  for (std::size_t n = draw_.Below(12); n > 0 && link.down.size() < kWindow; --n) {
    if (sending.frames.empty() && !sending.walsender.Produce(sending.frames)) break;
    while (!sending.frames.empty() && link.down.size() < kWindow) {
      const std::int64_t at = std::max(link.down.empty() ? 0 : link.down.back().at, now + draw_.Between(0, draw_.Chance(0.02) ? 500'000 : 5'000));
      link.down.push_back({at, std::move(sending.frames.front())});
      sending.frames.pop_front();
    }
  }
  if (sending.frames.empty() && draw_.Chance(0.03)) link.down.push_back({now, sending.walsender.Keepalive(draw_.Chance(0.3))});
}

void Server::TakeStatus(Sending& sending, const std::string& bytes) {
  if (bytes.size() != 34 || bytes[0] != 'r') return;
  Slot& slot = slots_[kSlotName];
  slot.confirmed = std::max(slot.confirmed, Number(bytes, 9));
  if (bytes[33] != 0) sending.frames.push_back(sending.walsender.Keepalive(false));
}

// --- statements

Status Server::CheckAlive(const Session& session) const {
  if (session.incarnation == incarnation_ && is_up()) return {};
  return ServerError(Code::kUnavailable, "57P01", "terminating connection due to administrator command");
}

Status Server::WaitForRunning(const Session& session) {
  const auto before = database_.running();
  while (true) {
    const auto now = database_.running();
    if (std::none_of(before.begin(), before.end(), [&](std::uint64_t xid) { return now.contains(xid); })) return {};
    scheduler_.Pause(Scheduler::Passes::kMust);
    TRY(CheckAlive(session));
  }
}

std::optional<std::size_t> Server::TableOf(const std::string& oid) const {
  for (std::size_t t = 0; t < database_.tables().size(); ++t)
    if (std::to_string(database_.tables()[t].oid) == oid) return t;
  return std::nullopt;
}

/// CREATE PUBLICATION … FOR TABLE "public"."a", … or ALTER PUBLICATION … ADD TABLE …
Status Server::Publish(const std::string& sql) {
  if (sql.starts_with("CREATE") && has_publication_) return ServerError(Code::kExists, "42710", "publication exists");
  has_publication_ = true;
  database_.Flush();
  for (std::size_t t = 0; t < database_.tables().size(); ++t)
    if (sql.find("\"public\"." + Identifier(database_.tables()[t].name)) != std::string::npos) published_.emplace(t, database_.log_end());
  return {};
}

/// Keys of rows at which a table is divided: `SELECT "id" FROM (… FROM ONLY "public"."items" TABLESAMPLE …`.
Server::Values Server::Bounds(const std::string& sql) {
  const std::size_t from = sql.find("\"public\".\"") + 10;
  const std::size_t t = database_.Find(sql.substr(from, sql.find('"', from) - from));
  const Table& table = database_.tables()[t];
  const Snapshot snapshot = database_.Take();
  Values out;
  for (const auto& [key, row] : database_.RowsOf(snapshot, t)) {
    if (!draw_.Chance(0.08)) continue;
    auto& values = out.emplace_back();
    for (const std::size_t column : table.key) values.push_back(row[column]);
  }
  return out;
}

Result<Server::Values> Server::Execute(Session& session, const std::string& sql, const std::vector<std::string>& parameters) {
  TRY(CheckAlive(session));
  const auto begins = [&](std::string_view text) { return sql.starts_with(text); };
  if (begins("SELECT (SELECT system_identifier")) return Values{{"7300000000000000001", "16384", Lsn(database_.flushed_end())}};
  if (begins("SELECT current_setting('wal_level')")) return Values{{"logical"}};
  if (begins("SELECT puballtables,")) return has_publication_ ? Values{{"f", version_ >= 130000 ? "t" : "f"}} : Values{};
  if (begins("SELECT schemaname || '.' || tablename FROM pg_publication_tables")) {
    Values out;
    for (const auto& [table, at] : published_) out.push_back({"public." + database_.tables()[table].name});
    return out;
  }
  if (begins("CREATE PUBLICATION") || begins("ALTER PUBLICATION")) {
    TRY(Publish(sql));
    return Values{};
  }
  if (begins("SELECT c.oid, c.relkind, c.relreplident FROM pg_class")) {
    const std::size_t t = database_.Find(parameters.at(1));
    if (t == std::string::npos) return Values{};
    return Values{{std::to_string(database_.tables()[t].oid), "r", std::string(1, static_cast<char>(database_.tables()[t].identity))}};
  }
  if (begins("SELECT attname, atttypid, atttypmod FROM pg_attribute")) {
    Values out;
    for (const auto& column : database_.tables()[TableOf(parameters.at(0)).value()].columns) out.push_back({column.name, std::to_string(column.type), "-1"});
    return out;
  }
  if (begins("SELECT a.attname FROM pg_index")) {
    Values out;
    const Table& table = database_.tables()[TableOf(parameters.at(0)).value()];
    for (const std::size_t column : table.key) out.push_back({table.columns[column].name});
    return out;
  }
  if (begins("SELECT attnames, rowfilter FROM pg_publication_tables")) {
    const std::size_t t = database_.Find(parameters.at(2));
    if (!published_.contains(t)) return Values{};
    std::string names = "{";
    for (const auto& column : database_.tables()[t].columns) names += (names.size() > 1 ? "," : "") + column.name;
    return Values{{names + "}", std::nullopt}};
  }
  if (begins("SELECT oid, typname,")) {
    Values out;
    for (const std::uint32_t oid : {20U, 23U, 25U, 1700U})
      if (("," + parameters.at(0).substr(1, parameters.at(0).size() - 2) + ",").find("," + std::to_string(oid) + ",") != std::string::npos)
        out.push_back({std::to_string(oid), TypeName(oid), "b", "0", "0", "-1", ",", "0", "f"});
    return out;
  }
  if (begins("SELECT coalesce(plugin, '')")) {
    const auto slot = slots_.find(parameters.at(0));
    if (slot == slots_.end()) return Values{};
    return Values{{"pgoutput", "t", Lsn(slot->second.confirmed), "reserved", "0", std::nullopt}};
  }
  if (begins("SELECT lsn FROM pg_create_logical_replication_slot")) {
    if (slots_.contains(parameters.at(0))) return ServerError(Code::kExists, io::kDuplicateObject, "replication slot exists");
    TRY(WaitForRunning(session));
    database_.Flush();
    const std::uint64_t at = database_.log_end();
    slots_[parameters.at(0)] = {at, at};
    return Values{{Lsn(at)}};
  }
  if (begins("CREATE_REPLICATION_SLOT")) {
    TRY(WaitForRunning(session));
    database_.Flush();
    // All that has committed in the log's order is in what it exports.
    const std::string name = fmt::format("snapshot-{}", exported_.size() + 1);
    exported_[name] = database_.TakeLogged();
    return Values{{"temporary", Lsn(database_.log_end()), name, "pgoutput"}};
  }
  if (begins("SELECT pg_drop_replication_slot($1)")) {
    if (!slots_.contains(parameters.at(0))) return ServerError(Code::kNotFound, io::kUndefinedObject, "replication slot does not exist");
    if (sending_) return ServerError(Code::kUnavailable, io::kObjectInUse, "replication slot is active");
    slots_.erase(parameters.at(0));
    return Values{{""}};
  }
  if (begins("SELECT pg_snapshot_xmax(") || begins("SELECT txid_snapshot_xmax(")) return Values{{std::to_string(database_.next_xid())}};
  if (begins("SELECT pg_current_snapshot()") || begins("SELECT txid_current_snapshot()")) {
    const Snapshot snapshot = session.snapshot ? *session.snapshot : database_.Take();
    if (session.in_transaction) session.snapshot = snapshot;
    return Values{{snapshot.Text(), std::to_string(database_.now())}};
  }
  if (begins("SELECT coalesce(sum(pg_relation_size") || begins("SELECT pg_relation_size(")) return Values{{std::to_string(draw_.Chance(0.5) ? 10 : 64 * draw_.Between(2, 12))}};
  if (begins("SELECT ") && sql.find(" ntile(") != std::string::npos) return Bounds(sql);
  if (begins("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")) {
    session.in_transaction = true;
    session.snapshot.reset();
    if (const std::size_t at = sql.find("SET TRANSACTION SNAPSHOT '"); at != std::string::npos) {
      const auto exported = exported_.find(sql.substr(at + 26, sql.rfind('\'') - at - 26));
      if (exported == exported_.end()) return ServerError(Code::kInvalid, "22023", "invalid snapshot identifier");
      session.snapshot = exported->second;
    }
    return Values{};
  }
  if (sql == "ROLLBACK") {
    session.in_transaction = false;
    session.snapshot.reset();
    return Values{};
  }
  if (begins("SELECT pg_logical_emit_message(false, $1, $2), txid_current()")) return Values{{Lsn(database_.EmitMessage(parameters.at(1))), "1"}};
  return ServerError(Code::kInvalid, "0A000", "the simulated server does not know: " + sql);
}

Result<std::vector<std::string>> Server::Copy(Session& session, const std::string& sql) {
  TRY(CheckAlive(session));
  const auto query = ParseCopy(sql, database_);
  if (!query) return ServerError(Code::kInvalid, "0A000", "the simulated server does not know: " + sql);
  while (database_.is_locked(query->table)) {   // by a TRUNCATE
    scheduler_.Pause(Scheduler::Passes::kMust);
    TRY(CheckAlive(session));
  }
  const Snapshot snapshot = session.snapshot ? *session.snapshot : database_.Take();
  if (session.in_transaction) session.snapshot = snapshot;
  return CopyLines(*query, database_.RowsOf(snapshot, query->table));
}

Status Server::StartReplication(const std::string& sql, const std::shared_ptr<Link>& link) {
  const std::size_t name_at = sql.find('"') + 1;
  const auto slot = slots_.find(sql.substr(name_at, sql.find('"', name_at) - name_at));
  if (slot == slots_.end()) return ServerError(Code::kNotFound, io::kUndefinedObject, "replication slot does not exist");
  if (sending_) return ServerError(Code::kUnavailable, io::kObjectInUse, "replication slot is active");
  const std::size_t lsn_at = sql.find(" LOGICAL ") + 9;
  const auto asked = wire::ParseLsn(sql.substr(lsn_at, sql.find(' ', lsn_at) - lsn_at));
  WalsenderStart start;
  start.from = std::max(asked ? asked->value : 0, slot->second.confirmed);
  start.protocol = sql[sql.find("proto_version '") + 15] - '0';
  start.streams = sql.find("streaming 'on'") != std::string::npos;
  start.messages = sql.find("messages 'true'") != std::string::npos;
  start.tells_empty = version_ < 150000;
  start.published = published_;
  sending_ = std::make_unique<Sending>(Sending{Walsender(database_, draw_.Fork(), start), link, -1, {}});
  trace_.Say("a walsender starts at {}, the slot was at {}", Lsn(start.from), Lsn(slot->second.confirmed));
  return {};
}

}  // namespace nano::simulation
