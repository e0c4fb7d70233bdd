// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The one way in which a lake is attached (docs/adr: DuckLake over SQLite in WAL mode).

#include <cstdint>
#include <optional>
#include <string>

#include "lake/lake.h"

namespace nano::lake {

enum class Access { kReadOnly, kReadWrite };

/// `ATTACH 'ducklake:sqlite:…' AS lake (…)`; with a snapshot, that fixed cut.
std::string AttachStatement(const Place& place, Access access, std::optional<std::int64_t> snapshot = std::nullopt);

}  // namespace nano::lake
