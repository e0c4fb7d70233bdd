// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Writes the frames of one segment, in order. Not for several threads at once.

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "io/files.h"
#include "journal/block.h"
#include "journal/dictionary.h"
#include "journal/format.h"

namespace nano::journal {

class FrameWriter {
 public:
  /// Makes a new segment, durably, with nothing but its header.
  static Result<std::unique_ptr<FrameWriter>> Create(const std::filesystem::path& folder, const std::string& source, Position first);
  /// Goes on behind the last commit of a segment that was cut there.
  static Result<std::unique_ptr<FrameWriter>> Continue(const std::filesystem::path& path, std::uint32_t seed, std::uint64_t committed_end);

  Status WriteEntry(DictionaryBuilder::Kind kind, std::uint32_t number, std::string_view text, Position position);
  Status WriteBlock(const MemoryBlock& block);
  /// Writes a commit mark and makes everything durable.
  Status Commit(Position end, std::string_view checkpoint);
  /// Takes back what was written since the last commit, as far as the disk lets us.
  void CutBack();
  std::uint64_t size() const { return file_->size(); }

 private:
  FrameWriter(std::unique_ptr<io::AppendFile> file, std::uint32_t seed) : file_(std::move(file)), seed_(seed), committed_(file_->size()) {}
  Status Write(FrameHeader header, std::size_t payload_bytes);
  std::unique_ptr<io::AppendFile> file_;
  std::uint32_t seed_;
  std::uint32_t group_crc_ = 0;      // of the headers since the last commit
  std::uint64_t committed_;
  std::string scratch_;              // room for a header, then the payload
};

}  // namespace nano::journal
