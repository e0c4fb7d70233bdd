// SPDX-License-Identifier: Apache-2.0
#include "journal/base_block.h"

#include <algorithm>

namespace nano::journal {

BaseBlock::BaseBlock(Position begin, Position end, std::vector<Entry> entries, std::string memory)
    : begin_(begin), end_(end), entries_(std::move(entries)), memory_(std::move(memory)) {
  memory_.append(kPadding, '\0');
}

const BaseBlock::Entry* BaseBlock::Find(std::size_t n) const {
  const Position at{begin_.value + n};
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), at,
                                      [](const Entry& entry, Position position) { return entry.position < position; });
  return found != entries_.end() && found->position == at ? &*found : nullptr;
}

bool BaseBlock::has(std::size_t n) const { return Find(n) != nullptr; }

Record BaseBlock::record(std::size_t n) const {
  const Entry* const entry = Find(n);
  if (!entry) {
    Record empty;
    empty.kind = RecordKind::kGap;
    empty.has_value = false;
    return empty;
  }
  Record record = entry->record;
  const std::string_view memory = memory_;
  record.stream = memory.substr(entry->stream, entry->stream_size);
  record.bytes = memory.substr(entry->bytes, entry->bytes_size);
  record.key = memory.substr(entry->key, entry->key_size);
  record.headers = memory.substr(entry->headers, entry->headers_size);
  return record;
}

}  // namespace nano::journal
