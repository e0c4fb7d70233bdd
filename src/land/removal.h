// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Rows that go all at once, not one by one: a truncate at the source, the rows of older versions of a stream. What `go`
/// means is the table's mode and `deletes`: the rows are gone, or marked with `_deleted_at`, or their validity ends.

#include <cstdint>
#include <optional>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "lake/lane.h"
#include "land/plan.h"

namespace nano::land {

struct Going {
  std::vector<lake::PositionRange> ranges;    ///< rows with a `_position` in one of these; none: all rows
  std::optional<std::int64_t> only_source;    ///< of all rows, those of the source with this number
  bool but_deleted = false;                   ///< rows leave no trace; those that were marked before stay
  std::int64_t row_position = 0;              ///< of what makes them go
  std::int64_t at = kNoTime;                  ///< when
};

/// In the open transaction. With `deletes: ignore` nothing goes.
Status RemoveRows(lake::Writer& writer, const TablePlan& plan, const Going& going, Arena& arena);

}  // namespace nano::land
