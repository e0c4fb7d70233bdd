// SPDX-License-Identifier: Apache-2.0
#include "wire/avro.h"

#include <zlib.h>

#include <array>
#include <limits>

namespace nano::wire {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;
constexpr int kLevel = 4;

/// FNV-1a. A sync marker must only be unlikely to occur in the data, and the same for the same file.
std::uint64_t Hash(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = 14695981039346656037ULL ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

/// Raw deflate, without zlib's header and checksum.
Result<std::string> Deflate(std::string_view input) {
  if (input.size() > std::numeric_limits<uInt>::max()) return Fail(Code::kUnsupported, "an Avro record of over 4 GB");
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return Fail(Code::kInternal, "deflate could not start");
  }
  std::string output;
  std::array<Bytef, 16 << 10> piece;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  int outcome = Z_OK;
  while (outcome == Z_OK) {
    stream.next_out = piece.data();
    stream.avail_out = static_cast<uInt>(piece.size());
    outcome = deflate(&stream, Z_FINISH);
    output.append(reinterpret_cast<const char*>(piece.data()), piece.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) return Fail(Code::kInternal, "deflate failed");
  return output;
}

}  // namespace

void AvroEncoder::Long(std::int64_t value) {
  auto rest = (static_cast<std::uint64_t>(value) << 1) ^ (value < 0 ? ~0ULL : 0ULL);
  while (rest >= 0x80) {
    bytes_.push_back(static_cast<char>(rest | 0x80));
    rest >>= 7;
  }
  bytes_.push_back(static_cast<char>(rest));
}

void AvroEncoder::Bytes(std::string_view value) {
  Long(static_cast<std::int64_t>(value.size()));
  bytes_.append(value);
}

AvroFile::AvroFile(std::string_view schema, const std::vector<std::pair<std::string, std::string>>& metadata) {
  AvroEncoder header;
  header.Fixed({"Obj\1", 4});
  header.Items(metadata.size() + 2);
  header.Bytes("avro.schema");
  header.Bytes(schema);
  header.Bytes("avro.codec");
  header.Bytes("deflate");
  for (const auto& [key, value] : metadata) {
    header.Bytes(key);
    header.Bytes(value);
  }
  header.EndItems();
  for (const std::uint64_t seed : {0, 1}) {
    const std::uint64_t half = Hash(header.bytes(), seed);
    for (int byte = 0; byte < 8; ++byte) sync_.push_back(static_cast<char>(half >> (8 * byte)));
  }
  file_ = header.bytes() + sync_;
}

Status AvroFile::Append(std::string_view record) {
  block_.append(record);
  ++records_;
  if (block_.size() < kBlockBytes) return {};
  return EndBlock();
}

Status AvroFile::EndBlock() {
  ASSIGN(const std::string packed, Deflate(block_));
  AvroEncoder head;
  head.Long(records_);
  head.Long(static_cast<std::int64_t>(packed.size()));
  file_ += head.bytes();
  file_ += packed;
  file_ += sync_;
  block_.clear();
  records_ = 0;
  return {};
}

Result<std::string> AvroFile::Finish() {
  if (records_ > 0) TRY(EndBlock());
  return std::move(file_);
}

}  // namespace nano::wire
