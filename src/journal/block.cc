// SPDX-License-Identifier: Apache-2.0
#include "journal/block.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "journal/format.h"

namespace nano::journal {
namespace {

constexpr std::uint32_t kNone = DictionaryBuilder::kNone;

/// Bits of a record's fourth byte: what stands in its header.
enum Field : std::uint8_t {
  kHasValue = 1,
  kHasKey = 2,
  kHasHeaders = 4,
  kCommittedAt = 8,
  kIngestedAt = 16,
  kValueSchema = 32,
  kKeySchema = 64,
  kSourceOffset = 128,
};

/// How a record names its stream: none, by a name of its own, or by number from here on.
constexpr std::uint64_t kNoStream = 0, kOwnName = 1, kFirstStream = 2;

/// Four bytes, seven numbers.
constexpr std::size_t kMaxRecordHeader = 4 + 9 * kMaxVarint;

/// A record's header, taken apart; what stands as a difference is not yet added up.
struct Fields {
  std::uint8_t kind = 0, format = 0, flags = 0, fields = 0;
  std::uint32_t stream = kNone, value_schema = kNone, key_schema = kNone;
  std::uint64_t source_offset = 0, committed_at = 0, ingested_at = 0;
  std::string_view own_name, key, headers, value;
};

/// The source of ReadFields() in a block that was checked: bounds hold.
bool ReadFields(const char*& at, const char* end, Fields& out) {
  if (end - at < 4) return false;
  const auto* byte = reinterpret_cast<const unsigned char*>(at);
  out.kind = byte[0];
  out.format = byte[1];
  out.flags = byte[2];
  out.fields = byte[3];
  at += 4;
  std::uint64_t stream = 0, number = 0, name = 0, key = 0, headers = 0, value = 0;
  if (!GetVarint(at, end, stream)) return false;
  if (stream == kOwnName && !GetVarint(at, end, name)) return false;
  if (stream >= kFirstStream) {
    if (stream - kFirstStream >= kMaxDictionaryEntries) return false;
    out.stream = static_cast<std::uint32_t>(stream - kFirstStream);
  }
  if ((out.fields & kValueSchema) != 0) {
    if (!GetVarint(at, end, number) || number >= kMaxDictionaryEntries) return false;
    out.value_schema = static_cast<std::uint32_t>(number);
  }
  if ((out.fields & kKeySchema) != 0) {
    if (!GetVarint(at, end, number) || number >= kMaxDictionaryEntries) return false;
    out.key_schema = static_cast<std::uint32_t>(number);
  }
  if ((out.fields & kSourceOffset) != 0 && !GetVarint(at, end, out.source_offset)) return false;
  if ((out.fields & kCommittedAt) != 0 && !GetVarint(at, end, out.committed_at)) return false;
  if ((out.fields & kIngestedAt) != 0 && !GetVarint(at, end, out.ingested_at)) return false;
  if ((out.fields & kHasKey) != 0 && !GetVarint(at, end, key)) return false;
  if ((out.fields & kHasHeaders) != 0 && !GetVarint(at, end, headers)) return false;
  if (!GetVarint(at, end, value)) return false;
  for (auto [size, view] : {std::pair{name, &out.own_name}, {key, &out.key}, {headers, &out.headers}, {value, &out.value}}) {
    if (size > static_cast<std::uint64_t>(end - at)) return false;
    *view = {at, static_cast<std::size_t>(size)};
    at += size;
  }
  return true;
}

std::int64_t Plus(std::int64_t base, std::uint64_t coded) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + UnZigZag(coded));
}
std::uint64_t Minus(std::int64_t value, std::int64_t base) {
  return ZigZag(static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(base));
}

}  // namespace

void FreeMemory::operator()(char* memory) const { std::free(memory); }

Memory AllocatePadded(std::size_t size) {
  Memory memory(static_cast<char*>(std::malloc(size + Block::kPadding)));
  NANO_CHECK(memory != nullptr);
  std::memset(memory.get() + size, 0, Block::kPadding);
  return memory;
}

MemoryBlock::MemoryBlock(Position begin, Memory raw, std::size_t size, std::vector<RecordEntry> entries,
                         DictionaryPtr dictionary, std::size_t restored_bytes, std::size_t raw_bytes, bool has_schemas, bool uniform)
    : begin_(begin), raw_(std::move(raw)), size_(size), entries_(std::move(entries)), dictionary_(std::move(dictionary)),
      restored_bytes_(restored_bytes), raw_bytes_(raw_bytes), has_schemas_(has_schemas), uniform_(uniform) {}

namespace {

/// A record as it stands in its block.
Record StoredRecord(const Fields& fields, const RecordEntry& entry, const Dictionary& dictionary) {
  Record record;
  record.kind = static_cast<RecordKind>(fields.kind);
  record.format = static_cast<Format>(fields.format);
  record.flags = fields.flags;
  record.stream = fields.stream != kNone ? std::string_view(*dictionary.streams[fields.stream]) : fields.own_name;
  record.bytes = fields.value;
  record.key = fields.key;
  record.has_key = (fields.fields & kHasKey) != 0;
  record.has_value = (fields.fields & kHasValue) != 0;
  record.headers = fields.headers;
  record.source_offset = entry.source_offset;
  record.committed_at = entry.committed_at;
  record.ingested_at = entry.ingested_at;
  record.outline = entry.outline;
  return record;
}

}  // namespace

