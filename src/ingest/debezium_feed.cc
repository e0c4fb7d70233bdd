// SPDX-License-Identifier: Apache-2.0
#include "ingest/debezium_feed.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/clock.h"
#include "ingest/checkpoint.h"
#include "ingest/line_input.h"
#include "ingest/replay_filter.h"
#include "ingest/transaction_order.h"
#include "io/signals.h"
#include "wire/json_scan.h"
#include "wire/json_get.h"

namespace nano::ingest {
namespace {

using wire::DebeziumEvent;
using Kind = DebeziumEvent::Kind;

RecordKind KindOf(const DebeziumEvent& event) {
  switch (event.kind) {
    case Kind::kChange: return event.op == 't' ? RecordKind::kTruncate : RecordKind::kData;
    case Kind::kTombstone: return RecordKind::kTombstone;
    case Kind::kBegin: return RecordKind::kBegin;
    case Kind::kEnd: return RecordKind::kEnd;
    default: return RecordKind::kOther;
  }
}

/// `srv.inv.orders` without the server's name, for messages that do not say their table.
std::string StreamOfTopic(const std::string& topic) {
  const auto dot = topic.find('.');
  return dot == std::string::npos ? topic : topic.substr(dot + 1);
}

class DebeziumFeed final : public Feed {
 public:
  DebeziumFeed(journal::Writer& journal, std::unique_ptr<LineInput> input, ReplayFilter replays,
               std::unordered_map<std::string, std::string> streams, std::string group)
      : journal_(journal), input_(std::move(input)), replays_(std::move(replays)), streams_(std::move(streams)), group_(std::move(group)) {
    progress_.total_bytes = input_->total_bytes();
  }

  Result<Step> Next(std::size_t bytes) override {
    now_ = NowMicros();
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
      Record record;
      record.kind = RecordKind::kUnreadable;
      record.format = Format::kDebezium;
      record.bytes = line.text;
      record.source_offset = line.end;
      record.flags = kBeginsTransaction | kEndsTransaction;
      record.ingested_at = now_;
      group_.clear();
      consumed_ = line.end;
      return Add(record);
    }
    for (auto& message : *messages) {
      ++progress_.messages;
      PlacedMessage placed{std::move(message), line.begin, line.end};
      const auto event = Decode(placed.message);
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

  /// What the message says, without its rows: nothing here looks at those. Good until the next one.
  Result<DebeziumEvent> Decode(const wire::DebeziumMessage& message) {
    arena_.Reset();
    return decoder_.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena_,
                           wire::DebeziumDecoder::Reading::kOutline);
  }
  Status AppendHeld(const PlacedMessage& placed) { return Append(placed, Decode(placed.message)); }

  /// One message, in its final order, and what it says.
  Status Append(const PlacedMessage& placed, const Result<DebeziumEvent>& event) {
    const auto& message = placed.message;
    Record record;
    record.format = Format::kDebezium;
    record.bytes = message.value;
    record.has_value = message.has_value;
    record.key = message.key;
    record.has_key = message.has_key;
    record.headers = message.headers;
    record.source_offset = placed.end;
    record.ingested_at = now_;
    consumed_ = std::max(consumed_, placed.end);
    if (!event) {
      record.kind = RecordKind::kUnreadable;
      return Add(record);
    }
    record.kind = KindOf(*event);
    if (replays_.IsReplay(*event, message)) {
      record.flags = kReplayed;
      ++progress_.replayed;
    }
    const std::string stream = StreamOf(*event, message);
    record.stream = stream;
    record.outline = wire::OutlineOf(*event, message.value);
    if (event->committed_at >= 0) record.committed_at = event->committed_at;

    // The source's transaction; "" if it is none's.
    if (event->kind == Kind::kTombstone) {
      next_group_ = group_;
    } else if (event->kind == Kind::kBegin || event->kind == Kind::kEnd || event->total_order) {
      next_group_ = event->transaction;
    } else {
      next_group_.clear();
      if (!event->transaction.empty() && (event->snapshot.empty() || event->snapshot == "false"))
        fmt::format_to(std::back_inserter(next_group_), "{}/{}", event->transaction, event->sequence_a.value_or(0));
    }
    if (next_group_.empty() || next_group_ != group_) record.flags |= kBeginsTransaction;
    if (next_group_.empty() || event->kind == Kind::kEnd) record.flags |= kEndsTransaction;
    std::swap(group_, next_group_);
    return Add(record);
  }

  Status Add(const Record& record) {
    ASSIGN([[maybe_unused]] const Position position, journal_.Append(record));
    return {};
  }

  /// The true table of a message: its topic's name is cleaned, so what a topic's messages say is remembered for those
  /// that say nothing (tombstones).
  std::string StreamOf(const DebeziumEvent& event, const wire::DebeziumMessage& message) {
    if (!event.stream.empty()) {
      if (!message.topic.empty()) streams_[message.topic] = std::string(event.stream);
      return std::string(event.stream);
    }
    if (message.topic.empty()) return {};
    const auto known = streams_.find(message.topic);
    return known == streams_.end() ? StreamOfTopic(message.topic) : known->second;
  }

  Result<std::string> Checkpoint() {
    nlohmann::json json = NewCheckpoint();
    ASSIGN(json["input"], input_->PlaceAfter(std::min(consumed_, order_.lowest_begin())));
    json["group"] = group_;
    json["replays"] = replays_.ToJson();
    json["streams"] = streams_;
    return json.dump();
  }

  journal::Writer& journal_;
  std::unique_ptr<LineInput> input_;
  ReplayFilter replays_;
  std::unordered_map<std::string, std::string> streams_;   ///< by topic
  wire::DebeziumDecoder decoder_;
  TransactionOrder order_;
  Arena arena_;                  ///< of the message that is being taken
  std::string group_;            ///< the transaction of the last record
  std::string next_group_;
  std::int64_t now_ = 0;         ///< the clock is read once a step, not for each record
  std::uint64_t consumed_ = 0;   ///< byte after the last message that is in the journal
  FeedProgress progress_;
};

}  // namespace

Result<std::unique_ptr<Feed>> OpenDebeziumFile(const std::string& path, journal::Writer& journal, const FeedOptions& options) {
  ASSIGN(const auto checkpoint, ReadCheckpoint(journal.tail().checkpoint));
  ReplayFilter replays = ReplayFilter::FromJson(wire::Get(checkpoint, "replays", nlohmann::json()));
  auto streams = wire::Get(checkpoint, "streams", std::unordered_map<std::string, std::string>{});
  ASSIGN(auto input, LineInput::Open(options.folder, path, wire::Get(checkpoint, "input", nlohmann::json())));
  const bool anew = input->anew();
  if (anew) replays.NewInput();
  return std::unique_ptr<Feed>(std::make_unique<DebeziumFeed>(journal, std::move(input), std::move(replays), std::move(streams),
                                                               anew ? std::string() : wire::Get(checkpoint, "group", "")));
}

}  // namespace nano::ingest
