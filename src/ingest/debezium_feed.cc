// SPDX-License-Identifier: Apache-2.0
#include "ingest/debezium_feed.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "ingest/checkpoint.h"
#include "ingest/debezium_records.h"
#include "ingest/line_input.h"
#include "ingest/transaction_order.h"
#include "io/signals.h"
#include "wire/json_scan.h"
#include "wire/json_get.h"

namespace nano::ingest {
namespace {

class DebeziumFeed final : public Feed {
 public:
  DebeziumFeed(journal::Writer& journal, std::unique_ptr<LineInput> input, const nlohmann::json& checkpoint)
      : journal_(journal), input_(std::move(input)), records_(journal, checkpoint, input_->anew()) {
    progress_.total_bytes = input_->total_bytes();
  }

  Result<Step> Next(std::size_t bytes) override {
    records_.SetTime(NowMicros());
    Step step;
    Status failed;
    while (!step.end && failed && journal_.pending_bytes() < bytes) {
      io::Line line;
      auto state = input_->Next(line);
      if (!state) {
        failed = tl::make_unexpected(std::move(state).error());
      } else if (*state == io::LineReader::State::kEnd || io::StopRequested()) {
        step.end = true;
      } else if (*state == io::LineReader::State::kNotYet) {
        break;
      } else {
        failed = TakeLine(line);
        progress_.bytes = input_->read_bytes();
      }
    }
    if (step.end && failed)
      for (const auto& placed : order_.Drain())
        if (failed) failed = AppendHeld(placed);
    if (journal_.pending_bytes() > 0 || step.end) {
      ASSIGN(const std::string checkpoint, Checkpoint());
      if (journal_.pending_bytes() > 0 || checkpoint != journal_.tail().checkpoint) {
        ASSIGN(step.blocks, journal_.Commit(checkpoint));
      }
    }
    step.journaled = journal_.tail().end;
    if (!failed) return tl::make_unexpected(std::move(failed).error());
    return step;
  }
  const FeedProgress& progress() const override { return progress_; }

 private:
  Status TakeLine(const io::Line& line) {
    // Half a line of a file that is being written.
    if (!line.terminated && !wire::IsJson(line.text, wire::Bare::kTaken) && !IsBlank(line.text)) return input_->LeaveLine(line);
    auto messages = wire::SplitDebeziumLine(line.text);
    if (!messages) {
      consumed_ = line.end;
      return records_.AddUnreadable(line.text, line.end);
    }
    for (auto& message : *messages) {
      ++progress_.messages;
      PlacedMessage placed{std::move(message), line.begin, line.end};
      const auto event = records_.Decode(placed.message);
      if (!event || order_.Passes(placed.message, *event)) {
        TRY(Append(placed, event));
        continue;
      }
      for (const auto& next : order_.Take(std::move(placed), *event)) TRY(AppendHeld(next));
    }
    if (messages->empty()) consumed_ = line.end;
    return {};
  }
  static bool IsBlank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

  /// One message, in its final order, and what it says.
  Status Append(const PlacedMessage& placed, const Result<wire::DebeziumEvent>& event) {
    consumed_ = std::max(consumed_, placed.end);
    TRY(records_.Add(placed.message, event, placed.end));
    progress_.replayed = records_.replayed();
    return {};
  }
  Status AppendHeld(const PlacedMessage& placed) { return Append(placed, records_.Decode(placed.message)); }

  Result<std::string> Checkpoint() {
    nlohmann::json json = NewCheckpoint();
    ASSIGN(json["input"], input_->PlaceAfter(std::min(consumed_, order_.lowest_begin())));
    records_.Save(json);
    return json.dump();
  }

  journal::Writer& journal_;
  std::unique_ptr<LineInput> input_;
  DebeziumRecords records_;
  TransactionOrder order_;
  std::uint64_t consumed_ = 0;   ///< byte after the last message that is in the journal
  FeedProgress progress_;
};

}  // namespace

Result<std::unique_ptr<Feed>> OpenDebeziumFile(const std::string& path, journal::Writer& journal, const FeedOptions& options) {
  ASSIGN(const auto checkpoint, ReadCheckpoint(journal.tail().checkpoint));
  ASSIGN(auto input, LineInput::Open(options.folder, path, wire::Get(checkpoint, "input", nlohmann::json())));
  return std::unique_ptr<Feed>(std::make_unique<DebeziumFeed>(journal, std::move(input), checkpoint));
}

}  // namespace nano::ingest
