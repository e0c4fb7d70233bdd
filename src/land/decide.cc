// SPDX-License-Identifier: Apache-2.0
#include "land/decide.h"

#include <algorithm>

namespace nano::land {

bool IsUndecided(const lake::BuildDefinition& definition) {
  return definition.columns.empty() || definition.identity == lake::Identity::kUndecided;
}

Result<lake::BuildDefinition> Decide(const contract::Table& table, const lake::BuildDefinition& before,
                                     const std::vector<SourceField>& fields, const std::vector<std::string>& key, bool whole_row) {
  lake::BuildDefinition definition = before;
  if (definition.columns.empty())
    for (const auto& field : fields) {
      if (field.name.rfind('_', 0) == 0 && (field.name == lake::kPositionColumn || field.name == lake::kCommittedAtColumn)) continue;
      const bool in_key = std::find(key.begin(), key.end(), field.name) != key.end() ||
                          std::find(definition.key.begin(), definition.key.end(), field.name) != definition.key.end();
      definition.columns.push_back({field.name, field.type, in_key, ""});
    }
  if (definition.identity != lake::Identity::kUndecided) return definition;
  if (key.empty()) {
    definition.identity = whole_row ? lake::Identity::kWholeRow : lake::Identity::kNone;
    return definition;
  }
  definition.key.clear();
  for (const auto& field : key) {
    std::string column;
    for (const auto& candidate : table.columns)
      if (!candidate.expr && (candidate.field.empty() ? candidate.name == field : candidate.field.size() == 1 && candidate.field[0] == field))
        column = candidate.name;
    if (table.columns.empty()) column = field;
    if (column.empty() || !definition.column(column))
      return WithHint(Fail(Code::kInvalid, "table \"{}\" has no column for the source's key field \"{}\"", table.name, field),
                      "Add the column, or name another primary_key.");
    definition.key.push_back(column);
  }
  definition.identity = lake::Identity::kKey;
  return definition;
}

}  // namespace nano::land
