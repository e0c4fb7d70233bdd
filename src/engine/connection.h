// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A connection over the C API. Inside engine/ only.

#include <memory>

#include "engine/database.h"
#include "engine/handles.h"

namespace nano::engine {

Result<std::unique_ptr<Connection>> MakeConnection(duckdb_database database);

}  // namespace nano::engine
