// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The bytes of a segment: its header, the frames after it, and the numbers in both. docs/formats/journal.md says the
/// same in words. Pure functions; reading survives any bytes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "change/record.h"

namespace nano::journal {

constexpr std::uint32_t kFormatNumber = 1;
constexpr std::string_view kSegmentSuffix = ".nhj";

/// One record's bytes, key and headers together.
constexpr std::size_t kMaxRecordBytes = 1U << 30;
/// Raw bytes of one block: a record of the largest size and what stands before it.
constexpr std::size_t kMaxBlockBytes = kMaxRecordBytes + (1U << 16);
/// Bytes of a block's records with the inline schemas put back, where it has more than one record.
constexpr std::size_t kMaxRestoredBytes = 64U << 20;
constexpr std::size_t kMaxSourceName = 4096;
constexpr std::size_t kMaxSchemaText = 4U << 20;
constexpr std::size_t kMaxStreamName = 64U << 10;
constexpr std::size_t kMaxDictionaryEntries = 4096;
constexpr std::size_t kMaxDictionaryBytes = 16U << 20;
constexpr std::size_t kMaxCheckpoint = 256U << 20;

struct SegmentHeader {
  std::string source;
  Position first;
  std::uint64_t salt = 0;          ///< at random; no frame of elsewhere passes for one of this segment
};

std::string EncodeSegmentHeader(const SegmentHeader& header);
/// Bytes that a header may have at most.
constexpr std::size_t kMaxSegmentHeader = 36 + kMaxSourceName + 4;
struct DecodedSegmentHeader {
  SegmentHeader header;
  std::size_t size = 0;     ///< where the frames begin
  std::uint32_t seed = 0;   ///< of its frames' checksums
};
/// kCorrupt: not a segment, torn, or damaged. kUnsupported: of another format number.
Result<DecodedSegmentHeader> DecodeSegmentHeader(std::string_view bytes);

enum class FrameType : char {
  kBlock = 'B',        ///< records, lz4
  kRawBlock = 'R',     ///< records that lz4 made no smaller
  kStream = 'S',       ///< dictionary: a stream's name
  kSchema = 'M',       ///< dictionary: the beginning of messages, up to the end of their inline schema
  kCommit = 'C',       ///< everything before it is committed; the payload is the checkpoint
};

struct FrameHeader {
  FrameType type = FrameType::kCommit;
  std::uint32_t stored = 0;        ///< bytes of the payload that follows
  std::uint32_t raw = 0;           ///< of a block: uncompressed; of a commit: CRC of the headers since the last commit
  std::uint32_t count = 0;         ///< of a block: records; of a dictionary entry: its number
  std::uint64_t position = 0;      ///< of the first record after the frame's beginning
  std::uint32_t payload_crc = 0;
};

constexpr std::size_t kFrameHeader = 32;
constexpr std::string_view kFrameMagic = "NHF";

/// `seed` is the segment's.
void EncodeFrameHeader(const FrameHeader& header, std::uint32_t seed, char* into);
/// Nothing: the bytes are no intact frame header, or say what no writer writes.
std::optional<FrameHeader> DecodeFrameHeader(std::string_view bytes, std::uint32_t seed);

/// `<20 digits>.nhj`
std::string SegmentName(Position first);
/// Nothing: not the name of a segment.
std::optional<Position> ParseSegmentName(std::string_view name);

// Numbers of varying length: 7 bits a byte, the lowest first.
constexpr std::size_t kMaxVarint = 10;
inline char* PutVarint(char* at, std::uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<char>(value);
  return at;
}
/// False: it does not end before `end`, or is more than 64 bits.
inline bool GetVarint(const char*& at, const char* end, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at == end) return false;
    const auto byte = static_cast<unsigned char>(*at++);
    if (shift == 63 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}
/// Differences, small ones of either sign short; arithmetic wraps.
inline std::uint64_t ZigZag(std::uint64_t difference) { return (difference << 1) ^ (0 - (difference >> 63)); }
inline std::uint64_t UnZigZag(std::uint64_t coded) { return (coded >> 1) ^ (0 - (coded & 1)); }

}  // namespace nano::journal
