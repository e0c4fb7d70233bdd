// SPDX-License-Identifier: Apache-2.0
#include "watch/standing.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/clock.h"
#include "journal/journal.h"
#include "lake/build.h"

namespace nano::watch {
namespace {

/// Live rows and files of every build, by its id.
constexpr const char* kTables = R"sql(
WITH live AS (
  SELECT t.table_id, t.table_name
  FROM __ducklake_metadata_lake.ducklake_table t JOIN __ducklake_metadata_lake.ducklake_schema s USING (schema_id)
  WHERE s.schema_name = 'build' AND s.end_snapshot IS NULL AND t.end_snapshot IS NULL),
data AS (
  SELECT table_id, sum(record_count) AS records, count(*) AS files, sum(file_size_bytes) AS bytes
  FROM __ducklake_metadata_lake.ducklake_data_file WHERE end_snapshot IS NULL GROUP BY table_id),
gone AS (
  SELECT table_id, sum(delete_count) AS deleted, count(*) AS files, sum(file_size_bytes) AS bytes
  FROM __ducklake_metadata_lake.ducklake_delete_file WHERE end_snapshot IS NULL GROUP BY table_id),
newest AS (
  SELECT f.table_id, max(try_cast(f.max_value AS TIMESTAMPTZ)) AS at
  FROM __ducklake_metadata_lake.ducklake_file_column_stats f
  JOIN __ducklake_metadata_lake.ducklake_data_file d ON d.data_file_id = f.data_file_id AND d.end_snapshot IS NULL
  JOIN __ducklake_metadata_lake.ducklake_column c
    ON c.table_id = f.table_id AND c.column_id = f.column_id AND c.column_name = '_committed_at' AND c.parent_column IS NULL
  GROUP BY f.table_id)
SELECT live.table_name, (coalesce(records, 0) - coalesce(deleted, 0))::BIGINT, (coalesce(data.files, 0) + coalesce(gone.files, 0))::BIGINT,
       (coalesce(data.bytes, 0) + coalesce(gone.bytes, 0))::BIGINT, coalesce(deleted, 0)::BIGINT, newest.at::VARCHAR
FROM live LEFT JOIN data USING (table_id) LEFT JOIN gone USING (table_id) LEFT JOIN newest USING (table_id))sql";

constexpr std::size_t kRuns = 20;

/// What of a source is journaled and not landed.
Result<void> ReadLagOf(const std::filesystem::path& folder, SourceStatus& source) {
  auto opened = journal::Reader::Open(folder);
  if (!opened) {
    if (opened.error().code == Code::kNotFound) return {};
    return tl::make_unexpected(std::move(opened).error());
  }
  journal::Reader& reader = **opened;
  ASSIGN(const journal::Tail tail, reader.Refresh());
  source.journaled = tail.end.value;
  Position at{std::max(source.position, reader.first().value)};
  bool first = true;
  while (at < tail.end) {
    ASSIGN(const journal::BlockPtr block, reader.Read(at));
    if (!block || block->size() == 0) break;
    if (first) {
      const Record oldest = block->record(static_cast<std::size_t>(at.value - block->begin().value));
      if (oldest.ingested_at != kNoTime) source.lag_seconds = static_cast<double>(std::max<std::int64_t>(NowMicros() - oldest.ingested_at, 0)) / 1e6;
      first = false;
    }
    const std::uint64_t part = block->end().value - at.value;
    source.lag_bytes += block->raw_bytes() * part / block->size();
    at = block->end();
  }
  return {};
}

Result<std::vector<SourceStatus>> ReadSources(engine::Connection* connection, const lake::Cut& cut, const contract::Layout& layout,
                                              const contract::Contract* contract) {
  std::set<std::string> names;
  if (contract)
    for (const auto& source : contract->sources) names.insert(source.name);
  if (connection) {
    ASSIGN(const auto known, connection->Query("SELECT name FROM lake.nanohouse.source"));
    for (std::size_t row = 0; row < known.size(); ++row) names.insert(known.text(row, 0));
  }
  std::vector<SourceStatus> out;
  for (const auto& name : names) {
    SourceStatus source;
    source.name = name;
    source.state = "stopped";
    if (const auto found = cut.sources.find(name); found != cut.sources.end()) source.position = found->second.value;
    if (auto lag = ReadLagOf(layout.journal(name), source); !lag) {
      source.state = "failed";
      source.reason = lag.error().message;
      source.hint = lag.error().hint.empty() ? "`nanohouse doctor` looks at every store." : lag.error().hint;
    }
    out.push_back(std::move(source));
  }
  return out;
}

/// `2026-01-02 03:04:05.678901+00`
std::string TimeText(std::int64_t micros) {
  const std::time_t seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                     parts.tm_min, parts.tm_sec, micros % 1'000'000);
}

