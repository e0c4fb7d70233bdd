// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The key visitors of one database, by handle. Inside engine/ only.

#include <duckdb.h>

#include "base/result.h"
#include "engine/by_handle.h"
#include "engine/key_visitor.h"

namespace nano::engine {

using KeyVisitors = ByHandle<KeyVisitor>;

Status RegisterVisitFunction(duckdb_connection connection, KeyVisitors& visitors);

}  // namespace nano::engine
