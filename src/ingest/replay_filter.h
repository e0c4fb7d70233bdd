// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Tells what a Debezium source has said before. Its own order is the place of an event in its source's log (wire's
/// SourcePlace: of PostgreSQL (A, B) of `source.sequence`, of MySQL file, position and row, …) with the ordinal among events
/// that share it; it is the same when events are sent again after a restart, so whatever stands at or below the highest
/// place seen is a replay, while events that merely share a place all count. Where a source may go on in the midst of such
/// events, they are known by their content, in their order. A snapshot's rows are told by their snapshot and their ordinal
/// in it. A new snapshot begins a new count. Kafka keeps order inside a topic's partition only, so each has a count of its
/// own, and so has each server whose places are its own.

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "wire/debezium.h"

namespace nano::ingest {

class ReplayFilter {
 public:
  ReplayFilter() = default;
  ReplayFilter(const ReplayFilter& other) : lanes_(other.lanes_) {}
  ReplayFilter& operator=(const ReplayFilter& other) {
    lanes_ = other.lanes_;
    last_ = nullptr;
    return *this;
  }
  /// Whether `event` was said before; remembers it if not. In order of delivery.
  bool IsReplay(const wire::DebeziumEvent& event, const wire::DebeziumMessage& message);
  /// The input starts anew: counts of runs and transport offsets begin again, what was said stays known.
  void NewInput();

  nlohmann::json ToJson() const;
  static ReplayFilter FromJson(const nlohmann::json& json);

 private:
  struct Place {
    std::array<std::uint64_t, 5> parts{};
    std::uint64_t ordinal = 0;
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
    std::vector<std::uint64_t> contents;   ///< hashes of the events at the highest place, where a source may resume among them
    std::uint64_t next_content = 0;        ///< of these, the first that was not sent again; all of them while nothing is
    std::string run_id;
    std::deque<Snapshot> snapshots;     ///< the last few, with the rows they had
    std::string run_snapshot;           ///< the one that is being read now; empty while streaming
    std::uint64_t run_rows = 0;
    std::int64_t offset = -1;           ///< Kafka's highest
    bool last_was_replay = false;       ///< what a tombstone follows
  };
  static bool IsStreamedReplay(Lane& lane, const wire::DebeziumEvent& event, std::string_view key);
  static bool IsKnownContent(Lane& lane, const wire::DebeziumEvent& event, std::string_view key);
  static bool IsSnapshotReplay(Lane& lane, const std::string& snapshot);

  std::map<std::string, Lane, std::less<>> lanes_;   ///< by topic/partition ("" where there is no topic), then @epoch where there is one
  Lane* last_ = nullptr;                ///< the lane of the last message; its nodes stay where they are
  std::string last_topic_, last_name_;
  std::int32_t last_partition_ = -1;
};

}  // namespace nano::ingest