Record MemoryBlock::record(std::size_t n) const {
  NANO_CHECK(n < entries_.size());
  if (has_schemas_) std::call_once(restore_once_, [this] { Restore(); });
  const char* at = raw_.get() + entries_[n].offset;
  Fields fields;
  NANO_CHECK(ReadFields(at, raw_.get() + size_, fields));
  Record record = StoredRecord(fields, entries_[n], *dictionary_);
  if (has_schemas_) {
    const auto [value, key] = restored_at_[n];
    if (fields.value_schema != kNone) {
      record.bytes = {restored_.get() + value, dictionary_->schemas[fields.value_schema]->size() + fields.value.size()};
    }
    if (fields.key_schema != kNone) {
      record.key = {restored_.get() + key, dictionary_->schemas[fields.key_schema]->size() + fields.key.size()};
    }
  }
  return record;
}

Record MemoryBlock::outlined(std::size_t n) const {
  NANO_CHECK(n < entries_.size());
  if (!has_schemas_ || entries_[n].outline.op == '\0') return record(n);
  const char* at = raw_.get() + entries_[n].offset;
  Fields fields;
  NANO_CHECK(ReadFields(at, raw_.get() + size_, fields));
  if (fields.key_schema != kNone) return record(n);
  Record stored = StoredRecord(fields, entries_[n], *dictionary_);
  if (fields.value_schema != kNone) stored.opening = *dictionary_->schemas[fields.value_schema];
  return stored;
}

/// Puts the schemas back: values and keys that have one, whole, one after the other in memory of their own.
void MemoryBlock::Restore() const {
  restored_ = AllocatePadded(restored_bytes_);
  restored_at_.resize(entries_.size());
  std::size_t used = 0;
  const auto restore = [&](std::uint32_t schema, std::string_view rest) {
    const std::string& text = *dictionary_->schemas[schema];
    const std::size_t begin = used;
    NANO_CHECK(used + text.size() + rest.size() <= restored_bytes_);
    std::memcpy(restored_.get() + used, text.data(), text.size());
    if (!rest.empty()) std::memcpy(restored_.get() + used + text.size(), rest.data(), rest.size());
    used += text.size() + rest.size();
    return begin;
  };
  for (std::size_t n = 0; n < entries_.size(); ++n) {
    const char* at = raw_.get() + entries_[n].offset;
    Fields fields;
    NANO_CHECK(ReadFields(at, raw_.get() + size_, fields));
    if (fields.value_schema != kNone) restored_at_[n].first = restore(fields.value_schema, fields.value);
    if (fields.key_schema != kNone) restored_at_[n].second = restore(fields.key_schema, fields.key);
  }
}

void BlockBuilder::Start(Position begin, std::size_t size) {
  begin_ = begin;
  raw_ = Memory(static_cast<char*>(std::malloc(size + Block::kPadding)));
  NANO_CHECK(raw_ != nullptr);
  capacity_ = size;
  size_ = restored_bytes_ = 0;
  has_schemas_ = restores_ = false;
  last_ = {0, 0, 0, 0};
  entries_.reserve(last_count_ + last_count_ / 8);
}

std::size_t BlockBuilder::Bound(const Record& record) {
  return kMaxRecordHeader + record.stream.size() + record.key.size() + record.headers.size() + record.bytes.size();
}

