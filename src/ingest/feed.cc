// SPDX-License-Identifier: Apache-2.0
#include "ingest/feed.h"

#include "ingest/debezium_feed.h"
#include "ingest/debezium_post_feed.h"
#include "ingest/postgres_feed.h"
#include "ingest/singer_feed.h"

namespace nano::ingest {

Result<std::unique_ptr<Feed>> OpenFeed(const contract::Source& source, journal::Writer& journal, FeedOptions options) {
  switch (source.kind) {
    case contract::Source::Kind::kSingerFile: return OpenSingerFile(source.file, journal, options);
    case contract::Source::Kind::kSingerTap: return OpenSingerTap(source, journal, options);
    case contract::Source::Kind::kDebeziumFile: return OpenDebeziumFile(source.file, journal, options);
    case contract::Source::Kind::kDebeziumHttp: return OpenDebeziumPosts(journal, options);
    case contract::Source::Kind::kPostgres: return OpenPostgres(source, journal, options);
    case contract::Source::Kind::kUnsupported: break;
  }
  return Fail(Code::kUnsupported, "source \"{}\": {} is not supported yet", source.name, source.unsupported);
}

}  // namespace nano::ingest
