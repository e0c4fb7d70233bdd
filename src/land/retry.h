// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Quarantine once more, after the schema was mended and applied: what fits now lands, unless its row has moved on since,
/// as the journal tells (a row deleted since stays deleted, a newer one is not written over). What landed leaves
/// quarantine in the same lake commit, so it may be stopped anywhere and run again; running it again changes nothing.

#include <string>
#include <vector>

#include "base/result.h"
#include "contract/layout.h"
#include "contract/model.h"
#include "lake/lake.h"

namespace nano::land {

/// Records by source and position, entries of a table, or everything.
struct RetrySelection {
  std::vector<std::pair<std::string, Position>> records;
  std::string table;
};

enum class DryRun : bool { kNo, kYes };

struct RetriedRecord {
  enum class Outcome { kLanded, kStays, kMovedOn };
  struct Reason {
    std::string column, value, reason;
  };
  std::string source;
  Position position;
  std::string table;              ///< empty where no table takes it
  Outcome outcome = Outcome::kStays;
  std::vector<Reason> reasons;    ///< what stays in quarantine
  std::string overtaken_by;       ///< of kMovedOn: SOURCE:POSITION of the newer event; empty where only the row's absence tells
};

/// One commit, or none where nothing changes or with DryRun::kYes. `contract` is what was applied. Records by source,
/// position and table; what is not in quarantine (any more) is not among them.  kNotFound: nothing was applied yet.
Result<std::vector<RetriedRecord>> RetryQuarantine(lake::Writer& writer, const contract::Layout& layout, const contract::Contract& contract,
                                                   const RetrySelection& selection, DryRun dry_run);

}  // namespace nano::land
