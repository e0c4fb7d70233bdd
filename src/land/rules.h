// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the contract says is to be done with a value that does not fit, and the fields that are new: used by every decoder.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "land/event.h"
#include "land/plan.h"

namespace nano::land {

/// Values of one row that did not fit, before it is decided what becomes of the row.
struct Misfit {
  std::size_t input = 0;
  std::string value, reason;
};

/// Judges one row: misfits and NULLs in not_null columns. The row is marked rejected and its reasons added to `rejects`,
/// or its cells become NULL, as on_type_mismatch says.  kInvalid: the table says `fail`.
Status JudgeRow(const TablePlan& plan, std::string_view stream, Event& event, std::vector<Misfit>& misfits, std::vector<Reject>& rejects);

/// The reason of a new field that is kept aside; the only one with which a row is in the table.
constexpr std::string_view kNewFieldReason = "is a new field of the source; the row has landed without it";

/// A field that the table does not take and that was not there when the stream was first seen: kept aside, or an error.
Status JudgeNewField(const TablePlan& plan, std::string_view stream, const Event& event, std::string_view field,
                     std::string_view token, std::vector<Reject>& rejects);

/// Whether the text that stands for an unsent value can be a value of the column; such a cell holds it already.
bool CanBeData(const DataType& type);

/// Fills key_cells and the canonical key of an event from the cells of an image; false: a key column is NULL or missing.
bool TakeKey(const TablePlan& plan, std::span<wire::Cell> image, Arena& arena, std::span<wire::Cell>& key_cells, std::string_view& key);

}  // namespace nano::land
