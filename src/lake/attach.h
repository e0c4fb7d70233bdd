// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The one way in which a lake is attached, as `lake`: DuckLake over SQLite in WAL mode, or over PostgreSQL (docs/adr/0022).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lake/lake.h"

namespace nano::lake {

enum class Access { kReadOnly, kReadWrite };

/// What the extensions of a session must be besides those that it needs itself.
std::vector<std::string> WithCatalogExtensions(const Place& place, std::vector<std::string> extensions);

/// Attaches it; with a snapshot, that fixed cut. `epoch`: a writer's, for each of its commits (lake/catalog_guard.h).
/// kNotFound: there is no lake yet, and it is to be read only; kUnavailable: the catalog can't be reached.
Status Attach(engine::Connection& connection, const Place& place, Access access, std::optional<std::int64_t> snapshot = std::nullopt,
              std::int64_t epoch = 0);

/// Attaches the catalog's schema in PostgreSQL as a database of its own, `name`; SQL for it goes through as it is.
Status AttachServer(engine::Connection& connection, const PostgresCatalog& catalog, const std::string& name);

}  // namespace nano::lake
