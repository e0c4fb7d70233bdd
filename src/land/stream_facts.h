// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What landing remembers of a source's streams from batch to batch: kept in the lake (`nanohouse.stream`), written in the
/// commit that it belongs to. A field that is not among `fields` is new.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "land/stream_versions.h"
#include "lake/lake.h"

namespace nano::land {

/// How far a stream is with the whole set that a `mode: replace` table takes (land/full_sets.h).
enum class SetStep {
  kNone,       ///< nothing of it came in this run
  kFilling,    ///< its rows are being put into the set
  kHalted,     ///< they were, and the run ended without having said all
  kAnnounced,  ///< the next run has named the stream, and a row will tell whether it goes on or begins anew
};

struct SetFacts {
  SetStep step = SetStep::kNone;
  std::optional<std::int64_t> version;   ///< of the rows of the set
};

/// A stream whose rows are read once more, for one build that it feeds (land/rereads.h).
struct RereadFacts {
  bool compares = false;                 ///< only what differs is written at the end
  bool all_said = false;                 ///< of this stream; another one that feeds the build has not
};

struct StreamFacts {
  std::set<std::string, std::less<>> fields;       ///< that the source had when first seen, and those taken up since
  bool seen = false;                  ///< fields and key are known
  std::vector<std::string> key;       ///< the source's own key
  std::string schema;                 ///< Singer: the last SCHEMA message
  std::string snapshot;               ///< Debezium: which snapshot its rows came from
  StreamVersions versions;            ///< Singer: which positions hold rows of which version
  std::map<std::string, SetFacts> sets;   ///< Singer: by the build of each `mode: replace` table that it feeds
  std::map<std::string, RereadFacts> rereads;   ///< Debezium: by the build, while its rows are read once more
};

class FactsOfStreams {
 public:
  Status Load(lake::Writer& writer, const std::string& source);
  /// The same on any connection that has the lake.
  Status Load(engine::Connection& connection, const std::string& relation, const std::string& source);
  StreamFacts& of(const std::string& stream) { return facts_[stream]; }
  void Touch(const std::string& stream) { touched_.insert(stream); }
  /// Writes what was touched into the open transaction.
  Status Save(lake::Writer& writer);

 private:
  std::string source_;
  std::map<std::string, StreamFacts> facts_;
  std::set<std::string> touched_;
  std::set<std::string> stored_;   ///< have a row, perhaps
};

}  // namespace nano::land
