// SPDX-License-Identifier: Apache-2.0
#pragma once
/// SQL by which tables of a database are read: of a table, of the rows behind a key, of the rows with some keys.

#include <string>
#include <vector>

#include "ingest/postgres_catalog.h"

namespace nano::ingest {

/// `COPY (SELECT … FROM … WHERE … ORDER BY key LIMIT n) TO STDOUT`, of the rows that are published. `limit`: 0: all, in no order.
std::string CopySql(const io::Postgres& connection, const TableName& name, const CatalogTable& catalog, const std::vector<std::string>& conditions, std::size_t limit);

/// The rows behind one whose key has these values, in the index's order; "" where there are none.
std::string ConditionAfter(const io::Postgres& connection, const CatalogTable& catalog, const std::vector<std::string>& last);
/// The same up to one, and that too.
std::string ConditionUpTo(const io::Postgres& connection, const CatalogTable& catalog, const std::vector<std::string>& last);
/// Rows whose columns have these values.
std::string ConditionIn(const io::Postgres& connection, const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& values);

/// The places of the key's columns among those that are read, in the index's order.
std::vector<std::size_t> KeyColumns(const CatalogTable& catalog);

}  // namespace nano::ingest
