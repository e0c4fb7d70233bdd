// SPDX-License-Identifier: Apache-2.0
#include "land/decide.h"

#include <algorithm>

#include "lake/marks.h"

namespace nano::land {

using lake::BuildDefinition;

namespace {

Status DecideIdentity(const contract::Table& table, BuildDefinition& definition, const std::vector<std::string>& key, bool whole_row) {
  if (definition.identity != lake::Identity::kUndecided) return {};
  if (key.empty()) {
    if (table.mode == contract::Mode::kReplace && table.deletes != contract::Deletes::kHard)
      return WithHint(Fail(Code::kInvalid, "table \"{}\" keeps what a new set does not have, and the source names no key", table.name),
                      "Name a primary_key, or leave `deletes` away.");
    definition.identity = whole_row ? lake::Identity::kWholeRow : lake::Identity::kNone;
    return {};
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
  return {};
}

}  // namespace

bool IsUndecided(const BuildDefinition& definition) {
  return definition.columns.empty() || definition.identity == lake::Identity::kUndecided;
}

Result<BuildDefinition> Decide(const contract::Table& table, const BuildDefinition& before,
                                     const std::vector<SourceField>& fields, const std::vector<std::string>& key, bool whole_row) {
  BuildDefinition definition = before;
  if (definition.columns.empty())
    for (const auto& field : fields) {
      if (field.name.rfind('_', 0) == 0 && (field.name == lake::kPositionColumn || field.name == lake::kCommittedAtColumn)) continue;
      const bool in_key = !lake::KeepsEvents(table) &&
                          (std::find(key.begin(), key.end(), field.name) != key.end() ||
                          std::find(definition.key.begin(), definition.key.end(), field.name) != definition.key.end());
      definition.columns.push_back({field.name, field.type, in_key, ""});
    }
  TRY(DecideIdentity(table, definition, key, whole_row));
  TRY(lake::AddMarks(table, definition));
  return definition;
}

}  // namespace nano::land
