// SPDX-License-Identifier: Apache-2.0
#include "land/fold_state.h"

namespace nano::land {

std::optional<Position> FoldState::Image(std::string_view key) const {
  const auto found = keys_.find(std::string(key));
  return found == keys_.end() ? std::nullopt : found->second.image;
}

void FoldState::Put(std::string_view key, std::string_view old_key, Position at, Says says) {
  std::vector<Position> before;
  if (!old_key.empty() && says != Says::kWhole)
    if (const auto old = keys_.find(std::string(old_key)); old != keys_.end()) before = old->second.needed;
  Key& row = keys_[std::string(key)];
  row.lives = true;
  if (says == Says::kWhole) {
    // What is in quarantine is tried again only beside everything that came after it.
    if (!row.held) row.needed.clear();
    row.needed.push_back(at);
    row.image = at;
    return;
  }
  row.needed.insert(row.needed.end(), before.begin(), before.end());
  row.needed.push_back(at);
  row.image.reset();
  row.held = row.held || says == Says::kHeld;
}

void FoldState::Delete(std::string_view key, Position at) {
  const auto found = keys_.find(std::string(key));
  if (found == keys_.end()) return;
  found->second.lives = false;
  found->second.needed.push_back(at);
}

void FoldState::ForgetBefore(Position begin) {
  std::erase_if(keys_, [&](const auto& entry) { return !entry.second.held && entry.second.needed.back() < begin; });
}

void FoldState::AddNeeded(std::vector<Position>& positions) const {
  for (const auto& [key, row] : keys_)
    if (row.lives || row.held) positions.insert(positions.end(), row.needed.begin(), row.needed.end());
}

}  // namespace nano::land
