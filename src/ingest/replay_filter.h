// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Tells what a Debezium source has said before. Its own order is (A, B) of `source.sequence`, two numbers, with the
/// ordinal among events that share them; it is the same when events are sent again after a restart, so whatever stands at
/// or below the highest place seen is a replay, while events that merely share an LSN all count. A snapshot's rows are told
/// by their snapshot and their ordinal in it. A new snapshot begins a new count.

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "wire/debezium.h"

namespace nano::ingest {

class ReplayFilter {
 public:
  /// Whether `event` was said before; remembers it if not. In order of delivery.
  bool IsReplay(const wire::DebeziumEvent& event, const wire::DebeziumMessage& message);
  /// The input starts anew: counts of runs and transport offsets begin again, what was said stays known.
  void NewInput();

  nlohmann::json ToJson() const;
  static ReplayFilter FromJson(const nlohmann::json& json);

 private:
  struct Place {
    std::uint64_t a = 0, b = 0, ordinal = 0;
    auto operator<=>(const Place&) const = default;
  };
  bool IsSnapshotReplay(const std::string& snapshot);

  Place highest_;
  std::int64_t highest_time_ = -1;
  Place run_;                            ///< the last event of the present run
  std::string run_id_;
  struct Snapshot {
    std::string id;
    std::uint64_t rows = 0;
  };
  std::deque<Snapshot> snapshots_;       ///< the last few, with the rows they had
  std::string run_snapshot_;             ///< the one that is being read now; empty while streaming
  std::uint64_t run_rows_ = 0;
  std::map<std::string, std::int64_t> offsets_;   ///< Kafka: topic/partition -> highest offset
  std::map<std::string, bool> last_was_replay_;   ///< by topic/partition: what a tombstone follows
};

}  // namespace nano::ingest
