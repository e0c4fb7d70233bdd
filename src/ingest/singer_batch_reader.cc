// SPDX-License-Identifier: Apache-2.0
#include "ingest/singer_batch_reader.h"

#include "io/gzip_source.h"

namespace nano::ingest {
namespace {

bool IsBlank(std::string_view text) { return text.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

Result<std::unique_ptr<SingerBatchReader>> SingerBatchReader::Open(const std::filesystem::path& folder, wire::SingerBatchFiles batch, Place from) {
  std::unique_ptr<SingerBatchReader> reader(new SingerBatchReader(folder, std::move(batch)));
  reader->place_ = {from.files, 0};
  for (std::size_t file = from.files; file < reader->batch_.paths.size(); ++file) {
    if (Status checked = reader->CheckFile(file); !checked) {
      Error error = std::move(checked).error();
      error.message = fmt::format("a batch of stream \"{}\": {}", reader->batch_.stream, error.message);
      if (error.hint.empty()) error.hint = "Nothing of the batch was taken; it is taken whole when its files are there.";
      return tl::make_unexpected(std::move(error));
    }
  }
  TRY(reader->OpenFile());
  io::Line line;
  for (std::uint64_t n = 0; n < from.lines; ++n) {
    ASSIGN(const bool more, reader->NextLine(*reader->reader_, from.files, line));
    if (!more) return Fail(Code::kCorrupt, "batch file \"{}\" is shorter than what was read of it", reader->PathOf(from.files).string());
    ++reader->place_.lines;
  }
  return reader;
}

std::filesystem::path SingerBatchReader::PathOf(std::size_t file) const { return (folder_ / batch_.paths[file]).lexically_normal(); }

Result<std::unique_ptr<io::LineReader>> SingerBatchReader::Reader(std::size_t file) const {
  const auto path = PathOf(file);
  ASSIGN(auto bytes, io::OpenFileSource(path, 0));
  if (batch_.gzip) bytes = io::MakeGzipSource(std::move(bytes), path.string());
  io::LineReader::Options options;
  options.name = path.string();
  return std::make_unique<io::LineReader>(std::move(bytes), options);
}

/// False: the file has no more lines.
Result<bool> SingerBatchReader::NextLine(io::LineReader& reader, std::size_t file, io::Line& line) const {
  while (true) {
    ASSIGN(const auto state, reader.Next(line));
    if (state == io::LineReader::State::kEnd) return false;
    if (state == io::LineReader::State::kNotYet) continue;
    std::string message;
    if (!line.terminated && !IsBlank(line.text) && !wire::BatchRecord(batch_, line.text, message))
      return Fail(Code::kCorrupt, "file \"{}\" ends in the middle of a record", PathOf(file).string());
    return true;
  }
}

Status SingerBatchReader::CheckFile(std::size_t file) {
  ASSIGN(const auto reader, Reader(file));
  io::Line line;
  while (true) {
    ASSIGN(const bool more, NextLine(*reader, file, line));
    if (!more) return {};
  }
}

Status SingerBatchReader::OpenFile() {
  reader_.reset();
  if (place_.files < batch_.paths.size()) { ASSIGN(reader_, Reader(place_.files)); }
  return {};
}

Result<SingerBatchReader::State> SingerBatchReader::Next(std::string& message) {
  while (reader_) {
    io::Line line;
    ASSIGN(const bool more, NextLine(*reader_, place_.files, line));
    if (!more) {
      place_ = {place_.files + 1, 0};
      TRY(OpenFile());
      continue;
    }
    ++place_.lines;
    if (IsBlank(line.text)) continue;
    if (wire::BatchRecord(batch_, line.text, message)) return State::kRecord;
    message = line.text;
    return State::kNoRecord;
  }
  return State::kEnd;
}

}  // namespace nano::ingest
