// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One batch's events of one table, into the open transaction of the lake: expressions are tried, the batch resolved, the
/// rows staged and handed to the lane. What does not fit is told to `rejects`.

#include <cstdint>
#include <span>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "lake/lake.h"
#include "land/event.h"
#include "land/plan.h"

namespace nano::land {

struct Applied {
  std::uint64_t rows = 0;   ///< written
};

/// Rejects of earlier parts of the same transaction are already among `rejects`.
Result<Applied> ApplyEvents(lake::Writer& writer, const TablePlan& plan, const std::string& source,
                            std::vector<Event>& events, Arena& arena, std::vector<Reject>& rejects);

/// Writes rejects into `nanohouse.quarantine`, in the open transaction.
Status Quarantine(lake::Writer& writer, const std::string& source, std::span<const Reject> rejects);

}  // namespace nano::land
