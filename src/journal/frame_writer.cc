// SPDX-License-Identifier: Apache-2.0
#include "journal/frame_writer.h"

#include <lz4.h>

#include <cstring>
#include <random>

#include "journal/crc32c.h"

namespace nano::journal {
namespace {

constexpr int kAcceleration = 8;
constexpr std::size_t kKeepScratch = 4 << 20;

}  // namespace

Result<std::unique_ptr<FrameWriter>> FrameWriter::Create(const std::filesystem::path& folder, const std::string& source, Position first) {
  const std::filesystem::path path = folder / SegmentName(first);
  std::random_device random;
  const std::string header = EncodeSegmentHeader({source, first, static_cast<std::uint64_t>(random()) << 32 | random()});
  {
    ASSIGN(auto file, io::AppendFile::Open(path, "journal.segment"));
    if (file->size() > 0) return Fail(Code::kConflict, "journal segment \"{}\" exists already: another process writes this journal", path.string());
    TRY(file->Append(header));
    TRY(file->Sync());
    TRY(io::SyncFolder(folder, "journal.segment"));
  }
  ASSIGN(const auto decoded, DecodeSegmentHeader(header));
  return Continue(path, decoded.seed, header.size());
}

Result<std::unique_ptr<FrameWriter>> FrameWriter::Continue(const std::filesystem::path& path, std::uint32_t seed, std::uint64_t committed_end) {
  ASSIGN(auto file, io::AppendFile::Open(path, "journal"));
  if (file->size() > committed_end) TRY(file->Truncate(committed_end));
  if (file->size() < committed_end) return Fail(Code::kConflict, "journal segment \"{}\" was cut by another process", path.string());
  return std::unique_ptr<FrameWriter>(new FrameWriter(std::move(file), seed));
}

/// The payload stands in scratch_ already, behind room for the header.
Status FrameWriter::Write(FrameHeader header, std::size_t payload_bytes) {
  header.stored = static_cast<std::uint32_t>(payload_bytes);
  header.payload_crc = Crc32c({scratch_.data() + kFrameHeader, payload_bytes});
  EncodeFrameHeader(header, seed_, scratch_.data());
  group_crc_ = header.type == FrameType::kCommit ? 0 : Crc32c({scratch_.data(), kFrameHeader}, group_crc_);
  TRY(file_->Append({scratch_.data(), kFrameHeader + payload_bytes}));
  if (scratch_.size() > kKeepScratch) scratch_ = {};
  return {};
}

Status FrameWriter::WriteEntry(DictionaryBuilder::Kind kind, std::uint32_t number, std::string_view text, Position position) {
  scratch_.resize(std::max(scratch_.size(), kFrameHeader + text.size()));
  if (!text.empty()) std::memcpy(scratch_.data() + kFrameHeader, text.data(), text.size());
  return Write({.type = kind == DictionaryBuilder::Kind::kStream ? FrameType::kStream : FrameType::kSchema, .count = number, .position = position.value},
               text.size());
}

Status FrameWriter::WriteBlock(const MemoryBlock& block) {
  const std::string_view raw = block.stored_form();
  const auto raw_size = static_cast<int>(raw.size());
  const auto bound = static_cast<std::size_t>(LZ4_compressBound(raw_size));
  scratch_.resize(std::max(scratch_.size(), kFrameHeader + bound));
  FrameHeader header{.type = FrameType::kBlock, .raw = static_cast<std::uint32_t>(raw.size()), .count = static_cast<std::uint32_t>(block.size()),
                     .position = block.begin().value};
  auto stored = static_cast<std::size_t>(
      LZ4_compress_fast(raw.data(), scratch_.data() + kFrameHeader, raw_size, static_cast<int>(bound), kAcceleration));
  if (stored == 0 || stored >= raw.size()) {
    header.type = FrameType::kRawBlock;
    stored = raw.size();
    std::memcpy(scratch_.data() + kFrameHeader, raw.data(), raw.size());
  }
  return Write(header, stored);
}

Status FrameWriter::Commit(Position end, std::string_view checkpoint) {
  scratch_.resize(std::max(scratch_.size(), kFrameHeader + checkpoint.size()));
  if (!checkpoint.empty()) std::memcpy(scratch_.data() + kFrameHeader, checkpoint.data(), checkpoint.size());
  TRY(Write({.type = FrameType::kCommit, .raw = group_crc_, .position = end.value}, checkpoint.size()));
  TRY(file_->Sync());
  committed_ = file_->size();
  return {};
}

void FrameWriter::CutBack() {
  // Where even this fails, the next Open() cuts or finds a whole commit; both are sound.
  [[maybe_unused]] const auto status = file_->Truncate(committed_);
}

}  // namespace nano::journal
