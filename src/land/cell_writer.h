// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A cell into a column that DuckDB scans. The cell was read as the column's type, so it always fits; whatever is no
/// value (absent, null, unchanged) becomes NULL, down to the last field of a struct. For each row that lands.

#include <cstddef>

#include "base/data_type.h"
#include "engine/row_source.h"
#include "wire/cell.h"

namespace nano::land {

/// `column` was made for `type`. Rows are written in any order, but each once in a chunk.
void WriteCell(const DataType& type, const wire::Cell& cell, engine::Vector& column, std::size_t row);

}  // namespace nano::land
