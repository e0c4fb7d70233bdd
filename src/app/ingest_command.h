// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `ingest` does, for every command that reads sources to their end in the foreground: reads, lands, publishes, and tells.

#include <functional>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/warehouse.h"
#include "base/result.h"
#include "contract/model.h"

namespace nano::app {

struct IngestCall {
  std::string command = "ingest";       ///< as the list of runs shows it
  std::vector<std::string> sources;     ///< none: all that tables use
  /// With the writer's lease held, before anything is read.
  std::function<Status(const Warehouse& warehouse, const contract::Contract& deployed)> before = nullptr;
};
Exit IngestSources(const Invocation& invocation, const IngestCall& call);

}  // namespace nano::app
