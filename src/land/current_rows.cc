// SPDX-License-Identifier: Apache-2.0
#include "land/current_rows.h"

#include <fmt/format.h>

#include "engine/database.h"

namespace nano::land {
namespace {

using engine::Quote;

std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + Quote(name);
  return out;
}

}  // namespace

std::vector<std::string> RowKey(const TablePlan& plan, const std::vector<std::string>& key) {
  switch (plan.build.definition.identity) {
    case lake::Identity::kKey: return plan.build.definition.source_key();
    case lake::Identity::kNone: break;
    case lake::Identity::kWholeRow:
    case lake::Identity::kUndecided: return {};
  }
  std::vector<std::string> columns;
  for (const auto& field : key) {
    const std::size_t before = columns.size();
    for (const auto& output : plan.outputs)
      if (columns.size() == before && output.expr.empty() && output.mark == lake::Mark::kNone && plan.inputs[output.input].path == std::vector<std::string>{field})
        columns.push_back(output.column);
    if (columns.size() == before) return {};
  }
  return columns;
}

std::string CurrentRows(const TablePlan& plan, const std::vector<std::string>& row_key, std::optional<std::int64_t> only_source) {
  const std::string table = lake::BuildTable(plan.build.id);
  const std::string mine = only_source ? fmt::format("_position >> 48 = {}", *only_source) : "true";
  if (plan.is_history()) return fmt::format("(SELECT * FROM {} WHERE {} AND valid_to IS NULL)", table, mine);
  if (plan.is_soft()) return fmt::format("(SELECT * FROM {} WHERE {} AND _deleted_at IS NULL)", table, mine);
  if (!plan.keeps_events() || row_key.empty()) return fmt::format("(SELECT * FROM {} WHERE {})", table, mine);
  return fmt::format("(SELECT * FROM (SELECT * FROM {0} WHERE {1} AND _position > (SELECT coalesce(max(_position), -1) FROM {0} WHERE {1} AND _op = 't') "
                     "QUALIFY row_number() OVER (PARTITION BY {2} ORDER BY _position DESC) = 1) WHERE _op <> 'd')",
                     table, mine, Joined(row_key));
}

std::string DataColumns(const TablePlan& plan, const std::string& prefix) {
  std::string out;
  for (const auto& column : plan.build.definition.columns)
    if (column.mark == lake::Mark::kNone) out += (out.empty() ? "" : ", ") + prefix + Quote(column.name);
  return out;
}

std::string SameValues(const TablePlan& plan, const std::string& a, const std::string& b) {
  std::string out;
  for (const auto& column : plan.build.definition.columns)
    if (column.mark == lake::Mark::kNone) out += fmt::format("{}{}.{} IS NOT DISTINCT FROM {}.{}", out.empty() ? "" : " AND ", a, Quote(column.name), b, Quote(column.name));
  return out.empty() ? "true" : out;
}

std::string SameKey(const std::vector<std::string>& key, const std::string& a, const std::string& b) {
  std::string out;
  for (const auto& column : key) out += fmt::format("{}{}.{} = {}.{}", out.empty() ? "" : " AND ", a, Quote(column), b, Quote(column));
  return out;
}

}  // namespace nano::land
