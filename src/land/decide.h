// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a build's definition lacks until the source speaks: columns that the contract leaves to be inferred, and the
/// source's own key.

#include <string>
#include <vector>

#include "base/result.h"
#include "land/table_state.h"

namespace nano::land {

struct SourceField {
  std::string name;
  DataType type;
};

/// Whether the definition still lacks something.
bool IsUndecided(const lake::BuildDefinition& definition);

/// The definition with its columns taken from `fields` and its identity from the source's own `key`; `whole_row` says what
/// a table without a key is, as the source sends old images (Debezium) or does not (Singer).
/// kInvalid: the key's column is not among the table's.
Result<lake::BuildDefinition> Decide(const contract::Table& table, const lake::BuildDefinition& before,
                                     const std::vector<SourceField>& fields, const std::vector<std::string>& key, bool whole_row);

}  // namespace nano::land
