// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The parts of Inspect(): what the catalog's rows say of each other, and what files say of the catalog's rows.

#include "lake/invariants.h"

namespace nano::lake {

struct CatalogTable {
  std::int64_t id = 0;
  std::string schema, name;
  std::string full_name() const { return schema + "." + name; }
};
Result<std::vector<CatalogTable>> LiveTables(engine::Connection& connection);

Status CheckCatalogRows(engine::Connection& connection, std::vector<Violation>& out);
Status CheckPositions(engine::Connection& connection, std::vector<Violation>& out);
Status CheckBounds(engine::Connection& connection, const std::filesystem::path& data, const CatalogTable& table, std::vector<Violation>& out);
/// Files, and row ids that stand in them.
Status CheckFiles(engine::Connection& connection, const std::filesystem::path& data, const std::vector<CatalogTable>& tables,
                  const std::function<bool()>& stop, Inspection& out);

}  // namespace nano::lake
