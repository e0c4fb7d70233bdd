// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A run of positions of the base image in memory: the records that stayed, and empty places between them. Immutable.

#include <string>
#include <vector>

#include "journal/journal.h"

namespace nano::journal {

class BaseBlock final : public Block {
 public:
  struct Entry {
    Position position;
    Record record;                    ///< without its texts, which lie in the block's memory
    std::size_t stream = 0, bytes = 0, key = 0, headers = 0;                      ///< where each begins
    std::size_t stream_size = 0, bytes_size = 0, key_size = 0, headers_size = 0;
  };

  BaseBlock(Position begin, Position end, std::vector<Entry> entries, std::string memory);
  Position begin() const override { return begin_; }
  Position end() const override { return end_; }
  Record record(std::size_t n) const override;
  bool has(std::size_t n) const override;
  bool uniform() const override { return false; }
  std::size_t raw_bytes() const override { return memory_.size() - kPadding; }

 private:
  const Entry* Find(std::size_t n) const;
  Position begin_, end_;
  std::vector<Entry> entries_;        // by position
  std::string memory_;
};

}  // namespace nano::journal
