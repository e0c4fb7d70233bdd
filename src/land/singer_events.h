// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Singer's records as events of a table.

#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "change/record.h"
#include "land/event.h"
#include "land/plan.h"
#include "land/singer_row_reader.h"
#include "land/stream_facts.h"

namespace nano::land {

/// Adds the event that a RECORD makes of the plan's table.
Status AddSingerEvent(const TablePlan& plan, SingerRowReader& reader, const Record& record, Position position, std::int64_t number,
                      const StreamFacts& facts, Arena& arena, std::vector<Event>& events, std::vector<Reject>& rejects);

}  // namespace nano::land
