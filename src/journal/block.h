// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A block's raw bytes: how records lie in it, made by a BlockBuilder (the writer) or taken from a segment (ParseBlock).
/// A MemoryBlock is immutable and may be read by several threads.

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "change/record.h"
#include "journal/dictionary.h"
#include "journal/journal.h"

namespace nano::journal {

struct FreeMemory {
  void operator()(char* memory) const;
};
/// Memory that nothing was written to yet.
using Memory = std::unique_ptr<char, FreeMemory>;
/// `size` bytes and the padding behind them, which is zero.
Memory AllocatePadded(std::size_t size);

/// What of a record is known only from those before it.
struct RecordEntry {
  std::uint32_t offset = 0;           ///< of the record in the raw bytes
  std::uint64_t source_offset = 0;
  std::int64_t committed_at = kNoTime, ingested_at = kNoTime;
  wire::DebeziumOutline outline = {};                    ///< none where the block was read from a segment
};

class MemoryBlock final : public Block {
 public:
  /// `raw_bytes`: what it takes to read all of it.
  MemoryBlock(Position begin, Memory raw, std::size_t size, std::vector<RecordEntry> entries, DictionaryPtr dictionary,
              std::size_t restored_bytes, std::size_t raw_bytes, bool has_schemas, bool uniform);

  Position begin() const override { return begin_; }
  Position end() const override { return {begin_.value + entries_.size()}; }
  Record record(std::size_t n) const override;
  Record outlined(std::size_t n) const override;
  bool uniform() const override { return uniform_; }
  std::size_t raw_bytes() const override { return raw_bytes_; }
  /// As they stand in the segment before compression.
  std::string_view stored_form() const { return {raw_.get(), size_}; }

 private:
  void Restore() const;
  Position begin_;
  Memory raw_;
  std::size_t size_;
  std::vector<RecordEntry> entries_;
  DictionaryPtr dictionary_;
  std::size_t restored_bytes_, raw_bytes_;
  bool has_schemas_, uniform_;
  mutable std::once_flag restore_once_;       // guards the two below, which are made at the first look at a record
  mutable Memory restored_;
  mutable std::vector<std::pair<std::size_t, std::size_t>> restored_at_;   ///< of value and key, where they have a schema
};

/// A record with the numbers that its segment's dictionary gives to its stream and its schemas.
struct Numbered {
  std::uint32_t stream = DictionaryBuilder::kNone;
  std::uint32_t value_schema = DictionaryBuilder::kNone, key_schema = DictionaryBuilder::kNone;
  std::size_t value_schema_bytes = 0, key_schema_bytes = 0;   ///< how much of the value and the key they replace
};

/// Not for several threads.
class BlockBuilder {
 public:
  /// Starts a block that `size` raw bytes fit in.
  void Start(Position begin, std::size_t size);
  bool started() const { return raw_ != nullptr; }
  bool empty() const { return entries_.empty(); }
  std::size_t count() const { return entries_.size(); }
  std::size_t size() const { return size_; }
  std::size_t restored_bytes() const { return restored_bytes_; }
  std::size_t raw_bytes() const { return restores_ ? restored_bytes_ : size_; }
  std::size_t room() const { return capacity_ - size_; }
  /// Raw bytes that it takes at most.
  static std::size_t Bound(const Record& record);
  /// room() >= Bound(record).
  void Add(const Record& record, const Numbered& numbered);
  std::shared_ptr<const MemoryBlock> Finish(DictionaryPtr dictionary);

 private:
  Position begin_;
  Memory raw_;
  std::size_t capacity_ = 0, size_ = 0, restored_bytes_ = 0;
  bool has_schemas_ = false, uniform_ = true;
  bool restores_ = false;           ///< who reads it must have schemas put back
  std::uint32_t first_stream_ = 0;  ///< of the block's first record, as the dictionary numbers it
  RecordEntry last_;
  std::size_t last_count_ = 0;      ///< records of the block before: what to make room for
  std::vector<RecordEntry> entries_;
};

/// Checks every record of `raw`, so that record(n) may trust them.  kCorrupt: they are not `count` whole records.
Result<std::shared_ptr<const MemoryBlock>> ParseBlock(Position begin, Memory raw, std::size_t size, std::size_t count,
                                                      DictionaryPtr dictionary);

}  // namespace nano::journal