void BlockBuilder::Add(const Record& record, const Numbered& numbered) {
  NANO_CHECK(room() >= Bound(record));
  entries_.push_back({static_cast<std::uint32_t>(size_), record.source_offset, record.committed_at, record.ingested_at, record.outline});
  const std::string_view key = record.has_key ? record.key.substr(numbered.key_schema_bytes) : std::string_view();
  const std::string_view value = record.bytes.substr(numbered.value_schema_bytes);
  const bool own_name = numbered.stream == kNone && !record.stream.empty();
  if (entries_.size() == 1) {
    first_stream_ = numbered.stream;
    uniform_ = !own_name;
  }
  const auto as_first = [&](std::size_t byte, auto part) { return raw_.get()[byte] == static_cast<char>(part); };
  if (entries_.size() > 1)
    uniform_ = uniform_ && !own_name && numbered.stream == first_stream_ && as_first(0, record.kind) && as_first(1, record.format) &&
               as_first(2, record.flags);
  std::uint8_t fields = 0;
  if (record.has_value) fields |= kHasValue;
  if (record.has_key) fields |= kHasKey;
  if (!record.headers.empty()) fields |= kHasHeaders;
  if (record.committed_at != kNoTime) fields |= kCommittedAt;
  if (record.ingested_at != kNoTime) fields |= kIngestedAt;
  if (numbered.value_schema != kNone) fields |= kValueSchema;
  if (numbered.key_schema != kNone) fields |= kKeySchema;
  if (record.source_offset != last_.source_offset) fields |= kSourceOffset;

  char* at = raw_.get() + size_;
  *at++ = static_cast<char>(record.kind);
  *at++ = static_cast<char>(record.format);
  *at++ = static_cast<char>(record.flags);
  *at++ = static_cast<char>(fields);
  at = PutVarint(at, own_name ? kOwnName : numbered.stream == kNone ? kNoStream : kFirstStream + numbered.stream);
  if (own_name) at = PutVarint(at, record.stream.size());
  if (numbered.value_schema != kNone) at = PutVarint(at, numbered.value_schema);
  if (numbered.key_schema != kNone) at = PutVarint(at, numbered.key_schema);
  if ((fields & kSourceOffset) != 0) {
    at = PutVarint(at, ZigZag(record.source_offset - last_.source_offset));
    last_.source_offset = record.source_offset;
  }
  if ((fields & kCommittedAt) != 0) {
    at = PutVarint(at, Minus(record.committed_at, last_.committed_at));
    last_.committed_at = record.committed_at;
  }
  if ((fields & kIngestedAt) != 0) {
    at = PutVarint(at, Minus(record.ingested_at, last_.ingested_at));
    last_.ingested_at = record.ingested_at;
  }
  if (record.has_key) at = PutVarint(at, key.size());
  if (!record.headers.empty()) at = PutVarint(at, record.headers.size());
  at = PutVarint(at, value.size());
  for (const std::string_view part : {own_name ? record.stream : std::string_view(), key, record.headers, value}) {
    if (part.empty()) continue;
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  size_ = static_cast<std::size_t>(at - raw_.get());
  restored_bytes_ += static_cast<std::size_t>(at - raw_.get()) - entries_.back().offset + numbered.value_schema_bytes + numbered.key_schema_bytes;
  restores_ = restores_ || numbered.key_schema != kNone || (numbered.value_schema != kNone && record.outline.op == '\0');
  has_schemas_ = has_schemas_ || numbered.value_schema != kNone || numbered.key_schema != kNone;
}

std::shared_ptr<const MemoryBlock> BlockBuilder::Finish(DictionaryPtr dictionary) {
  std::memset(raw_.get() + size_, 0, Block::kPadding);
  last_count_ = entries_.size();
  const std::size_t raw_bytes = this->raw_bytes(), restored = std::exchange(restored_bytes_, 0);
  return std::make_shared<const MemoryBlock>(begin_, std::move(raw_), std::exchange(size_, 0), std::exchange(entries_, {}), std::move(dictionary),
                                             restored, raw_bytes, has_schemas_, uniform_);
}

Result<std::shared_ptr<const MemoryBlock>> ParseBlock(Position begin, Memory raw, std::size_t size, std::size_t count,
                                                      DictionaryPtr dictionary) {
  const auto corrupt = [] { return Fail(Code::kCorrupt, "the block's records are damaged"); };
  std::vector<RecordEntry> entries;
  entries.reserve(std::min(count, size / 6));
  const char* at = raw.get();
  const char* const end = raw.get() + size;
  RecordEntry last{0, 0, 0, 0};
  std::size_t restored = size;
  bool has_schemas = false, uniform = true;
  Fields first;
  for (std::size_t n = 0; n < count; ++n) {
    RecordEntry entry{static_cast<std::uint32_t>(at - raw.get())};
    Fields fields;
    if (!ReadFields(at, end, fields)) return corrupt();
    if (fields.stream != kNone && fields.stream >= dictionary->streams.size()) return corrupt();
    if (n == 0) first = fields;
    uniform = uniform && fields.kind == first.kind && fields.format == first.format && fields.flags == first.flags &&
              fields.stream == first.stream && fields.own_name.empty();
    for (const std::uint32_t schema : {fields.value_schema, fields.key_schema}) {
      if (schema == kNone) continue;
      if (schema >= dictionary->schemas.size()) return corrupt();
      restored += dictionary->schemas[schema]->size();
      has_schemas = true;
    }
    if (has_schemas && count > 1 && restored > kMaxRestoredBytes) return corrupt();
    if ((fields.fields & kSourceOffset) != 0) last.source_offset += UnZigZag(fields.source_offset);
    if ((fields.fields & kCommittedAt) != 0) entry.committed_at = last.committed_at = Plus(last.committed_at, fields.committed_at);
    if ((fields.fields & kIngestedAt) != 0) entry.ingested_at = last.ingested_at = Plus(last.ingested_at, fields.ingested_at);
    entry.source_offset = last.source_offset;
    entries.push_back(entry);
  }
  if (at != end) return corrupt();
  return std::make_shared<const MemoryBlock>(begin, std::move(raw), size, std::move(entries), std::move(dictionary), restored, restored, has_schemas, uniform);
}

bool Cover(const std::vector<BlockPtr>& blocks, Position from, Position to) {
  for (const auto& block : blocks) {
    if (block->end() <= from) continue;
    if (block->begin() > from) return false;
    from = block->end();
  }
  return from >= to;
}

}  // namespace nano::journal
