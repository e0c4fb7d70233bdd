// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Debezium's events as events of a table.

#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "land/event.h"
#include "land/plan.h"
#include "land/stream_facts.h"
#include "wire/debezium.h"

namespace nano::land {

/// Whether a new snapshot's rows take the place of all that the table has: without a key they would double.
inline bool SnapshotReplacesAll(const TablePlan& plan) {
  return plan.build.definition.identity == lake::Identity::kWholeRow && plan.sources_of_same_name == 1;
}

/// Adds the event that `change` makes of the plan's table; `number` is the source's. New fields are judged and told.
Status AddDebeziumEvent(const TablePlan& plan, const wire::DebeziumEvent& change, const Record& record, Position position,
                        std::int64_t number, const StreamFacts& facts, Arena& arena, std::vector<Event>& events,
                        std::vector<Reject>& rejects);

}  // namespace nano::land
