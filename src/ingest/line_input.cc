// SPDX-License-Identifier: Apache-2.0
#include "ingest/line_input.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "io/byte_source.h"

namespace nano::ingest {

Result<std::unique_ptr<LineInput>> LineInput::Open(const std::filesystem::path& folder, const std::string& path, const nlohmann::json& place) {
  auto input = std::make_unique<LineInput>();
  std::unique_ptr<io::ByteSource> bytes;
  if (path == "-") {
    bytes = io::MakeDescriptorSource(STDIN_FILENO);
  } else {
    input->path_ = (folder / path).lexically_normal();
    FilePlace known = FilePlace::FromJson(place);
    if (!known.path.empty()) {
      known.path = input->path_.string();  // the file itself is known by its bytes, so it may have been moved
      ASSIGN(const bool holds, known.Holds());
      if (holds) {
        input->begin_ = known.offset;
        input->place_ = known;
        input->anew_ = false;
      }
    }
    ASSIGN(bytes, io::OpenFileSource(input->path_, input->begin_));
    std::error_code error;
    const auto size = std::filesystem::file_size(input->path_, error);
    if (!error && size > input->begin_) input->total_bytes_ = size - input->begin_;
  }
  io::LineReader::Options options;
  options.offset = input->begin_;
  options.name = path;
  input->reader_ = std::make_unique<io::LineReader>(std::move(bytes), options);
  return input;
}

Result<io::LineReader::State> LineInput::Next(io::Line& out) {
  if (left_) return io::LineReader::State::kEnd;
  ASSIGN(const auto state, reader_->Next(out));
  if (state == io::LineReader::State::kLine) read_bytes_ = out.end - begin_;
  return state;
}

Status LineInput::LeaveLine(const io::Line& line) {
  left_ = true;
  read_bytes_ = line.begin - begin_;
  return {};
}

Result<nlohmann::json> LineInput::PlaceAfter(std::uint64_t end) {
  if (path_.empty()) return nlohmann::json();
  if (end > place_.offset || place_.path.empty()) { ASSIGN(place_, FilePlace::At(path_, std::max(end, begin_))); }
  return place_.ToJson();
}

}  // namespace nano::ingest
