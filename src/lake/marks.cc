// SPDX-License-Identifier: Apache-2.0
#include "lake/marks.h"

#include <algorithm>

namespace nano::lake {
namespace {

std::vector<BuildColumn> MarksOf(const contract::Table& table) {
  const DataType time{TypeKind::kTimestamptz, 0, 0, {}, {}};
  if (table.mode == contract::Mode::kHistory)
    return {{"valid_from", time, true, "When this state of the row began.", Mark::kValidFrom},
            {"valid_to", time, false, "When it ended; NULL while it holds.", Mark::kValidTo}};
  std::vector<BuildColumn> marks;
  if (KeepsEvents(table))  // a delete is a row of its own
    marks.push_back({"_op", {TypeKind::kString, 0, 0, {}, {}}, true, "The change: c, u, d, r (snapshot) or t (truncate).", Mark::kOp});
  else if (table.deletes == contract::Deletes::kSoft)
    marks.push_back({"_deleted_at", time, false, "When the source deleted the row; NULL while it is there.", Mark::kDeletedAt});
  return marks;
}

}  // namespace

bool KeepsEvents(const contract::Table& table) {
  return table.mode == contract::Mode::kAppend && table.mode_given && table.of_changes;
}

Status AddMarks(const contract::Table& table, BuildDefinition& definition) {
  for (auto& mark : MarksOf(table)) {
    const BuildColumn* const known = definition.column(mark.name);
    if (known && known->mark == mark.mark) continue;
    if (known)
      return WithHint(Fail(Code::kInvalid, "table \"{}\": the source has a field \"{}\", and the table has a column of its own with this name",
                           table.name, mark.name),
                      "Declare the columns, and give the field another name: `{name: …, field: " + mark.name + "}`.");
    definition.columns.push_back(std::move(mark));
  }
  if (table.mode != contract::Mode::kHistory) return {};
  if (definition.identity != Identity::kKey && definition.identity != Identity::kUndecided)
    return WithHint(Fail(Code::kInvalid, "table \"{}\" is a history, and the source names no key", table.name),
                    "Name a primary_key, or choose `mode: append`.");
  auto& key = definition.key;
  if (!key.empty() && std::find(key.begin(), key.end(), "valid_from") == key.end()) key.push_back("valid_from");
  return {};
}

}  // namespace nano::lake
