// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Reads the files of a BATCH message, a record at a time. Every file is looked through before the first record is given,
/// so that a file that is missing or torn is found before anything of the batch is in the journal. One thread.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "io/line_reader.h"
#include "wire/singer_batch.h"

namespace nano::ingest {

class SingerBatchReader {
 public:
  /// How much of the batch was read: whole files, and lines of the next one.
  struct Place {
    std::size_t files = 0;
    std::uint64_t lines = 0;
  };

  /// Begins at `from`.  kNotFound, kCorrupt: a file is not there, or not whole; the message names it.
  static Result<std::unique_ptr<SingerBatchReader>> Open(const std::filesystem::path& folder, wire::SingerBatchFiles batch, Place from);

  enum class State { kRecord, kNoRecord, kEnd };
  /// The next line: a RECORD message, or (kNoRecord) a line as it is, which is no JSON object.
  Result<State> Next(std::string& message);
  const Place& place() const { return place_; }

 private:
  SingerBatchReader(const std::filesystem::path& folder, wire::SingerBatchFiles batch) : folder_(folder), batch_(std::move(batch)) {}
  std::filesystem::path PathOf(std::size_t file) const;
  Status OpenFile();
  Status CheckFile(std::size_t file);
  Result<std::unique_ptr<io::LineReader>> Reader(std::size_t file) const;
  Result<bool> NextLine(io::LineReader& reader, std::size_t file, io::Line& line) const;

  std::filesystem::path folder_;
  wire::SingerBatchFiles batch_;
  Place place_;
  std::unique_ptr<io::LineReader> reader_;
};

}  // namespace nano::ingest
