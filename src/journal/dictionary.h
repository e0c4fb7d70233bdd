// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the records of one segment refer to by number: names of streams, and beginnings of messages that hold their
/// inline schema. A Dictionary is immutable and shared by the blocks; the writer makes a new one for each new entry.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nano::journal {

struct Dictionary {
  std::vector<std::shared_ptr<const std::string>> streams, schemas;
};
using DictionaryPtr = std::shared_ptr<const Dictionary>;

/// Gives numbers to names and texts as they are met. Not for several threads.
class DictionaryBuilder {
 public:
  static constexpr std::uint32_t kNone = ~0U;
  enum class Kind { kStream, kSchema };

  DictionaryBuilder();
  /// Starts with the entries that a segment has already.
  explicit DictionaryBuilder(DictionaryPtr entries);

  /// Its number, or kNone where it is not in it.
  std::uint32_t Find(Kind kind, std::string_view text) const;
  /// Adds it.  kNone: it is too long, or the dictionary is full; the record must carry it itself.
  std::uint32_t Add(Kind kind, std::string_view text);
  const DictionaryPtr& entries() const { return entries_; }

 private:
  using Numbers = std::unordered_map<std::string_view, std::uint32_t>;
  DictionaryPtr entries_;
  Numbers streams_, schemas_;     // views into the entries, which never move
  std::size_t bytes_ = 0;
};

}  // namespace nano::journal
