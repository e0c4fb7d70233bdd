// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The row sources of one database, by handle. Inside engine/ only.

#include <duckdb.h>

#include "engine/by_handle.h"
#include "engine/row_source.h"

namespace nano::engine {

using RowSources = ByHandle<RowSource>;

/// Registers `nano_rows(BIGINT)` with its registry of sources (owned by the database).
Status RegisterRowFunction(duckdb_connection connection, RowSources& sources);

}  // namespace nano::engine
