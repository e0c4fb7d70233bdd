// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_visibility.h"

#include <algorithm>
#include <charconv>

namespace nano::ingest {
namespace {

bool TakeNumber(std::string_view& text, std::uint64_t& number) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(at - text.data()));
  return true;
}

bool TakeLetter(std::string_view& text, char letter) {
  if (!text.starts_with(letter)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<Visibility> Visibility::Parse(std::string_view text) {
  Visibility out;
  if (!TakeNumber(text, out.xmin_) || !TakeLetter(text, ':') || !TakeNumber(text, out.xmax_) || !TakeLetter(text, ':')) return std::nullopt;
  while (!text.empty()) {
    if (!TakeNumber(text, out.running_.emplace_back())) return std::nullopt;
    if (!text.empty() && !TakeLetter(text, ',')) return std::nullopt;
  }
  return out;
}

bool Visibility::Sees(std::uint32_t xid) const {
  // The upper half is that which brings it nearest to the snapshot.
  const auto distance = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(xmax_));
  const std::uint64_t whole = xmax_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(distance));
  if (whole < xmin_) return true;
  if (whole >= xmax_) return false;
  return std::find(running_.begin(), running_.end(), whole) == running_.end();
}

bool RecentTransactions::AllSeenBy(const Visibility& snapshot) const {
  return std::all_of(xids_.begin(), xids_.end(), [&](std::uint32_t xid) { return snapshot.Sees(xid); });
}

void RecentTransactions::Forget(const Visibility& snapshot) {
  std::erase_if(xids_, [&](std::uint32_t xid) { return snapshot.Sees(xid); });
}

}  // namespace nano::ingest
