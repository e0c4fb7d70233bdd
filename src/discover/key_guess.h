// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The key of a stream whose messages carry none, though its changes name no whole row: found in the rows themselves. A key
/// is never NULL, is in every old image, and no two rows that are there at once share it. Pure.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nano::discover {

class KeyGuess {
 public:
  using Row = std::vector<std::pair<std::string, std::string>>;   ///< field and token, in the stream's order

  void Created(const Row& after);
  /// `before` is empty where the message has none.
  void Updated(const Row& before, const Row& after);
  void Deleted(const Row& before);
  void Truncated();
  /// A value of a change that the source did not send.
  void Unsent() { needed_ = true; }

  /// Whether changes can't be told apart by whole rows: a key must be known.
  bool needed() const { return needed_; }
  /// The first and shortest that does; empty where none does, or too much was seen.
  std::vector<std::string> Find() const;

 private:
  enum class What : std::uint8_t { kCreated, kRemoved, kTruncated };
  struct Step {
    What what;
    std::vector<std::string> values;   ///< by field; "null" where it has none
  };
  void Learn(const Row& row);
  void Note(What what, const Row& row);
  bool TellsApart(const std::vector<std::size_t>& fields) const;

  bool needed_ = false, full_ = false;
  std::vector<std::string> names_;
  std::vector<bool> never_null_, in_old_images_;
  std::vector<Step> steps_;
};

}  // namespace nano::discover
