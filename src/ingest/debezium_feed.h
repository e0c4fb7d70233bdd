// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Debezium's messages from a file of lines, or "-", into the journal: order across Kafka topics restored, replays flagged,
/// ends of transactions marked.

#include <memory>
#include <string>

#include "ingest/feed.h"

namespace nano::ingest {

Result<std::unique_ptr<Feed>> OpenDebeziumFile(const std::string& path, journal::Writer& journal, const FeedOptions& options);

}  // namespace nano::ingest
