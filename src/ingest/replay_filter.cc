// SPDX-License-Identifier: Apache-2.0
#include "ingest/replay_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "wire/json_get.h"

namespace nano::ingest {
namespace {

constexpr std::size_t kSnapshotsKept = 16;
/// Events of one transaction that are remembered one by one; of a larger one those beyond may be taken twice.
constexpr std::size_t kContentsKept = 10'000;

/// FNV-1a: kept in checkpoints, so it never changes.
class ContentHash {
 public:
  void Add(std::string_view text) {
    for (const char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    value_ = (value_ ^ 0xFF) * 1099511628211ULL;   // no UTF-8 has this byte
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 14695981039346656037ULL;
};

/// Of what an event says, not of when it was sent.
std::uint64_t HashOf(const wire::DebeziumEvent& event, std::string_view key) {
  ContentHash hash;
  hash.Add(event.stream);
  hash.Add(event.transaction);
  hash.Add({&event.op, 1});
  hash.Add(key);
  for (const std::string_view image : event.images) hash.Add(image);
  return hash.value();
}

}  // namespace

bool ReplayFilter::IsReplay(const wire::DebeziumEvent& event, const wire::DebeziumMessage& message) {
  using Kind = wire::DebeziumEvent::Kind;
  if (event.kind != Kind::kChange && event.kind != Kind::kTombstone) return false;
  if (last_ == nullptr || message.topic != last_topic_ || message.partition != last_partition_) {
    last_name_ = message.topic.empty() ? std::string() : fmt::format("{}/{}", message.topic, message.partition);
    last_topic_ = message.topic;
    last_partition_ = message.partition;
    last_ = &lanes_[last_name_];
  }
  const std::string& name = last_name_;
  Lane& lane = *last_;
  if (event.kind == Kind::kTombstone) return lane.last_was_replay;
  bool replay = false;
  if (const std::string snapshot = wire::SnapshotOf(event); !snapshot.empty()) {
    replay = IsSnapshotReplay(lane, snapshot);
    if (!replay)   // what streams after a new snapshot is counted from it
      for (auto other = lanes_.lower_bound(name + "@"); other != lanes_.end() && other->first.starts_with(name + "@"); ++other)
        other->second.highest_time = -1;
  } else if (event.place) {
    lane.run_snapshot.clear();
    replay = IsStreamedReplay(event.place->epoch.empty() ? lane : lanes_[fmt::format("{}@{}", name, event.place->epoch)], event, message.key);
  } else if (message.offset >= 0) {
    replay = message.offset <= lane.offset;
    lane.offset = std::max(lane.offset, message.offset);
  }
  lane.last_was_replay = replay;
  return replay;
}

bool ReplayFilter::IsStreamedReplay(Lane& lane, const wire::DebeziumEvent& event, std::string_view key) {
  if (!event.run_id.empty() && event.run_id != lane.run_id) {
    lane.run_id = std::string(event.run_id);
    lane.run = {};
    lane.next_content = 0;
  }
  if (event.place->may_resume_inside) return IsKnownContent(lane, event, key);
  Place place{event.place->parts, 1};
  if (place.parts == lane.run.parts) place.ordinal = lane.run.ordinal + 1;
  lane.run = place;
  if (place <= lane.highest && event.committed_at <= lane.highest_time) return true;
  lane.highest = std::max(lane.highest, place);
  lane.highest_time = std::max(lane.highest_time, event.committed_at);
  return false;
}

/// At the highest place the events that were sent again are an ordered part of those seen there; what comes after an
/// event that is new is new as well.
bool ReplayFilter::IsKnownContent(Lane& lane, const wire::DebeziumEvent& event, std::string_view key) {
  const auto& parts = event.place->parts;
  const bool in_time = event.committed_at <= lane.highest_time;
  if (parts < lane.highest.parts && in_time) {
    lane.next_content = 0;
    return true;
  }
  const std::uint64_t hash = HashOf(event, key);
  if (parts != lane.highest.parts || !in_time) {
    lane.contents.clear();
  } else if (const auto from = lane.contents.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(lane.next_content, lane.contents.size())); true) {
    if (const auto known = std::find(from, lane.contents.end(), hash); known != lane.contents.end()) {
      lane.next_content = static_cast<std::uint64_t>(known - lane.contents.begin()) + 1;
      return true;
    }
  }
  if (lane.contents.size() < kContentsKept) lane.contents.push_back(hash);
  lane.next_content = lane.contents.size();
  lane.highest = {parts, 0};
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
    lane.next_content = 0;
    lane.run_id.clear();
    lane.run_snapshot.clear();
    lane.run_rows = 0;
    lane.offset = -1;
    lane.last_was_replay = false;
  }
}

nlohmann::json ReplayFilter::ToJson() const {
  nlohmann::json json = nlohmann::json::object();
  const auto place = [](const Place& p) { return nlohmann::json::array({p.parts[0], p.parts[1], p.parts[2], p.parts[3], p.parts[4], p.ordinal}); };
  for (const auto& [name, lane] : lanes_) {
    auto& out = json[name];
    out = {{"highest", place(lane.highest)}, {"highest_time", lane.highest_time}, {"run", place(lane.run)}, {"run_id", lane.run_id},
           {"run_snapshot", lane.run_snapshot}, {"run_rows", lane.run_rows}, {"offset", lane.offset},
           {"last_was_replay", lane.last_was_replay}, {"snapshots", nlohmann::json::array()}};
    if (!lane.contents.empty()) {
      out["contents"] = lane.contents;
      out["next_content"] = lane.next_content;
    }
    for (const auto& snapshot : lane.snapshots) out["snapshots"].push_back({snapshot.id, snapshot.rows});
  }
  return json;
}

ReplayFilter ReplayFilter::FromJson(const nlohmann::json& json) {
  ReplayFilter filter;
  if (!json.is_object()) return filter;
  // A place of the first release has two parts and the ordinal.
  const auto place = [](const nlohmann::json& p) {
    Place read;
    const std::size_t parts = p.is_array() && p.size() == 3 ? 2 : read.parts.size();
    for (std::size_t i = 0; i < parts; ++i) read.parts[i] = wire::Item(p, i, std::uint64_t{0});
    read.ordinal = wire::Item(p, parts, std::uint64_t{0});
    return read;
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
    lane.contents = wire::Get(in, "contents", std::vector<std::uint64_t>{});
    lane.next_content = wire::Get(in, "next_content", std::uint64_t{0});
    lane.last_was_replay = wire::Get(in, "last_was_replay", false);
    for (const auto& snapshot : wire::Get(in, "snapshots", nlohmann::json::array()))
      lane.snapshots.push_back({wire::Item(snapshot, 0, std::string()), wire::Item(snapshot, 1, std::uint64_t{0})});
  }
  return filter;
}

}  // namespace nano::ingest
