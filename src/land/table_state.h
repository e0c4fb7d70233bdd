// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One table as a source's lander sees it during a batch.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "change/record.h"
#include "land/event.h"
#include "land/plan.h"
#include "land/singer_row_reader.h"

namespace nano::land {

/// A record that a fast path reads where it lies.
struct RawRow {
  std::string_view bytes;
  std::int64_t row_position = 0;
  std::int64_t committed_at = kNoTime;
};

struct TableState {
  const contract::Table* table = nullptr;
  lake::Build build;
  std::optional<TablePlan> plan;     ///< none while the columns or the key are still to be learnt
  std::vector<Event> events;         ///< decoded, not yet applied
  std::vector<RawRow> raw;           ///< not decoded: plain appends, all of `raw_stream`
  std::string raw_stream;
  std::unique_ptr<SingerRowReader> reader;
};

}  // namespace nano::land
