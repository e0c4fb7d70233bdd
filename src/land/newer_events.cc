// SPDX-License-Identifier: Apache-2.0
#include "land/newer_events.h"

#include <fmt/format.h>

#include <algorithm>

#include "change/key.h"

namespace nano::land {

void NewerEvents::Wait(std::size_t index, const Event& event) {
  const bool keyed = plan_.build.definition.identity == lake::Identity::kKey;
  if (!keyed && event.after.empty()) return;
  waiting_[keyed ? std::string(event.key) : RowOf(event.after)].push_back({index, event.committed_at});
}

void NewerEvents::Landed(const std::string& source, const Event& event) {
  if (event.op == Op::kTruncate) return OvertakeAll(source, event);
  if (event.op == Op::kReread) {   // an event of its own is not said again by the row as it is now
    if (plan_.build.definition.identity != lake::Identity::kNone) OvertakeAll(source, event);
    return;
  }
  if (plan_.build.definition.identity != lake::Identity::kKey) return LandedWholeRow(source, event);
  if (event.key.empty()) return;
  if (const auto at = waiting_.find(std::string(event.key)); at != waiting_.end()) Overtake(source, event, at->second);
}

void NewerEvents::LandedElsewhere(const std::string& source, const Event& event) {
  if (event.key.empty() || event.committed_at == kNoTime) return;
  const auto at = waiting_.find(std::string(event.key));
  if (at == waiting_.end()) return;
  auto& waiting = at->second;
  const auto older = std::partition(waiting.begin(), waiting.end(), [&](const Waiting& one) { return one.committed_at >= event.committed_at; });
  std::vector<Waiting> overtaken(older, waiting.end());
  waiting.erase(older, waiting.end());
  Overtake(source, event, overtaken);
}

std::optional<std::string> NewerEvents::overtaken(std::size_t index) const {
  const auto at = overtaken_.find(index);
  return at == overtaken_.end() ? std::nullopt : std::optional(at->second);
}

void NewerEvents::Overtake(const std::string& source, const Event& event, std::vector<Waiting>& waiting) {
  for (const auto& one : waiting) overtaken_[one.index] = fmt::format("{}:{}", source, event.position.value);
  waiting.clear();
}

void NewerEvents::OvertakeAll(const std::string& source, const Event& event) {
  for (auto& [key, waiting] : waiting_) Overtake(source, event, waiting);
  waiting_.clear();
  landed_.clear();
}

void NewerEvents::LandedWholeRow(const std::string& source, const Event& event) {
  if (event.op == Op::kSnapshotBegin) return OvertakeAll(source, event);
  if ((event.op == Op::kUpdate || event.op == Op::kDelete) && !event.before.empty()) {
    const std::string row = RowOf(event.before);
    if (auto& landed = landed_[row]; landed > 0) {
      --landed;
    } else if (const auto at = waiting_.find(row); at != waiting_.end() && !at->second.empty()) {
      std::vector<Waiting> last{at->second.back()};
      at->second.pop_back();
      Overtake(source, event, last);
    }
  }
  if (event.op != Op::kDelete && !event.after.empty()) ++landed_[RowOf(event.after)];
}

std::string NewerEvents::RowOf(std::span<const wire::Cell> cells) const {
  std::string bytes;
  for (std::size_t i = 0; i < cells.size(); ++i) AppendKey(plan_.inputs[i].type, cells[i], bytes);
  return bytes;
}

}  // namespace nano::land
