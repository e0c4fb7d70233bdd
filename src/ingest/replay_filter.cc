// SPDX-License-Identifier: Apache-2.0
#include "ingest/replay_filter.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace nano::ingest {
namespace {

constexpr std::size_t kSnapshotsKept = 16;

bool IsSnapshotRow(const wire::DebeziumEvent& event) {
  return !event.snapshot.empty() && event.snapshot != "false" && event.snapshot != "incremental";
}

}  // namespace

bool ReplayFilter::IsReplay(const wire::DebeziumEvent& event, const wire::DebeziumMessage& message) {
  using Kind = wire::DebeziumEvent::Kind;
  const std::string lane = message.topic.empty() ? std::string() : fmt::format("{}/{}", message.topic, message.partition);
  if (event.kind == Kind::kTombstone) return last_was_replay_[lane];
  if (event.kind != Kind::kChange) return false;
  bool replay = false;
  if (IsSnapshotRow(event)) {
    replay = IsSnapshotReplay(fmt::format("{}/{}/{}", event.lsn.value_or(0), event.transaction, event.run_id));
  } else if (event.sequence_b) {
    if (!event.run_id.empty() && event.run_id != run_id_) {
      run_id_ = std::string(event.run_id);
      run_ = {};
    }
    run_snapshot_.clear();
    Place place{event.sequence_a.value_or(0), *event.sequence_b, 1};
    if (place.a == run_.a && place.b == run_.b) place.ordinal = run_.ordinal + 1;
    run_ = place;
    replay = place <= highest_ && event.committed_at <= highest_time_;
    if (!replay) {
      highest_ = std::max(highest_, place);
      highest_time_ = std::max(highest_time_, event.committed_at);
    }
  } else if (message.offset >= 0) {
    auto& highest = offsets_.try_emplace(lane, -1).first->second;
    replay = message.offset <= highest;
    highest = std::max(highest, message.offset);
  }
  last_was_replay_[lane] = replay;
  return replay;
}

bool ReplayFilter::IsSnapshotReplay(const std::string& snapshot) {
  if (snapshot != run_snapshot_) {
    run_snapshot_ = snapshot;
    run_rows_ = 0;
    run_ = {};
  }
  ++run_rows_;
  for (auto& known : snapshots_) {
    if (known.id != snapshot) continue;
    if (run_rows_ <= known.rows) return true;
    known.rows = run_rows_;
    return false;
  }
  snapshots_.push_back({snapshot, run_rows_});
  if (snapshots_.size() > kSnapshotsKept) snapshots_.pop_front();
  // What streams after a new snapshot is counted from it.
  highest_ = run_ = {};
  highest_time_ = -1;
  return false;
}

void ReplayFilter::NewInput() {
  run_ = {};
  run_id_.clear();
  run_snapshot_.clear();
  run_rows_ = 0;
  offsets_.clear();
  last_was_replay_.clear();
}

nlohmann::json ReplayFilter::ToJson() const {
  nlohmann::json json;
  const auto place = [](const Place& p) { return nlohmann::json::array({p.a, p.b, p.ordinal}); };
  json["highest"] = place(highest_);
  json["highest_time"] = highest_time_;
  json["run"] = place(run_);
  json["run_id"] = run_id_;
  json["run_snapshot"] = run_snapshot_;
  json["run_rows"] = run_rows_;
  json["snapshots"] = nlohmann::json::array();
  for (const auto& snapshot : snapshots_) json["snapshots"].push_back({snapshot.id, snapshot.rows});
  json["offsets"] = offsets_;
  json["last_was_replay"] = last_was_replay_;
  return json;
}

ReplayFilter ReplayFilter::FromJson(const nlohmann::json& json) {
  ReplayFilter filter;
  if (!json.is_object()) return filter;
  const auto place = [](const nlohmann::json& p) {
    return p.is_array() && p.size() == 3 ? Place{p[0].get<std::uint64_t>(), p[1].get<std::uint64_t>(), p[2].get<std::uint64_t>()} : Place{};
  };
  filter.highest_ = place(json.value("highest", nlohmann::json()));
  filter.highest_time_ = json.value("highest_time", std::int64_t{-1});
  filter.run_ = place(json.value("run", nlohmann::json()));
  filter.run_id_ = json.value("run_id", "");
  filter.run_snapshot_ = json.value("run_snapshot", "");
  filter.run_rows_ = json.value("run_rows", std::uint64_t{0});
  for (const auto& snapshot : json.value("snapshots", nlohmann::json::array()))
    filter.snapshots_.push_back({snapshot[0].get<std::string>(), snapshot[1].get<std::uint64_t>()});
  filter.offsets_ = json.value("offsets", std::map<std::string, std::int64_t>{});
  filter.last_was_replay_ = json.value("last_was_replay", std::map<std::string, bool>{});
  return filter;
}

}  // namespace nano::ingest
