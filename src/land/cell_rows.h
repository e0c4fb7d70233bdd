// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Decoded rows as a relation that DuckDB scans: `_position`, `_committed_at`, `_origin`, `_deleted_at`, `_op`, one column `i<n>` for each input
/// and, for inputs of which some row has an unsent value, `u<n>` that says whether this row's is. Rows live elsewhere (the
/// batch's arena) and outlive the scan.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/row_source.h"
#include "land/plan.h"
#include "land/resolve.h"

namespace nano::land {

/// `unsent`: the inputs that get a `u<n>` column.
std::shared_ptr<engine::RowSource> MakeRowSource(const std::vector<Input>& inputs, const std::vector<FinalRow>& rows,
                                                 const std::vector<std::size_t>& unsent);

/// Any table of cells: column names and types, and rows of one cell each; row-major.
std::shared_ptr<engine::RowSource> MakeCellSource(std::vector<engine::RowSource::Column> columns,
                                                  std::vector<std::span<const wire::Cell>> rows);

}  // namespace nano::land
