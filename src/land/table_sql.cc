// SPDX-License-Identifier: Apache-2.0
#include "land/table_sql.h"

#include <fmt/format.h>

#include <set>

namespace nano::land {

Registered::Registered(engine::Database& database, std::shared_ptr<engine::RowSource> source)
    : database_(database), handle_(database.Register(std::move(source))) {}

Registered::~Registered() { database_.Release(handle_); }

std::string Registered::relation() const { return fmt::format("nano_rows({})", handle_); }

std::string WithFieldNames(const TablePlan& plan, const std::string& relation) {
  std::set<std::string> named;
  std::string extra;
  for (const auto& output : plan.outputs)
    for (const auto& [field, sql] : output.fields)
      if (named.insert(field).second) extra += ", " + sql + " AS " + engine::Quote(field);
  return "(SELECT *" + extra + " FROM " + relation + ")";
}

std::string ExpressionFails(const Output& output) {
  std::string fails = "TRY(" + output.value + ") IS NULL";
  if (!output.not_null) fails += " AND TRY((" + output.expr + ") IS NULL) IS NOT TRUE";
  return fails;
}

}  // namespace nano::land
