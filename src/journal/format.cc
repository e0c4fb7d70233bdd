// SPDX-License-Identifier: Apache-2.0
#include "journal/format.h"

#include <charconv>
#include <cstring>

#include "base/check.h"
#include "journal/crc32c.h"

namespace nano::journal {
namespace {

constexpr std::string_view kSegmentMagic = "NHJRNL\r\n";   // a transfer as text would change it
constexpr std::size_t kFixedHeader = 36;

void Put32(char* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(value >> (8 * i));
}
void Put64(char* at, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) at[i] = static_cast<char>(value >> (8 * i));
}
std::uint32_t Get32(const char* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  return value;
}
std::uint64_t Get64(const char* at) {
  return Get32(at) | static_cast<std::uint64_t>(Get32(at + 4)) << 32;
}

/// Whether a writer could have written it: sizes within their bounds, so that a reader may trust them.
bool Plausible(const FrameHeader& header) {
  switch (header.type) {
    case FrameType::kBlock:
      return header.stored > 0 && header.raw > 0 && header.raw <= kMaxBlockBytes && header.count > 0 &&
             header.raw / 255 <= header.stored && header.count <= header.raw;
    case FrameType::kRawBlock:
      return header.stored > 0 && header.raw == header.stored && header.raw <= kMaxBlockBytes && header.count > 0 &&
             header.count <= header.raw;
    case FrameType::kStream: return header.stored <= kMaxStreamName && header.count < kMaxDictionaryEntries;
    case FrameType::kSchema: return header.stored <= kMaxSchemaText && header.count < kMaxDictionaryEntries;
    case FrameType::kCommit: return header.stored <= kMaxCheckpoint;
  }
  return false;
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  NANO_CHECK(header.source.size() <= kMaxSourceName);
  std::string bytes(kFixedHeader + header.source.size() + 4, 0);
  std::memcpy(bytes.data(), kSegmentMagic.data(), kSegmentMagic.size());
  Put32(&bytes[8], kFormatNumber);
  Put32(&bytes[12], static_cast<std::uint32_t>(bytes.size()));
  Put64(&bytes[16], header.first.value);
  Put64(&bytes[24], header.salt);
  Put32(&bytes[32], static_cast<std::uint32_t>(header.source.size()));
  std::memcpy(&bytes[kFixedHeader], header.source.data(), header.source.size());
  Put32(&bytes[bytes.size() - 4], Crc32c(std::string_view(bytes).substr(0, bytes.size() - 4)));
  return bytes;
}

Result<DecodedSegmentHeader> DecodeSegmentHeader(std::string_view bytes) {
  if (bytes.size() < kFixedHeader) return Fail(Code::kCorrupt, "the segment header is cut off");
  if (!bytes.starts_with(kSegmentMagic)) return Fail(Code::kCorrupt, "not a journal segment");
  const std::uint32_t format = Get32(&bytes[8]);
  if (format > kFormatNumber && format < 1000) {
    return WithHint(Fail(Code::kUnsupported, "the segment has format {}, this program reads {}", format, kFormatNumber),
                    "Use the release of nanohouse that wrote it, or a later one.");
  }
  const std::uint32_t size = Get32(&bytes[12]), name = Get32(&bytes[32]);
  if (format != kFormatNumber || name > kMaxSourceName || size != kFixedHeader + name + 4) {
    return Fail(Code::kCorrupt, "the segment header is damaged");
  }
  if (bytes.size() < size) return Fail(Code::kCorrupt, "the segment header is cut off");
  const std::uint32_t crc = Crc32c(bytes.substr(0, size - 4));
  if (crc != Get32(&bytes[size - 4])) return Fail(Code::kCorrupt, "the segment header is damaged");
  return DecodedSegmentHeader{{std::string(bytes.substr(kFixedHeader, name)), {Get64(&bytes[16])}, Get64(&bytes[24])}, size, crc};
}

void EncodeFrameHeader(const FrameHeader& header, std::uint32_t seed, char* into) {
  std::memcpy(into, kFrameMagic.data(), kFrameMagic.size());
  into[3] = static_cast<char>(header.type);
  Put32(into + 4, header.stored);
  Put32(into + 8, header.raw);
  Put32(into + 12, header.count);
  Put64(into + 16, header.position);
  Put32(into + 24, header.payload_crc);
  Put32(into + 28, Crc32c({into, 28}, seed));
}

std::optional<FrameHeader> DecodeFrameHeader(std::string_view bytes, std::uint32_t seed) {
  if (bytes.size() < kFrameHeader || !bytes.starts_with(kFrameMagic)) return std::nullopt;
  if (Crc32c(bytes.substr(0, 28), seed) != Get32(&bytes[28])) return std::nullopt;
  FrameHeader header;
  header.type = static_cast<FrameType>(bytes[3]);
  header.stored = Get32(&bytes[4]);
  header.raw = Get32(&bytes[8]);
  header.count = Get32(&bytes[12]);
  header.position = Get64(&bytes[16]);
  header.payload_crc = Get32(&bytes[24]);
  if (!Plausible(header)) return std::nullopt;
  return header;
}

std::string SegmentName(Position first) { return fmt::format("{:020}{}", first.value, kSegmentSuffix); }

std::optional<Position> ParseSegmentName(std::string_view name) {
  if (name.size() != 20 + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix)) return std::nullopt;
  Position first;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 20, first.value);
  if (error != std::errc() || end != name.data() + 20) return std::nullopt;
  return first;
}

}  // namespace nano::journal
