// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One table as a source's lander sees it during a batch.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "change/record.h"
#include "journal/journal.h"
#include "land/event.h"
#include "land/plan.h"
#include "land/singer_row_reader.h"

namespace nano::land {

/// Records of one block, side by side, that a fast path reads where they lie.
struct RawSpan {
  journal::BlockPtr block;
  std::size_t begin = 0, end = 0;
};

struct TableState {
  const contract::Table* table = nullptr;
  lake::Build build;
  std::optional<TablePlan> plan;     ///< none while the columns or the key are still to be learnt
  std::vector<Event> events;         ///< decoded, not yet applied
  std::vector<RawSpan> raw;          ///< not decoded: plain appends, all of `raw_stream`
  std::string raw_stream;
  std::unique_ptr<SingerRowReader> reader;
  std::unique_ptr<const contract::Table> own_table;   ///< what `table` points to, where it is no table of the contract
  std::unique_ptr<TableState> beside;                 ///< where the table's rows are put that are read once more (rereads.h)
};

}  // namespace nano::land
