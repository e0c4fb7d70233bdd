// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A feed's own state, as the journal's checkpoint keeps it: JSON with a format number.

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace nano::ingest {

/// An empty checkpoint, to be filled by the feed.
nlohmann::json NewCheckpoint();
/// What the feed wrote last; null where there was none.  kCorrupt: it is not a checkpoint of this format.
Result<nlohmann::json> ReadCheckpoint(const std::string& text);

}  // namespace nano::ingest
