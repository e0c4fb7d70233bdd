// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `ingest` without its command line: each source in turn is read to the end of what it has, journaled in one thread and
/// landed in another, so that the disk is synced and the next batch compressed while the last one is encoded.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/layout.h"
#include "contract/model.h"
#include "ingest/feed.h"
#include "lake/lake.h"
#include "land/fold.h"
#include "land/lander.h"

namespace nano::app {

struct SourceOutcome {
  std::string source;
  ingest::FeedProgress read;
  land::LandCounters landed;
  std::optional<land::FoldCounters> folded;   ///< where segments of the journal had expired
  std::optional<Error> error;     ///< what stopped it; what came before is journaled and landed
};

struct IngestWatch {
  /// Told about four times a second, from the thread that called.
  std::function<void(const std::string& source, const ingest::FeedProgress&, const land::LandCounters&)> on_progress;
  /// A line that a tap logged.
  std::function<void(const std::string& source, const std::string& line)> on_log;
};

/// Ingests the sources named (all that tables use, if none is). Lands first what is journaled already. A source that
/// fails does not keep the others from going on. Ends early, cleanly, when a signal asks for it.
std::vector<SourceOutcome> RunIngest(lake::Writer& lake, std::shared_ptr<const contract::Contract> contract,
                                     const contract::Layout& layout, const std::vector<std::string>& sources,
                                     const IngestWatch& watch);

}  // namespace nano::app
