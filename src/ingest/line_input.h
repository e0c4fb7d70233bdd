// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Lines of a file or of standard input, with the place to go on at. One thread.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"
#include "ingest/file_place.h"
#include "io/line_reader.h"

namespace nano::ingest {

class LineInput {
 public:
  /// Opens `path` ("-": standard input; else relative to `folder`) where `place`, as PlaceAfter() gave it, says that it was
  /// read to. A file that no longer holds what was read of it is read from its start.
  static Result<std::unique_ptr<LineInput>> Open(const std::filesystem::path& folder, const std::string& path, const nlohmann::json& place);

  Result<io::LineReader::State> Next(io::Line& out);
  /// The line is not whole yet: the input ends before it.
  Status LeaveLine(const io::Line& line);
  /// Whether this is another input than the last one.
  bool anew() const { return anew_; }
  std::uint64_t total_bytes() const { return total_bytes_; }
  std::uint64_t read_bytes() const { return read_bytes_; }
  /// Where to go on, when everything before byte `end` (0: nothing of this run) is in the journal.
  Result<nlohmann::json> PlaceAfter(std::uint64_t end);

 private:
  std::filesystem::path path_;     ///< empty: standard input
  std::uint64_t begin_ = 0, total_bytes_ = 0, read_bytes_ = 0;
  bool anew_ = true, left_ = false;
  FilePlace place_;
  std::unique_ptr<io::LineReader> reader_;
};

}  // namespace nano::ingest