/// The latest runs, and what they say of the sources: what runs now, and what failed when it ran last.
Status ReadRuns(state::State& state, Standing& standing) {
  ASSIGN(const auto runs, state.Runs(kRuns));
  ASSIGN(const auto holder, state.writer());
  std::set<std::string> told;
  for (const auto& run : runs) {
    RunStatus status{run.id, run.command, std::string(state::ToString(run.outcome)), TimeText(run.started),
                     run.finished ? TimeText(*run.finished) : "", run.message, run.counters};
    const bool alive = run.outcome == state::Outcome::kRunning && holder && holder->held && holder->epoch == run.epoch;
    if (run.outcome == state::Outcome::kRunning && run.epoch > 0 && !alive) status.state = state::ToString(state::Outcome::kLost);
    if (run.command == "ingest" || run.command == "run") {
      const auto counters = nlohmann::json::parse(run.counters, nullptr, false);
      for (auto& source : standing.sources) {
        if (alive && source.state == "stopped") source.state = "running";
        if (!counters.is_object() || !counters.contains("sources") || !counters["sources"].contains(source.name)) continue;
        if (!told.insert(source.name).second || source.state != "stopped") continue;
        const auto& entry = counters["sources"][source.name];
        if (!entry.contains("error")) continue;
        source.state = "failed";
        source.reason = entry["error"].value("message", "");
        source.hint = entry["error"].value("hint", "");
      }
    }
    standing.runs.push_back(std::move(status));
  }
  return {};
}

/// What every build holds, and what of every table is in quarantine.
struct Holdings {
  std::map<std::string, TableStatus> by_build;
  std::map<std::string, std::int64_t> quarantined;
  std::int64_t all_quarantined = 0;

  TableStatus Of(const std::string& name, const std::string& build) {
    TableStatus status = by_build[build];
    status.name = name;
    status.build = build;
    status.quarantine = quarantined[name];
    return status;
  }
};

Result<Holdings> ReadHoldings(engine::Connection& connection) {
  Holdings out;
  ASSIGN(const auto tables, connection.Query(kTables));
  for (std::size_t row = 0; row < tables.size(); ++row)
    out.by_build[tables.text(row, 0)] = {"", tables.text(row, 0), tables.integer(row, 1), tables.integer(row, 2), tables.integer(row, 3),
                                         tables.integer(row, 4), tables.text(row, 5), 0};
  ASSIGN(const auto quarantine, connection.Query("SELECT table_name, count(*) FROM lake.nanohouse.quarantine GROUP BY table_name"));
  for (std::size_t row = 0; row < quarantine.size(); ++row) {
    out.quarantined[quarantine.text(row, 0)] += quarantine.integer(row, 1);
    out.all_quarantined += quarantine.integer(row, 1);
  }
  return out;
}

}  // namespace

Result<std::vector<TableStatus>> ReadTables(engine::Connection& connection) {
  ASSIGN(Holdings held, ReadHoldings(connection));
  ASSIGN(const int promoted, lake::CurrentVersion(connection));
  ASSIGN(const auto names, lake::ReadVersion(connection, promoted));
  std::vector<TableStatus> out;
  for (const auto& [name, id] : names) out.push_back(held.Of(name, id));
  return out;
}

Result<Standing> ReadStanding(lake::Reader* reader, state::State* state, const contract::Layout& layout, const contract::Contract* contract) {
  Standing out;
  if (!reader) {
    ASSIGN(out.sources, ReadSources(nullptr, {}, layout, contract));
    if (state) TRY(ReadRuns(*state, out));
    return out;
  }
  engine::Connection& connection = reader->connection();
  ASSIGN(const auto snapshot, connection.Query("SELECT snapshot_id, snapshot_time::TIMESTAMPTZ::VARCHAR FROM "
                                               "__ducklake_metadata_lake.ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1"));
  if (!snapshot.empty()) {
    out.snapshot = snapshot.integer(0, 0);
    out.committed_at = snapshot.text(0, 1);
  }
  ASSIGN(const lake::Cut cut, lake::CutOf(connection, out.snapshot));
  ASSIGN(out.sources, ReadSources(&connection, cut, layout, contract));
  if (state) TRY(ReadRuns(*state, out));

  ASSIGN(Holdings held, ReadHoldings(connection));
  out.quarantine = held.all_quarantined;

  ASSIGN(const auto builds, lake::ReadBuilds(connection));
  ASSIGN(const int promoted, lake::CurrentVersion(connection));
  ASSIGN(const auto numbers, connection.Query("SELECT v.number, (SELECT b.contract_version FROM lake.nanohouse.bundle b WHERE b.version = v.number "
                                              "ORDER BY b.applied_at DESC LIMIT 1) FROM (SELECT DISTINCT number FROM lake.nanohouse.version) v "
                                              "ORDER BY v.number"));
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    VersionStatus version;
    version.number = static_cast<int>(numbers.integer(row, 0));
    version.contract_version = numbers.text(row, 1);
    version.state = version.number == promoted ? "promoted" : "live";
    ASSIGN(const auto names, lake::ReadVersion(connection, version.number));
    for (const auto& [name, id] : names) {
      BuildStatus build;
      build.name = name;
      build.build = id;
      if (const auto found = builds.find(id); found != builds.end()) build.revision = found->second.revision;
      const contract::Table* table = contract ? contract->table(name) : nullptr;
      for (const auto& source : out.sources) {
        const bool feeds = !table || std::any_of(table->sources.begin(), table->sources.end(),
                                                 [&](const auto& feed) { return feed.source == source.name; });
        if (!feeds) continue;
        build.positions.emplace_back(source.name, source.position);
        build.lag_bytes += source.lag_bytes;
      }
      if (version.number == promoted) {
        out.tables.push_back(held.Of(name, id));
      }
      version.builds.push_back(std::move(build));
    }
    out.versions.push_back(std::move(version));
  }
  return out;
}

}  // namespace nano::watch
