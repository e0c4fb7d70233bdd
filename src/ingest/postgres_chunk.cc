// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_chunk.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "ingest/postgres_changes.h"
#include "ingest/postgres_query.h"
#include "wire/postgres_text.h"

namespace nano::ingest {
namespace {

using nlohmann::json;
using wire::PgValue;

/// How soon a snapshot is taken again that did not see enough.
constexpr std::chrono::milliseconds kRetry{20};

/// A key's value, written as JSON, as PostgreSQL's own text again.
std::string TextOfKey(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "t" : "f";
  return value.dump();
}

/// One connection at work.
class ChunkReader {
 public:
  ChunkReader(io::Postgres& connection, wire::PgTypes& types, const std::stop_token& stop) : connection_(connection), types_(types), stop_(stop) {}

  Result<ChunkRows> Read(const ChunkTask& task) {
    ChunkRows out;
    while (true) {
      TRY(connection_.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
      auto read = ReadInside(task, out);
      const Status ended = connection_.Execute("ROLLBACK");
      TRY(read);
      TRY(ended);
      if (*read) break;
      if (stop_.stop_requested()) return Fail(Code::kUnavailable, "stopped while a table was read");
      SleepFor(kRetry, stop_);
    }
    // The commit that the transaction's id brings has the log written out, and so the mark.
    ASSIGN(const auto place, connection_.Query("SELECT pg_logical_emit_message(false, $1, $2), txid_current()", {std::string(kMarkPrefix), task.mark}));
    out.high = wire::ParseLsn(place.text(0, 0)).value_or(wire::Lsn{});
    return out;
  }

 private:
  /// False: the snapshot does not see enough yet.
  Result<bool> ReadInside(const ChunkTask& task, ChunkRows& out) {
    ASSIGN(const auto rows, connection_.Query(fmt::format("SELECT {}, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
                                                          connection_.server_version() >= 130000 ? "pg_current_snapshot()" : "txid_current_snapshot()")));
    const auto snapshot = Visibility::Parse(rows.text(0, 0));
    if (!snapshot) return Fail(Code::kInternal, "the database's snapshot can't be read");
    if (snapshot->xmin() < task.not_before || !task.seen.AllSeenBy(*snapshot)) return false;
    out.snapshot = *snapshot;
    out.time = rows.integer(0, 1);
    const auto name = SplitStream(task.stream);
    if (!name) return Fail(Code::kInvalid, "stream \"{}\" names no schema", task.stream);
    ASSIGN(const auto catalog, ReadCatalogTable(connection_, *name, task.publication));   // as the snapshot has it
    std::vector<std::uint32_t> oids;
    for (const auto& column : catalog.columns) oids.push_back(column.type);
    TRY(LearnTypes(connection_, oids, types_));
    out.shape = std::make_unique<wire::PgTable>(MakePgTable(name->schema, name->table, catalog.columns, catalog.key(), types_));
    std::vector<std::string> conditions;
    if (task.by_keys) conditions.push_back(ConditionOf(catalog, task.keys));
    else conditions = {ConditionAfter(connection_, catalog, task.after), ConditionUpTo(connection_, catalog, task.up_to)};
    if (!task.by_keys || !task.keys.empty()) TRY(Copy(task, CopySql(connection_, *name, catalog, conditions, task.limit), catalog, out));
    return true;
  }

  std::string ConditionOf(const CatalogTable& catalog, const std::vector<std::string>& keys) const {
    std::vector<std::vector<std::string>> rows;
    for (const auto& key : keys) {
      const json object = json::parse(key, nullptr, false);
      auto& row = rows.emplace_back();
      for (const auto& column : catalog.key()) row.push_back(object.contains(column) ? TextOfKey(object[column]) : "");
    }
    return ConditionIn(connection_, catalog.key(), rows);
  }

  Status Copy(const ChunkTask& task, const std::string& sql, const CatalogTable& catalog, ChunkRows& out) {
    const auto key_at = KeyColumns(catalog);
    wire::PgOrigin origin;
    origin.snapshot = wire::PgOrigin::Snapshot::kChunk;
    origin.time = out.time;
    std::vector<wire::CopyValue> copied;
    std::vector<PgValue> row;
    return connection_.CopyOut(sql, [&](std::string& line) -> Status {
      if (stop_.stop_requested()) return Fail(Code::kUnavailable, "stopped while a table was read");
      SplitCopyLine(line, copied);
      if (copied.size() != catalog.columns.size()) return Fail(Code::kCorrupt, "a row of table \"{}\" has another number of values than columns", task.stream);
      row.clear();
      for (const auto& value : copied) row.push_back(value.is_null ? PgValue{} : PgValue{PgValue::Kind::kText, value.text});
      const std::size_t at = out.text.size();
      if (!WriteKey(*out.shape, row, out.text)) return Fail(Code::kCorrupt, "a row of table \"{}\" has no key", task.stream);
      const std::size_t key_size = out.text.size() - at;
      const auto outline = WriteChangeBody(*out.shape, 'r', {}, false, row, origin, out.text);
      out.rows.push_back({at, static_cast<std::uint32_t>(key_size), static_cast<std::uint32_t>(out.text.size() - at - key_size), outline});
      out.read_bytes += line.size();
      if (task.limit != 0 && out.rows.size() == task.limit)
        for (const std::size_t column : key_at) out.last.emplace_back(copied[column].text);
      return {};
    });
  }

  io::Postgres& connection_;
  wire::PgTypes& types_;
  const std::stop_token& stop_;
};

}  // namespace

ChunkReaders::~ChunkReaders() {
  for (auto& work : working_) work->RequestStop();
  const std::lock_guard lock(mutex_);
  for (io::Postgres* const connection : asked_) connection->Cancel();
}

void ChunkReaders::Give(ChunkTask task) {
  std::erase_if(working_, [](const auto& work) { return work->ended(); });
  working_.push_back(io::TheBackground().Start([this, given = std::move(task)](const std::stop_token& stop) {
    Result<ChunkRows> rows = Read(given, stop);
    const std::lock_guard lock(mutex_);
    done_.push_back({given.id, std::move(rows)});
  }));
}

std::optional<ChunkReaders::Done> ChunkReaders::Take() {
  const std::lock_guard lock(mutex_);
  if (done_.empty()) return std::nullopt;
  Done done = std::move(done_.front());
  done_.pop_front();
  return done;
}

/// By a connection that has nothing to do, or by a new one.
Result<ChunkRows> ChunkReaders::Read(const ChunkTask& task, const std::stop_token& stop) {
  Session session;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      session = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!session.connection) { ASSIGN(session.connection, connect_(url_, io::Postgres::Mode::kQueries)); }
  {
    const std::lock_guard lock(mutex_);
    if (stop.stop_requested()) return Fail(Code::kUnavailable, "stopped while a table was read");
    asked_.insert(session.connection.get());
  }
  auto rows = ChunkReader(*session.connection, session.types, stop).Read(task);
  const std::lock_guard lock(mutex_);
  asked_.erase(session.connection.get());
  if (rows) idle_.push_back(std::move(session));
  return rows;
}

}  // namespace nano::ingest
