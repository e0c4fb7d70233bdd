// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Singer's messages into the journal: from a file of lines, from "-", or from a tap that is run as a child process with
/// the STATE in force. Singer's specification 0.3.0.

#include <memory>
#include <string>

#include "ingest/feed.h"

namespace nano::ingest {

Result<std::unique_ptr<Feed>> OpenSingerFile(const std::string& path, journal::Writer& journal, const FeedOptions& options);
Result<std::unique_ptr<Feed>> OpenSingerTap(const contract::Source& source, journal::Writer& journal, const FeedOptions& options);

}  // namespace nano::ingest
