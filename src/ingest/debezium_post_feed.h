// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Debezium's messages as they are posted (Debezium Server's HTTP sink), into the journal: each post is whole in one commit of it,
/// and answered when that is durable. What is sent again has no effect: an event that has a place in its source's log is known by
/// it, any other by the id of its post.

#include <memory>

#include "ingest/feed.h"

namespace nano::ingest {

/// Without `options.posts` it says nothing and ends.
Result<std::unique_ptr<Feed>> OpenDebeziumPosts(journal::Writer& journal, const FeedOptions& options);

}  // namespace nano::ingest
