// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How verbs get at a warehouse: from its folder to what its YAML says and where its stores lie, and to a reader of its
/// tables. A mistake in some table's YAML does not stand in the way of those that only read.

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "contract/layout.h"
#include "contract/parse.h"
#include "lake/reader.h"
#include "state/state.h"

namespace nano::app {

struct Warehouse {
  contract::Parsed parsed;
  std::shared_ptr<const contract::Contract> contract;   ///< of `parsed`; good for writing only where parsed.ok()
  contract::Layout layout;
};

/// The warehouse in `folder`.  kNotFound: there is no nanohouse.yaml in it. Mistakes in its files are in `parsed`.
Result<Warehouse> FindWarehouse(const std::filesystem::path& folder);

/// The same, `${env:X}` and `${file:/x}` looked up: for those who will use all of it.
Result<Warehouse> LoadWarehouse(const std::filesystem::path& folder);

/// The tables at one cut, newest or as they were `at` (empty: newest); plain names are those of the promoted version.
/// The cut is leased while the reader lives, so upkeep keeps its files; where state.db can't be written (a copy on a
/// read-only disk) there is no upkeep either, and no lease.  kNotFound: nothing was applied yet.
Result<std::unique_ptr<lake::Reader>> OpenReader(const contract::Layout& layout, const std::string& at);

/// The tables for writing, as the warehouse declares its files. Whoever opens them holds the writer's lease.
Result<std::unique_ptr<lake::Writer>> OpenLake(const Warehouse& warehouse);

/// The right to change a warehouse, and its tables. Lives as long as the work does.
class WarehouseWriter {
 public:
  virtual ~WarehouseWriter() = default;
  virtual lake::Writer& lake() = 0;
  /// Opens the tables anew, after a commit of which nobody knows whether it happened. What lake() gave before is gone, also
  /// where this fails; then it must be called again before lake().
  virtual Status ReopenLake() = 0;
  /// Notes how the work ended; `counters` is a JSON object. A writer that goes without this is noted as failed.
  virtual void Finish(state::Outcome outcome, const std::string& message, const std::string& counters) = 0;
};
/// `command` is what the list of runs will show.  kConflict: another process writes; the message names it.
Result<std::unique_ptr<WarehouseWriter>> OpenWriter(const Warehouse& warehouse, const std::string& command);

}  // namespace nano::app
