// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_query.h"

#include <algorithm>

namespace nano::ingest {
namespace {

std::string NameList(const io::Postgres& connection, const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + connection.Identifier(name);
  return out;
}

std::string ValueList(const io::Postgres& connection, const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ", ") + connection.Literal(value);
  return out;
}

}  // namespace

std::string CopySql(const io::Postgres& connection, const TableName& name, const CatalogTable& catalog, const std::vector<std::string>& conditions, std::size_t limit) {
  std::string columns, where;
  for (const auto& column : catalog.columns) columns += (columns.empty() ? "" : ", ") + connection.Identifier(column.name);
  std::vector<std::string> all = conditions;
  all.push_back(catalog.filter);
  for (const auto& part : all)
    if (!part.empty()) where += (where.empty() ? " WHERE (" : " AND (") + part + ")";
  const std::string order = limit == 0 ? "" : fmt::format(" ORDER BY {} LIMIT {}", NameList(connection, catalog.key()), limit);
  // Rows of a partitioned table are its partitions'; those of any other are its own alone.
  return fmt::format("COPY (SELECT {} FROM {}{}.{}{}{}) TO STDOUT", columns, catalog.kind == 'p' ? "" : "ONLY ", connection.Identifier(name.schema),
                     connection.Identifier(name.table), where, order);
}

std::string ConditionAfter(const io::Postgres& connection, const CatalogTable& catalog, const std::vector<std::string>& last) {
  return last.empty() ? "" : fmt::format("({}) > ({})", NameList(connection, catalog.key()), ValueList(connection, last));
}

std::string ConditionUpTo(const io::Postgres& connection, const CatalogTable& catalog, const std::vector<std::string>& last) {
  return last.empty() ? "" : fmt::format("({}) <= ({})", NameList(connection, catalog.key()), ValueList(connection, last));
}

std::string ConditionIn(const io::Postgres& connection, const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& values) {
  std::string all;
  for (const auto& row : values) all += (all.empty() ? "(" : ", (") + ValueList(connection, row) + ")";
  return fmt::format("({}) IN ({})", NameList(connection, columns), all);
}

std::vector<std::size_t> KeyColumns(const CatalogTable& catalog) {
  std::vector<std::size_t> out;
  for (const auto& name : catalog.key())
    out.push_back(static_cast<std::size_t>(std::find_if(catalog.columns.begin(), catalog.columns.end(), [&](const auto& column) { return column.name == name; }) - catalog.columns.begin()));
  return out;
}

}  // namespace nano::ingest
