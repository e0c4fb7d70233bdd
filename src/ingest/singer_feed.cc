// SPDX-License-Identifier: Apache-2.0
#include "ingest/singer_feed.h"

#include <nlohmann/json.hpp>

#include "ingest/checkpoint.h"
#include "ingest/line_input.h"
#include "ingest/singer_lines.h"
#include "io/signals.h"
#include "wire/json_get.h"

namespace nano::ingest {
namespace {

class SingerFile final : public Feed {
 public:
  SingerFile(journal::Writer& journal, std::unique_ptr<LineInput> input, const FeedOptions& options, const nlohmann::json& checkpoint)
      : journal_(journal), input_(std::move(input)), lines_(journal, progress_, options) {
    progress_.total_bytes = input_->total_bytes();
    if (!input_->anew()) lines_.GoOn(checkpoint);
  }

  Result<Step> Next(std::size_t bytes) override {
    if (step_error_) return tl::make_unexpected(*step_error_);
    Step step;
    Status failed;
    lines_.Tick();
    while (!step.end && failed && journal_.pending_bytes() < bytes) {
      if (lines_.in_batch()) {
        if (io::StopRequested()) step.end = true;
        else failed = lines_.TakeOfBatch();
        if (failed && !lines_.in_batch()) consumed_ = read_;
        continue;
      }
      io::Line line;
      auto state = input_->Next(line);
      if (!state) {
        failed = tl::make_unexpected(std::move(state).error());
      } else if (*state == io::LineReader::State::kEnd || io::StopRequested()) {
        if (*state == io::LineReader::State::kEnd && !half_line_) failed = lines_.End();
        step.end = true;
      } else if (*state == io::LineReader::State::kNotYet) {
        break;
      } else if (!line.terminated && !IsWhole(line.text)) {
        half_line_ = true;
        failed = input_->LeaveLine(line);
      } else {
        failed = lines_.Take(line.text, line.end);
        read_ = line.end;
        if (failed && !lines_.in_batch()) consumed_ = line.end;
        progress_.bytes = input_->read_bytes();
      }
    }
    if (journal_.pending_bytes() > 0 || (step.end && consumed_ > 0)) {
      nlohmann::json json = NewCheckpoint();
      ASSIGN(json["input"], input_->PlaceAfter(consumed_));
      lines_.SaveTo(json);
      const std::string checkpoint = json.dump();
      if (journal_.pending_bytes() > 0 || checkpoint != journal_.tail().checkpoint) {
        ASSIGN(step.blocks, journal_.Commit(checkpoint));
      }
    }
    step.journaled = journal_.tail().end;
    if (!failed) {
      step_error_ = std::move(failed).error();
      if (step.blocks.empty()) return tl::make_unexpected(*step_error_);
      step.end = false;  // what came before the error lands first
    }
    return step;
  }
  const FeedProgress& progress() const override { return progress_; }

 private:
  static bool IsWhole(std::string_view line) {
    Arena arena;
    return wire::ParseSingerLine(line, arena).kind != wire::SingerMessage::Kind::kUnreadable;
  }

  journal::Writer& journal_;
  std::unique_ptr<LineInput> input_;
  FeedProgress progress_;
  SingerLines lines_;
  std::uint64_t consumed_ = 0;   ///< all before this byte is in the journal
  std::uint64_t read_ = 0;       ///< the byte after the last line; further than that while its batch is read
  bool half_line_ = false;
  std::optional<Error> step_error_;
};

}  // namespace

Result<std::unique_ptr<Feed>> OpenSingerFile(const std::string& path, journal::Writer& journal, const FeedOptions& options) {
  ASSIGN(const auto checkpoint, ReadCheckpoint(journal.tail().checkpoint));
  ASSIGN(auto input, LineInput::Open(options.folder, path, wire::Get(checkpoint, "input", nlohmann::json())));
  return std::unique_ptr<Feed>(std::make_unique<SingerFile>(journal, std::move(input), options, checkpoint));
}

}  // namespace nano::ingest
