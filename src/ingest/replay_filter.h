// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Tells what a Debezium source has said before. Its own order is (A, B) of `source.sequence`, two numbers, with the
/// ordinal among events that share them; it is the same when events are sent again after a restart, so whatever stands at
/// or below the highest place seen is a replay, while events that merely share an LSN all count. A snapshot's rows are told
/// by their snapshot and their ordinal in it. A new snapshot begins a new count. Kafka keeps order inside a topic's partition
/// only, so each has a count of its own.

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
  struct Snapshot {
    std::string id;
    std::uint64_t rows = 0;
  };
  /// What came by one way: a Kafka topic's partition (order holds only inside it), or the one stream of anything else.
  struct Lane {
    Place highest;
    std::int64_t highest_time = -1;
    Place run;                          ///< the last event of the present run
    std::string run_id;
    std::deque<Snapshot> snapshots;     ///< the last few, with the rows they had
    std::string run_snapshot;           ///< the one that is being read now; empty while streaming
    std::uint64_t run_rows = 0;
    std::int64_t offset = -1;           ///< Kafka's highest
    bool last_was_replay = false;       ///< what a tombstone follows
  };
  static bool IsStreamedReplay(Lane& lane, const wire::DebeziumEvent& event);
  static bool IsSnapshotReplay(Lane& lane, const std::string& snapshot);

  std::map<std::string, Lane> lanes_;   ///< by topic/partition; "" where there is no topic
};

}  // namespace nano::ingest
