// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A PostgreSQL database by its own logical replication: publication and slot are made where they are missing, tables are
/// read once, and every transaction is journaled whole, in the order of commits. The server is told only of what is durable
/// here, so a crash of either side loses nothing, and the checkpoint says where to go on, so nothing comes twice.

#include <memory>

#include "ingest/feed.h"

namespace nano::ingest {

/// kInvalid, kDenied: the database lacks something, the hint says the SQL; kCorrupt: changes are lost (the slot is gone, or
/// the database is another one), which is never passed over; kUnavailable: it can't be reached now.
Result<std::unique_ptr<Feed>> OpenPostgres(const contract::Source& source, journal::Writer& journal, const FeedOptions& options);

}  // namespace nano::ingest
