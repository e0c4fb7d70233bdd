// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which messages of one stream must stay so that a table that is built from them alone becomes what it would have
/// become from all: of every key that lives the last complete one, and those since. Pure; works on canonical keys.
/// A message is complete if nothing of it has to be taken from an earlier one.

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "change/record.h"

namespace nano::land {

class FoldState {
 public:
  /// Whether the message says the whole row, and holds: it is in no quarantine.
  enum class Says { kWhole, kPart, kHeld };

  /// The last complete message of a key, if nothing came after it but its delete.
  std::optional<Position> Image(std::string_view key) const;
  /// The row of `key` is as the message at `at` says; it was the row of `old_key` before, unless that is empty.
  void Put(std::string_view key, std::string_view old_key, Position at, Says says);
  /// The row of `key` is gone.
  void Delete(std::string_view key, Position at);
  /// All rows are gone.
  void Truncate() { keys_.clear(); }
  /// All rows are gone of which nothing was said since `begin`; what waits in quarantine stays.
  void ForgetBefore(Position begin);
  /// Adds the positions that must stay, in no order, maybe some of them twice.
  void AddNeeded(std::vector<Position>& positions) const;

 private:
  struct Key {
    std::vector<Position> needed;          ///< ascending
    std::optional<Position> image;
    bool lives = false;
    bool held = false;                     ///< one of its messages is in quarantine, and may be tried again
  };
  std::unordered_map<std::string, Key> keys_;
};

}  // namespace nano::land
