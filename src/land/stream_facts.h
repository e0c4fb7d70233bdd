// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What landing remembers of a source's streams from batch to batch: kept in the lake (`nanohouse.stream`), written in the
/// commit that it belongs to. A field that is not among `fields` is new.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "lake/lake.h"

namespace nano::land {

struct StreamFacts {
  std::set<std::string> fields;       ///< that the source had when first seen, and those taken up since
  bool seen = false;                  ///< fields and key are known
  std::vector<std::string> key;       ///< the source's own key
  std::string schema;                 ///< Singer: the last SCHEMA message
  std::string snapshot;               ///< Debezium: which snapshot its rows came from
};

class FactsOfStreams {
 public:
  Status Load(engine::Connection& connection, const std::string& source);
  StreamFacts& of(const std::string& stream) { return facts_[stream]; }
  void Touch(const std::string& stream) { touched_.insert(stream); }
  /// Writes what was touched into the open transaction.
  Status Save(engine::Connection& connection);

 private:
  std::string source_;
  std::map<std::string, StreamFacts> facts_;
  std::set<std::string> touched_;
};

}  // namespace nano::land
