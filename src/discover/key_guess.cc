// SPDX-License-Identifier: Apache-2.0
#include "discover/key_guess.h"

#include <algorithm>

namespace nano::discover {
namespace {

constexpr std::size_t kMostSteps = 200'000;   ///< what is kept in memory
constexpr std::size_t kMostFields = 16;       ///< of which pairs and triples are tried

bool IsNull(const std::string& token) { return token.empty() || token == "null"; }

}  // namespace

void KeyGuess::Created(const Row& after) { Note(What::kCreated, after); }

void KeyGuess::Updated(const Row& before, const Row& after) {
  if (before.empty()) needed_ = true;
  Learn(after);
  for (const auto& [name, token] : after)
    if (const auto at = std::find(names_.begin(), names_.end(), name); at != names_.end() && IsNull(token)) never_null_[static_cast<std::size_t>(at - names_.begin())] = false;
}

void KeyGuess::Deleted(const Row& before) {
  if (before.empty()) {
    needed_ = true;
    return;
  }
  for (std::size_t n = 0; n < names_.size(); ++n) {
    const auto at = std::find_if(before.begin(), before.end(), [&](const auto& field) { return field.first == names_[n]; });
    if (at != before.end() && !IsNull(at->second)) continue;
    in_old_images_[n] = false;
    needed_ = needed_ || never_null_[n];   // an old image of the key alone
  }
  Note(What::kRemoved, before);
}

void KeyGuess::Truncated() { steps_.push_back({What::kTruncated, {}}); }

void KeyGuess::Learn(const Row& row) {
  for (const auto& [name, token] : row)
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
      names_.push_back(name);
      never_null_.push_back(true);
      in_old_images_.push_back(true);
    }
}

void KeyGuess::Note(What what, const Row& row) {
  if (steps_.size() >= kMostSteps) full_ = true;
  if (full_) return;
  Learn(row);
  Step step{what, std::vector<std::string>(names_.size(), "null")};
  for (const auto& [name, token] : row) step.values[static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin())] = token;
  if (what == What::kCreated)
    for (std::size_t n = 0; n < names_.size(); ++n)
      if (IsNull(step.values[n])) never_null_[n] = false;
  steps_.push_back(std::move(step));
}

std::vector<std::string> KeyGuess::Find() const {
  std::vector<std::size_t> fields;
  for (std::size_t n = 0; n < names_.size(); ++n)
    if (never_null_[n] && in_old_images_[n]) fields.push_back(n);
  if (full_ || fields.empty()) return {};
  std::vector<std::vector<std::size_t>> tried;
  for (const std::size_t field : fields) tried.push_back({field});
  if (fields.size() > kMostFields) fields.resize(kMostFields);
  for (std::size_t a = 0; a < fields.size(); ++a)
    for (std::size_t b = a + 1; b < fields.size(); ++b) tried.push_back({fields[a], fields[b]});
  for (std::size_t a = 0; a < fields.size(); ++a)
    for (std::size_t b = a + 1; b < fields.size(); ++b)
      for (std::size_t c = b + 1; c < fields.size(); ++c) tried.push_back({fields[a], fields[b], fields[c]});
  for (const auto& key : tried) {
    if (!TellsApart(key)) continue;
    std::vector<std::string> out;
    for (const std::size_t field : key) out.push_back(names_[field]);
    return out;
  }
  return {};
}

bool KeyGuess::TellsApart(const std::vector<std::size_t>& fields) const {
  std::set<std::string> live;
  for (const Step& step : steps_) {
    if (step.what == What::kTruncated) {
      live.clear();
      continue;
    }
    std::string key;
    for (const std::size_t field : fields) key += (field < step.values.size() ? step.values[field] : std::string("null")) + '\n';
    if (step.what == What::kRemoved) live.erase(key);
    else if (!live.insert(key).second) return false;
  }
  return true;
}

}  // namespace nano::discover
