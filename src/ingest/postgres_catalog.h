// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a PostgreSQL database's catalog says of its tables and types, as far as reading their changes needs it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/postgres.h"
#include "wire/postgres_envelope.h"

namespace nano::ingest {

/// `public.orders` taken apart; nothing where it has no schema.
struct TableName {
  std::string schema, table;
};
std::optional<TableName> SplitStream(const std::string& stream);

/// A table at the moment of asking.
struct CatalogTable {
  std::uint32_t oid = 0;
  char kind = 'r';                              ///< r, or p: partitioned
  wire::ReplicaIdentity identity = wire::ReplicaIdentity::kDefault;
  std::vector<wire::PgTableColumn> columns;     ///< that are replicated: not the generated ones
  std::vector<std::string> primary_key;         ///< in the index's order
  std::vector<std::string> identity_index;      ///< of REPLICA IDENTITY USING INDEX
  std::string filter;                           ///< the publication's WHERE; "" if none

  /// By what rows are known: the identity's index, else the primary key; empty: by nothing.
  const std::vector<std::string>& key() const { return identity_index.empty() ? primary_key : identity_index; }
};

/// kNotFound: there is none of that name.
Result<CatalogTable> ReadCatalogTable(io::Postgres& connection, const TableName& name, const std::string& publication);

/// The names of the primary key's columns of a table; none where there is no key.
Result<std::vector<std::string>> ReadPrimaryKey(io::Postgres& connection, std::uint32_t table);

/// Makes the types known, and those that they are made of.
Status LearnTypes(io::Postgres& connection, const std::vector<std::uint32_t>& oids, wire::PgTypes& types);

}  // namespace nano::ingest
