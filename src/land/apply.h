// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One batch's events of one table, into the open transaction of the lake: expressions are tried, the batch resolved, the
/// rows staged and handed to the lane. What does not fit is told to `rejects`.

#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "lake/lake.h"
#include "lake/lane.h"
#include "land/event.h"
#include "land/plan.h"

namespace nano::land {

struct Applied {
  std::uint64_t rows = 0;   ///< written
};

Result<Applied> ApplyEvents(lake::Writer& writer, lake::Lane& lane, const TablePlan& plan, const std::string& source,
                            std::vector<Event>& events, Arena& arena, std::vector<Reject>& rejects);

/// Writes rejects into `nanohouse.quarantine`, in the open transaction.
Status Quarantine(lake::Writer& writer, const std::string& source, const std::vector<Reject>& rejects);

}  // namespace nano::land
