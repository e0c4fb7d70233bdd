// SPDX-License-Identifier: Apache-2.0
#include "land/stream_versions.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace nano::land {

using nlohmann::json;

bool StreamVersions::Note(std::optional<std::int64_t> version, Position at, bool shared) {
  if (runs_.empty()) {
    if (!version) return false;
    if (!shared && at.value > 0) runs_.push_back({std::nullopt, 0, at.value});
    runs_.push_back({version, at.value, kOpen});
    return true;
  }
  Run& last = runs_.back();
  if (last.end == kOpen && last.version == version) return false;
  if (last.end == kOpen) last.end = at.value;
  if (!version && shared) return true;  // nobody's
  runs_.push_back({version, at.value, kOpen});
  if (runs_.size() > kMostRuns) runs_.erase(runs_.begin());
  return true;
}

bool StreamVersions::Interrupt(Position at) {
  if (runs_.empty() || runs_.back().end != kOpen) return false;
  runs_.back().end = at.value;
  return true;
}

std::vector<std::pair<Position, Position>> StreamVersions::Activate(std::int64_t version, Position at) {
  const auto first = std::find_if(runs_.begin(), runs_.end(), [&](const Run& run) { return run.version == version; });
  const std::uint64_t began = first == runs_.end() ? 0 : first->begin;
  std::vector<std::pair<Position, Position>> gone;
  std::erase_if(runs_, [&](const Run& run) {
    const bool older = run.version ? *run.version < version : run.begin < began;
    if (older) gone.emplace_back(Position{run.begin}, Position{std::min(run.end, at.value)});
    return older;
  });
  return gone;
}

json StreamVersions::ToJson() const {
  json out = json::array();
  for (const auto& run : runs_)
    out.push_back({run.version ? json(*run.version) : json(nullptr), run.begin, run.end == kOpen ? json(nullptr) : json(run.end)});
  return out;
}

StreamVersions StreamVersions::FromJson(const json& in) {
  StreamVersions out;
  if (!in.is_array()) return out;
  for (const auto& item : in) {
    if (!item.is_array() || item.size() != 3 || !item[1].is_number_unsigned()) continue;
    Run run;
    if (item[0].is_number_integer()) run.version = item[0].get<std::int64_t>();
    run.begin = item[1].get<std::uint64_t>();
    if (item[2].is_number_unsigned()) run.end = item[2].get<std::uint64_t>();
    out.runs_.push_back(run);
  }
  return out;
}

}  // namespace nano::land
