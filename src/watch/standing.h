// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How a warehouse stands at its newest cut: what of each source is in its tables and what is not yet, what each table
/// holds, which versions there are. Read in one pass over catalog and journals, without a look into the tables' files.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/layout.h"
#include "contract/model.h"
#include "lake/reader.h"
#include "state/state.h"

namespace nano::watch {

struct SourceStatus {
  std::string name;
  std::string state;                    ///< running, stopped or failed
  std::string reason, hint;             ///< of a failed one
  std::uint64_t position = 0;           ///< records of it that the tables contain
  std::uint64_t journaled = 0;          ///< records of it that the journal holds
  std::uint64_t lag_bytes = 0;          ///< of what is journaled and not landed
  double lag_seconds = 0;               ///< age of the oldest record that is not landed; 0: there is none
};

struct TableStatus {
  std::string name, build;
  std::int64_t rows = 0, files = 0, bytes = 0, deleted = 0;
  std::string freshness;                ///< commit time of its newest change, UTC; empty: unknown
  std::int64_t quarantine = 0;          ///< values that did not fit
};

struct BuildStatus {
  std::string name, build;
  std::int64_t revision = 1;
  std::vector<std::pair<std::string, std::uint64_t>> positions;   ///< of the sources that feed it
  std::uint64_t lag_bytes = 0;
};

struct VersionStatus {
  int number = 0;
  std::string contract_version;
  std::string state;                    ///< promoted or live
  std::vector<BuildStatus> builds;
  std::int64_t readers = 0;             ///< leases on cuts of it
};

struct RunStatus {
  std::int64_t id = 0;
  std::string command;
  std::string state;                    ///< running, ok, failed, stopped, lost
  std::string started_at, ended_at;     ///< UTC; the second empty while it runs
  std::string reason;                   ///< of a failed one
  std::string counters;                 ///< JSON object
};

struct Standing {
  std::int64_t snapshot = 0;
  std::string committed_at;             ///< of the snapshot, UTC; empty: nothing was committed yet
  std::vector<SourceStatus> sources;
  std::vector<TableStatus> tables;
  std::vector<VersionStatus> versions;
  std::vector<RunStatus> runs;          ///< the latest, newest first
  std::int64_t quarantine = 0;          ///< all of it, also of streams without a table
};

/// The tables of the promoted version, as of the newest snapshot; `connection` has the lake attached.
Result<std::vector<TableStatus>> ReadTables(engine::Connection& connection);

/// `reader` and `state` are null before the first apply. `contract` may be null: then sources that were never read are not named.
Result<Standing> ReadStanding(lake::Reader* reader, state::State* state, const contract::Layout& layout, const contract::Contract* contract);

}  // namespace nano::watch
