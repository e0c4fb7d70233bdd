// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The columns of a lake table at a snapshot as Iceberg's fields, or why they have no such form.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/database.h"
#include "publish/iceberg_type.h"

namespace nano::publish {

struct Columns {
  std::vector<Field> fields;
  std::int64_t last_column_id = 0;
  std::vector<std::string> warnings;   ///< what some engine can't read, though it is exact
};

/// kUnsupported: a type, a name, a default or a change of type has no exact form; the message says which.
Result<Columns> ReadColumns(engine::Connection& connection, std::int64_t table_id, std::int64_t snapshot, const std::set<std::string>& hidden);

}  // namespace nano::publish
