// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_discover.h"

#include "ingest/postgres_catalog.h"
#include "ingest/postgres_ddl.h"
#include "wire/debezium_form.h"

namespace nano::ingest {
namespace {

Result<DatabaseTable> DescribeTable(io::Postgres& connection, const std::string& stream, const TableName& name, const std::string& publication, wire::PgTypes& types) {
  ASSIGN(const auto catalog, ReadCatalogTable(connection, name, publication));
  DatabaseTable table;
  table.stream = stream;
  table.key = catalog.key();
  std::vector<std::uint32_t> oids;
  for (const auto& column : catalog.columns) oids.push_back(column.type);
  TRY(LearnTypes(connection, oids, types));
  ASSIGN(const auto said, connection.Query("SELECT coalesce(obj_description($1::oid, 'pg_class'), '')", {std::to_string(catalog.oid)}));
  table.description = said.text(0, 0);
  ASSIGN(const auto columns, connection.Query("SELECT attname, coalesce(col_description(attrelid, attnum), '') FROM pg_attribute "
                                              "WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
                                              {std::to_string(catalog.oid)}));
  for (const auto& column : catalog.columns) {
    const auto schema = wire::ParseConnectSchema(types.FieldSchema(column.name, column.type, column.modifier));
    DatabaseTable::Column& out = table.columns.emplace_back();
    out.name = column.name;
    if (schema) out.type = wire::InferPostgres(*schema);
    for (std::size_t r = 0; r < columns.size(); ++r)
      if (columns.text(r, 0) == column.name) out.description = columns.text(r, 1);
  }
  const bool full = catalog.identity == wire::ReplicaIdentity::kFull;
  if (table.key.empty() && !full) table.notes.push_back("no primary key: before it is read it must say how its rows are known (REPLICA IDENTITY FULL)");
  else if (table.key.empty()) table.notes.push_back("no primary key: rows are known by all of their values");
  return table;
}

}  // namespace

Result<Database> DescribeDatabase(const Secret& url, const contract::PostgresSource& source) {
  ASSIGN(const auto connection, io::Postgres::Connect(url, io::Postgres::Mode::kQueries));
  Database out;
  ASSIGN(const auto named, connection->Query("SELECT current_database()"));
  out.name = named.text(0, 0);
  contract::PostgresSource all = source;
  if (all.streams.empty()) all.streams = {"*"};
  ASSIGN(const auto streams, WantedStreams(*connection, all, {}));
  wire::PgTypes types;
  for (const auto& stream : streams) {
    const auto name = SplitStream(stream);
    if (!name) continue;
    ASSIGN(auto table, DescribeTable(*connection, stream, *name, source.publication, types));
    out.tables.push_back(std::move(table));
  }
  return out;
}

Result<DatabaseStanding> LookAtDatabase(const contract::Source& source, const std::string& warehouse, const std::vector<std::string>& streams) {
  ASSIGN(const Secret url, source.postgres.url.Resolve());
  ASSIGN(const auto connection, io::Postgres::Connect(url, io::Postgres::Mode::kQueries));
  DatabaseStanding out;
  ASSIGN(const auto wanted, WantedStreams(*connection, source.postgres, streams));
  out.tables = wanted.size();
  ASSIGN(out.lacks, FindLacks(*connection, source.postgres, wanted));
  out.slot_name = SlotName(source, warehouse);
  ASSIGN(out.slot, FindSlot(*connection, out.slot_name));
  ASSIGN(out.ddl_trigger, HasDdlTrigger(*connection));
  return out;
}

Status InstallDdlTrigger(const contract::Source& source) {
  ASSIGN(const Secret url, source.postgres.url.Resolve());
  ASSIGN(const auto connection, io::Postgres::Connect(url, io::Postgres::Mode::kQueries));
  return InstallDdlTrigger(*connection);
}

}  // namespace nano::ingest
