// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_catalog.h"

#include <algorithm>
#include <set>

#include "wire/postgres_text.h"

namespace nano::ingest {
namespace {

/// `{a,b}`, as PostgreSQL writes an array of oids.
std::string ArrayOf(const std::vector<std::uint32_t>& oids) {
  std::string out = "{";
  for (const auto oid : oids) out += (out.size() > 1 ? "," : "") + std::to_string(oid);
  return out + "}";
}

Result<std::vector<std::string>> ReadIndexKey(io::Postgres& connection, std::uint32_t table, const char* which) {
  ASSIGN(const auto rows, connection.Query(fmt::format("SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, n), pg_attribute a "
                                                       "WHERE i.indrelid = $1::oid AND i.{} AND k.n <= i.indnkeyatts "
                                                       "AND a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.n", which),
                                           {std::to_string(table)}));
  std::vector<std::string> names;
  for (std::size_t r = 0; r < rows.size(); ++r) names.push_back(rows.text(r, 0));
  return names;
}

/// A publication may name some of the columns and some of the rows, from version 15 on.
Status ReadPublished(io::Postgres& connection, const TableName& name, const std::string& publication, CatalogTable& table) {
  if (connection.server_version() < 150000) return {};
  ASSIGN(const auto rows, connection.Query("SELECT attnames, rowfilter FROM pg_publication_tables WHERE pubname = $1 AND schemaname = $2 AND tablename = $3",
                                           {publication, name.schema, name.table}));
  if (rows.size() == 0) return {};
  std::set<std::string> published;
  wire::ArrayText names(rows.text(0, 0), ',');
  for (wire::ArrayText::Item item; names.Next(item);) published.insert(std::string(item.text));
  if (!published.empty()) std::erase_if(table.columns, [&](const auto& column) { return !published.contains(column.name); });
  table.filter = rows.text(0, 1);
  return {};
}

}  // namespace

std::optional<TableName> SplitStream(const std::string& stream) {
  const std::size_t dot = stream.find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == stream.size()) return std::nullopt;
  return TableName{stream.substr(0, dot), stream.substr(dot + 1)};
}

Result<std::vector<std::string>> ReadPrimaryKey(io::Postgres& connection, std::uint32_t table) {
  return ReadIndexKey(connection, table, "indisprimary");
}

Result<CatalogTable> ReadCatalogTable(io::Postgres& connection, const TableName& name, const std::string& publication) {
  ASSIGN(const auto found, connection.Query("SELECT c.oid, c.relkind, c.relreplident FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                                            "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')",
                                            {name.schema, name.table}));
  if (found.size() == 0)
    return WithHint(Fail(Code::kNotFound, "the database has no table \"{}.{}\"", name.schema, name.table),
                    "Mend the table's `source`: its stream is written schema.table, as the database has it.");
  CatalogTable table;
  table.oid = static_cast<std::uint32_t>(found.integer(0, 0));
  table.kind = found.text(0, 1)[0];
  table.identity = static_cast<wire::ReplicaIdentity>(found.text(0, 2)[0]);
  ASSIGN(const auto columns, connection.Query("SELECT attname, atttypid, atttypmod FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 "
                                              "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
                                              {found.text(0, 0)}));
  for (std::size_t r = 0; r < columns.size(); ++r)
    table.columns.push_back({columns.text(r, 0), static_cast<std::uint32_t>(columns.integer(r, 1)), static_cast<std::int32_t>(columns.integer(r, 2))});
  ASSIGN(table.primary_key, ReadPrimaryKey(connection, table.oid));
  if (table.identity == wire::ReplicaIdentity::kIndex) { ASSIGN(table.identity_index, ReadIndexKey(connection, table.oid, "indisreplident")); }
  TRY(ReadPublished(connection, name, publication, table));
  return table;
}

Status LearnTypes(io::Postgres& connection, const std::vector<std::uint32_t>& oids, wire::PgTypes& types) {
  std::vector<std::uint32_t> wanted;
  for (const auto oid : oids)
    if (!types.Knows(oid)) wanted.push_back(oid);
  while (!wanted.empty()) {
    ASSIGN(const auto rows, connection.Query("SELECT oid, typname, typtype, typelem, typbasetype, typtypmod, typdelim, typrelid, "
                                             "typoutput::oid = 'array_out'::regproc::oid FROM pg_type WHERE oid = ANY ($1::oid[])",
                                             {ArrayOf(wanted)}));
    for (const auto oid : wanted) types.Add(oid, {.name = "text"});   // one that is gone by now
    for (std::size_t r = 0; r < rows.size(); ++r) {
      wire::PgType type{.name = rows.text(r, 1)};
      if (!rows.text(r, 6).empty()) type.delimiter = rows.text(r, 6)[0];
      const char kind = rows.text(r, 2)[0];
      if (kind == 'd') {
        type.kind = wire::PgType::Kind::kDomain;
        type.of = static_cast<std::uint32_t>(rows.integer(r, 4));
        type.modifier = static_cast<std::int32_t>(rows.integer(r, 5));
      } else if (rows.boolean(r, 8)) {
        type.kind = wire::PgType::Kind::kArray;
        type.of = static_cast<std::uint32_t>(rows.integer(r, 3));
      } else if (kind == 'c') {
        type.kind = wire::PgType::Kind::kComposite;
        ASSIGN(const auto fields, connection.Query("SELECT attname, atttypid, atttypmod FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 "
                                                   "AND NOT attisdropped ORDER BY attnum", {rows.text(r, 7)}));
        for (std::size_t f = 0; f < fields.size(); ++f)
          type.fields.push_back({fields.text(f, 0), static_cast<std::uint32_t>(fields.integer(f, 1)), static_cast<std::int32_t>(fields.integer(f, 2))});
      }
      types.Add(static_cast<std::uint32_t>(rows.integer(r, 0)), std::move(type));
    }
    wanted = types.Missing();
  }
  return {};
}

}  // namespace nano::ingest
