// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_setup.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "base/clock.h"
#include "ingest/postgres_catalog.h"
#include "io/signals.h"

namespace nano::ingest {
namespace {

constexpr std::string_view kPlugin = "pgoutput";
/// A session of ours that was ended may hold the slot for a moment.
constexpr std::chrono::seconds kSlotPatience{20};

/// Whether `*` and `?`-less text match: `public.*`, `*.orders`.
bool MatchesPattern(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at)
    if (MatchesPattern(rest, text.substr(at))) return true;
  return false;
}

std::string QualifiedName(const io::Postgres& connection, const TableName& name) {
  return connection.Identifier(name.schema) + "." + connection.Identifier(name.table);
}

struct Publication {
  bool there = false, all_tables = false, by_root = false;
  std::set<std::string> tables;   ///< schema.table
};

Result<Publication> FindPublication(io::Postgres& connection, const std::string& name) {
  Publication out;
  const bool has_root = connection.server_version() >= 130000;
  ASSIGN(const auto found, connection.Query(fmt::format("SELECT puballtables, {} FROM pg_publication WHERE pubname = $1", has_root ? "pubviaroot" : "false"), {name}));
  out.there = found.size() > 0;
  if (!out.there) return out;
  out.all_tables = found.boolean(0, 0);
  out.by_root = found.boolean(0, 1);
  // Of a partitioned table that is not sent as one the first names the partitions, the second the table.
  ASSIGN(const auto tables, connection.Query("SELECT schemaname || '.' || tablename FROM pg_publication_tables WHERE pubname = $1 "
                                             "UNION SELECT n.nspname || '.' || c.relname FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid "
                                             "JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = $1", {name}));
  for (std::size_t r = 0; r < tables.size(); ++r) out.tables.insert(tables.text(r, 0));
  return out;
}

/// Without an identity the database itself refuses updates and deletes once the table is published.
bool LacksIdentity(const CatalogTable& table) {
  return table.identity == wire::ReplicaIdentity::kNothing || (table.identity == wire::ReplicaIdentity::kDefault && table.primary_key.empty());
}

/// What is to be done to the publication: statements of ours, and what only the owner of the data can decide.
struct Plan {
  std::vector<Lack> ours;
  std::vector<Lack> theirs;
};

Result<Plan> PlanPublication(io::Postgres& connection, const contract::PostgresSource& source, const std::vector<std::string>& streams) {
  Plan plan;
  ASSIGN(const auto publication, FindPublication(connection, source.publication));
  const std::string quoted = connection.Identifier(source.publication);
  std::string list;
  for (const auto& stream : streams) {
    const bool listed = publication.there && (publication.all_tables || publication.tables.contains(stream));
    if (listed && publication.by_root) continue;
    const auto name = SplitStream(stream);
    if (!name) return WithHint(Fail(Code::kInvalid, "stream \"{}\" names no schema", stream), "Write schema.table, such as public.orders.");
    ASSIGN(const auto table, ReadCatalogTable(connection, *name, source.publication));
    const std::string qualified = QualifiedName(connection, *name);
    if (publication.there && table.kind == 'p' && !publication.by_root)
      plan.ours.push_back({fmt::format("publication \"{}\" sends partitions under their own names", source.publication),
                           fmt::format("ALTER PUBLICATION {} SET (publish_via_partition_root = true);", quoted)});
    if (listed) continue;
    if (LacksIdentity(table))
      plan.theirs.push_back({fmt::format("table \"{}\" has no replica identity: once published, updates and deletes of it would fail in the database", stream),
                             fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL;", qualified)});
    list += (list.empty() ? "" : ", ") + qualified;
  }
  if (!publication.there) {
    if (list.empty()) return plan;
    const bool has_root = connection.server_version() >= 130000;
    plan.ours.push_back({fmt::format("publication \"{}\" is missing", source.publication),
                         fmt::format("CREATE PUBLICATION {} FOR TABLE {}{};", quoted, list, has_root ? " WITH (publish_via_partition_root = true)" : "")});
  } else if (!list.empty()) {
    plan.ours.push_back({fmt::format("publication \"{}\" lacks tables", source.publication), fmt::format("ALTER PUBLICATION {} ADD TABLE {};", quoted, list)});
  }
  return plan;
}

tl::unexpected<Error> Lacking(const Lack& lack, Code code) { return WithHint(Fail(code, "{}", lack.what), fmt::format("Run in the database: {}", lack.sql)); }

}  // namespace

std::string SlotName(const contract::Source& source, const std::string& warehouse) {
  if (!source.postgres.slot.empty()) return source.postgres.slot;
  constexpr std::size_t kLongest = 63;
  std::string name;
  for (const char c : "nanohouse_" + warehouse + "_" + source.name) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    name += (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') ? lower : '_';
  }
  return name.substr(0, kLongest);
}

Result<std::vector<std::string>> WantedStreams(io::Postgres& connection, const contract::PostgresSource& source, const std::vector<std::string>& named) {
  std::vector<std::string> out = named;
  if (source.streams.empty()) return out;
  ASSIGN(const auto tables, connection.Query("SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                                             "WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition "
                                             "AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1"));
  for (std::size_t r = 0; r < tables.size(); ++r) {
    const std::string& stream = tables.text(r, 0);
    const bool wanted = std::any_of(source.streams.begin(), source.streams.end(), [&](const auto& pattern) { return MatchesPattern(pattern, stream); });
    if (wanted && std::find(out.begin(), out.end(), stream) == out.end()) out.push_back(stream);
  }
  return out;
}

Result<std::vector<Lack>> FindLacks(io::Postgres& connection, const contract::PostgresSource& source, const std::vector<std::string>& streams) {
  std::vector<Lack> lacks;
  ASSIGN(const auto settings, connection.Query(
      "SELECT current_setting('wal_level'), current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots), "
      "current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_replication), current_user, "
      "(SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user), "
      "EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication' AND pg_has_role(oid, 'member'))"));
  if (settings.text(0, 0) != "logical")
    lacks.push_back({fmt::format("wal_level is {}, and must be logical", settings.text(0, 0)), "ALTER SYSTEM SET wal_level = logical; -- then restart the server"});
  if (settings.integer(0, 1) < 1) lacks.push_back({"all replication slots are in use", "ALTER SYSTEM SET max_replication_slots = 20; -- then restart the server"});
  if (settings.integer(0, 2) < 2) lacks.push_back({"nearly all WAL senders are in use", "ALTER SYSTEM SET max_wal_senders = 20; -- then restart the server"});
  if (!settings.boolean(0, 4) && !settings.boolean(0, 5))
    lacks.push_back({fmt::format("role \"{}\" may not replicate", settings.text(0, 3)),
                     fmt::format("ALTER ROLE {} REPLICATION;", connection.Identifier(settings.text(0, 3)))});
  for (const auto& stream : streams) {
    const auto name = SplitStream(stream);
    if (!name) continue;
    ASSIGN(const auto right, connection.Query("SELECT has_schema_privilege(n.oid, 'USAGE'), has_table_privilege(c.oid, 'SELECT') FROM pg_class c "
                                              "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
                                              {name->schema, name->table}));
    const std::string role = connection.Identifier(settings.text(0, 3));
    if (right.size() > 0 && !right.boolean(0, 0))
      lacks.push_back({fmt::format("schema \"{}\" may not be used", name->schema), fmt::format("GRANT USAGE ON SCHEMA {} TO {};", connection.Identifier(name->schema), role)});
    if (right.size() > 0 && !right.boolean(0, 1))
      lacks.push_back({fmt::format("table \"{}\" may not be read", stream), fmt::format("GRANT SELECT ON {} TO {};", QualifiedName(connection, *name), role)});
  }
  ASSIGN(const Plan plan, PlanPublication(connection, source, streams));
  lacks.insert(lacks.end(), plan.theirs.begin(), plan.theirs.end());
  lacks.insert(lacks.end(), plan.ours.begin(), plan.ours.end());
  return lacks;
}

Status MakePublication(io::Postgres& connection, const contract::PostgresSource& source, const std::vector<std::string>& streams) {
  ASSIGN(const auto level, connection.Query("SELECT current_setting('wal_level')"));
  if (level.text(0, 0) != "logical")
    return Lacking({fmt::format("wal_level of the database is {}, and must be logical", level.text(0, 0)),
                    "ALTER SYSTEM SET wal_level = logical; -- then restart the server"}, Code::kInvalid);
  ASSIGN(const Plan plan, PlanPublication(connection, source, streams));
  if (!plan.theirs.empty()) return Lacking(plan.theirs.front(), Code::kInvalid);
  for (const auto& lack : plan.ours) {
    const Status done = connection.Execute(lack.sql);
    if (done || done.error().code == Code::kExists) continue;
    if (done.error().code == Code::kDenied) return Lacking({fmt::format("{}, and {}", lack.what, done.error().message), lack.sql}, Code::kDenied);
    return done;
  }
  return {};
}

Result<Slot> FindSlot(io::Postgres& connection, const std::string& name) {
  const bool has_status = connection.server_version() >= 130000;
  ASSIGN(const auto rows, connection.Query(fmt::format(
      "SELECT coalesce(plugin, ''), coalesce(database, '') = current_database(), coalesce(confirmed_flush_lsn::text, '0/0'), {}, "
      "coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint, {} FROM pg_replication_slots WHERE slot_name = $1",
      has_status ? "coalesce(wal_status, '')" : "''", has_status ? "safe_wal_size" : "NULL"), {name}));
  Slot slot;
  if (rows.size() == 0) return slot;
  if (rows.text(0, 0) != kPlugin || !rows.boolean(0, 1))
    return WithHint(Fail(Code::kInvalid, "replication slot \"{}\" is not one of this database for pgoutput", name), "Give the source another `slot`.");
  slot.state = rows.text(0, 3) == "lost" ? SlotState::kLost : SlotState::kThere;
  slot.confirmed = wire::ParseLsn(rows.text(0, 2)).value_or(wire::Lsn{});
  slot.wal_status = rows.text(0, 3);
  slot.held_bytes = rows.integer(0, 4);
  if (!rows.is_null(0, 5)) slot.safe_bytes = rows.integer(0, 5);
  return slot;
}

Result<wire::Lsn> MakeSlot(io::Postgres& connection, const std::string& name) {
  const auto made = connection.Query("SELECT lsn FROM pg_create_logical_replication_slot($1, 'pgoutput')", {name});
  if (!made && made.error().code == Code::kDenied) {
    const auto role = connection.Query("SELECT current_user");
    return Lacking({"the role may not make a replication slot", fmt::format("ALTER ROLE {} REPLICATION;", connection.Identifier(role ? role->text(0, 0) : ""))}, Code::kDenied);
  }
  TRY(made);
  return wire::ParseLsn(made->text(0, 0)).value_or(wire::Lsn{});
}

Status DropSlot(io::Postgres& connection, const std::string& name) {
  const auto deadline = NowSteady() + kSlotPatience;
  while (true) {
    const auto dropped = connection.Query("SELECT pg_drop_replication_slot($1)", {name});
    if (dropped) return {};
    if (dropped.error().value != io::kObjectInUse || NowSteady() > deadline || io::StopRequested()) return tl::make_unexpected(dropped.error());
    SleepFor(std::chrono::milliseconds(100));
  }
}

Status SeizeSlot(io::Postgres& connection, const std::string& name) {
  const auto deadline = NowSteady() + kSlotPatience;
  while (true) {
    TRY(connection.Query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL", {name}));
    const auto dropped = connection.Query("SELECT pg_drop_replication_slot($1)", {name});
    if (dropped) return {};
    if (dropped.error().value != io::kObjectInUse || NowSteady() > deadline) return tl::make_unexpected(dropped.error());
    SleepFor(std::chrono::milliseconds(50));
  }
}

Result<SystemIdentity> Identify(io::Postgres& connection) {
  ASSIGN(const auto rows, connection.Query("SELECT (SELECT system_identifier FROM pg_control_system()), "
                                           "(SELECT oid FROM pg_database WHERE datname = current_database()), pg_current_wal_flush_lsn()"));
  return SystemIdentity{rows.text(0, 0), rows.text(0, 1), wire::ParseLsn(rows.text(0, 2)).value_or(wire::Lsn{})};
}

}  // namespace nano::ingest
