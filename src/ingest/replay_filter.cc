// SPDX-License-Identifier: Apache-2.0
#include "ingest/replay_filter.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "wire/json_get.h"

namespace nano::ingest {
namespace {

constexpr std::size_t kSnapshotsKept = 16;

bool IsSnapshotRow(const wire::DebeziumEvent& event) {
  return !event.snapshot.empty() && event.snapshot != "false" && event.snapshot != "incremental";
}

}  // namespace

bool ReplayFilter::IsReplay(const wire::DebeziumEvent& event, const wire::DebeziumMessage& message) {
  using Kind = wire::DebeziumEvent::Kind;
  if (event.kind != Kind::kChange && event.kind != Kind::kTombstone) return false;
  Lane& lane = lanes_[message.topic.empty() ? std::string() : fmt::format("{}/{}", message.topic, message.partition)];
  if (event.kind == Kind::kTombstone) return lane.last_was_replay;
  bool replay = false;
  if (IsSnapshotRow(event)) {
    replay = IsSnapshotReplay(lane, fmt::format("{}/{}/{}", event.lsn.value_or(0), event.transaction, event.run_id));
  } else if (event.sequence_b) {
    replay = IsStreamedReplay(lane, event);
  } else if (message.offset >= 0) {
    replay = message.offset <= lane.offset;
    lane.offset = std::max(lane.offset, message.offset);
  }
  lane.last_was_replay = replay;
  return replay;
}

bool ReplayFilter::IsStreamedReplay(Lane& lane, const wire::DebeziumEvent& event) {
  if (!event.run_id.empty() && event.run_id != lane.run_id) {
    lane.run_id = std::string(event.run_id);
    lane.run = {};
  }
  lane.run_snapshot.clear();
  Place place{event.sequence_a.value_or(0), *event.sequence_b, 1};
  if (place.a == lane.run.a && place.b == lane.run.b) place.ordinal = lane.run.ordinal + 1;
  lane.run = place;
  if (place <= lane.highest && event.committed_at <= lane.highest_time) return true;
  lane.highest = std::max(lane.highest, place);
  lane.highest_time = std::max(lane.highest_time, event.committed_at);
  return false;
}

bool ReplayFilter::IsSnapshotReplay(Lane& lane, const std::string& snapshot) {
  if (snapshot != lane.run_snapshot) {
    lane.run_snapshot = snapshot;
    lane.run_rows = 0;
    lane.run = {};
  }
  ++lane.run_rows;
  for (auto& known : lane.snapshots) {
    if (known.id != snapshot) continue;
    if (lane.run_rows <= known.rows) return true;
    known.rows = lane.run_rows;
    return false;
  }
  lane.snapshots.push_back({snapshot, lane.run_rows});
  if (lane.snapshots.size() > kSnapshotsKept) lane.snapshots.pop_front();
  // What streams after a new snapshot is counted from it.
  lane.highest = lane.run = {};
  lane.highest_time = -1;
  return false;
}

void ReplayFilter::NewInput() {
  for (auto& [name, lane] : lanes_) {
    lane.run = {};
    lane.run_id.clear();
    lane.run_snapshot.clear();
    lane.run_rows = 0;
    lane.offset = -1;
    lane.last_was_replay = false;
  }
}

nlohmann::json ReplayFilter::ToJson() const {
  nlohmann::json json = nlohmann::json::object();
  const auto place = [](const Place& p) { return nlohmann::json::array({p.a, p.b, p.ordinal}); };
  for (const auto& [name, lane] : lanes_) {
    auto& out = json[name];
    out = {{"highest", place(lane.highest)}, {"highest_time", lane.highest_time}, {"run", place(lane.run)}, {"run_id", lane.run_id},
           {"run_snapshot", lane.run_snapshot}, {"run_rows", lane.run_rows}, {"offset", lane.offset},
           {"last_was_replay", lane.last_was_replay}, {"snapshots", nlohmann::json::array()}};
    for (const auto& snapshot : lane.snapshots) out["snapshots"].push_back({snapshot.id, snapshot.rows});
  }
  return json;
}

ReplayFilter ReplayFilter::FromJson(const nlohmann::json& json) {
  ReplayFilter filter;
  if (!json.is_object()) return filter;
  const auto place = [](const nlohmann::json& p) {
    return Place{wire::Item(p, 0, std::uint64_t{0}), wire::Item(p, 1, std::uint64_t{0}), wire::Item(p, 2, std::uint64_t{0})};
  };
  for (const auto& [name, in] : json.items()) {
    Lane& lane = filter.lanes_[name];
    lane.highest = place(wire::Get(in, "highest", nlohmann::json()));
    lane.highest_time = wire::Get(in, "highest_time", std::int64_t{-1});
    lane.run = place(wire::Get(in, "run", nlohmann::json()));
    lane.run_id = wire::Get(in, "run_id", "");
    lane.run_snapshot = wire::Get(in, "run_snapshot", "");
    lane.run_rows = wire::Get(in, "run_rows", std::uint64_t{0});
    lane.offset = wire::Get(in, "offset", std::int64_t{-1});
    lane.last_was_replay = wire::Get(in, "last_was_replay", false);
    for (const auto& snapshot : wire::Get(in, "snapshots", nlohmann::json::array()))
      lane.snapshots.push_back({wire::Item(snapshot, 0, std::string()), wire::Item(snapshot, 1, std::uint64_t{0})});
  }
  return filter;
}

}  // namespace nano::ingest
