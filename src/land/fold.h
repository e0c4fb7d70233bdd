// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Folds expired segments of a source's journal into its base image (journal/base.h): decides, with what the tables make
/// of each message, which of them any future build still needs. A stream is thinned out where its tables are `upsert` by
/// one key with `deletes: hard`; of others every message stays. Run by the warehouse's writer when all is landed.

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "contract/layout.h"
#include "contract/model.h"
#include "journal/journal.h"
#include "lake/lake.h"

namespace nano::land {

struct FoldCounters {
  std::uint64_t expired = 0;    ///< messages of the segments that were folded
  std::uint64_t kept = 0;       ///< in the base image now
  std::uint64_t filled = 0;     ///< of these got values from earlier messages
  Position end;                 ///< of the base image
};

/// Does what `storage.journal` says of `source`, at the time `now` (µs since 1970). Nothing where nothing has expired.
Result<std::optional<FoldCounters>> FoldJournal(lake::Writer& lake, const contract::Contract& contract, const contract::Layout& layout,
                                                const std::string& source, journal::Writer& journal, std::int64_t now);

}  // namespace nano::land
