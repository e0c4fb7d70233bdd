// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a source's feed is told, and what must hold before it is opened, however long it is to be read.

#include <memory>
#include <string>

#include "contract/layout.h"
#include "contract/model.h"
#include "ingest/feed.h"
#include "lake/lake.h"

namespace nano::app {

/// All that contract and layout say; a tap's STATE, `follow` and `on_log` are for the caller.
ingest::FeedOptions FeedOptionsOf(const contract::Contract& contract, const contract::Layout& layout, const std::string& source);

/// kCorrupt: the journal of `source` ends before what of it has landed.
Status CheckJournal(const lake::Cut& landed, const std::string& source, Position journaled);

}  // namespace nano::app
