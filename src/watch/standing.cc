// SPDX-License-Identifier: Apache-2.0
#include "watch/standing.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

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

std::int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

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

}  // namespace

Result<Standing> ReadStanding(lake::Reader* reader, const contract::Layout& layout, const contract::Contract* contract) {
  Standing out;
  if (!reader) {
    ASSIGN(out.sources, ReadSources(nullptr, {}, layout, contract));
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

  std::map<std::string, TableStatus> by_build;
  ASSIGN(const auto tables, connection.Query(kTables));
  for (std::size_t row = 0; row < tables.size(); ++row)
    by_build[tables.text(row, 0)] = {"", tables.text(row, 0), tables.integer(row, 1), tables.integer(row, 2), tables.integer(row, 3),
                                     tables.integer(row, 4), tables.text(row, 5), 0};
  ASSIGN(const auto quarantine, connection.Query("SELECT table_name, count(*) FROM lake.nanohouse.quarantine GROUP BY table_name"));
  std::map<std::string, std::int64_t> quarantined;
  for (std::size_t row = 0; row < quarantine.size(); ++row) {
    quarantined[quarantine.text(row, 0)] += quarantine.integer(row, 1);
    out.quarantine += quarantine.integer(row, 1);
  }

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
        TableStatus status = by_build[id];
        status.name = name;
        status.build = id;
        status.quarantine = quarantined[name];
        out.tables.push_back(std::move(status));
      }
      version.builds.push_back(std::move(build));
    }
    out.versions.push_back(std::move(version));
  }
  return out;
}

}  // namespace nano::watch
