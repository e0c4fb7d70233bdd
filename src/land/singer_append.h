// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The fast path of a plain append table (no key, no expressions) under a Singer stream: DuckDB's threads read the records
/// where the journal's blocks hold them, straight into vectors, in one INSERT.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lake/lake.h"
#include "land/event.h"
#include "land/plan.h"
#include "land/stream_facts.h"
#include "land/table_state.h"

namespace nano::land {

/// Whether the plan may take this path.
bool IsPlainAppend(const TablePlan& plan);

/// Asked for further spans when all have been handed out, by one thread at a time, which may not be the caller's. False:
/// there are no more for this batch.
using MoreSpans = std::function<bool(std::vector<RawSpan>&)>;

/// Appends the records of the spans, and of those that `more` gives (if it is there), in the open transaction; how many were
/// written. Rows that do not fit are told to `rejects`. `number` is the source's.
Result<std::uint64_t> AppendSingerRows(lake::Writer& writer, const TablePlan& plan, const StreamFacts& facts, const std::string& stream,
                                       std::int64_t number, std::vector<RawSpan> spans, const MoreSpans& more,
                                       std::vector<Reject>& rejects);

}  // namespace nano::land
