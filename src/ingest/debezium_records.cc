// SPDX-License-Identifier: Apache-2.0
#include "ingest/debezium_records.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

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

}  // namespace

DebeziumRecords::DebeziumRecords(journal::Writer& journal, const nlohmann::json& checkpoint, bool anew)
    : journal_(journal), replays_(ReplayFilter::FromJson(wire::Get(checkpoint, "replays", nlohmann::json()))),
      streams_(wire::Get(checkpoint, "streams", std::unordered_map<std::string, std::string>{})),
      group_(anew ? std::string() : wire::Get(checkpoint, "group", "")), in_transaction_(!anew && wire::Get(checkpoint, "in_transaction", false)) {
  if (anew) replays_.NewInput();
}

Result<DebeziumEvent> DebeziumRecords::Decode(const wire::DebeziumMessage& message) {
  arena_.Reset();
  return decoder_.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena_,
                         wire::DebeziumDecoder::Reading::kOutline);
}

Status DebeziumRecords::Add(const wire::DebeziumMessage& message, const Result<DebeziumEvent>& event, std::uint64_t source_offset, bool sent_again) {
  Record record;
  record.format = Format::kDebezium;
  record.bytes = message.value;
  record.has_value = message.has_value;
  record.key = message.key;
  record.has_key = message.has_key;
  record.headers = message.headers;
  record.source_offset = source_offset;
  record.ingested_at = now_;
  if (!event) {
    record.kind = RecordKind::kUnreadable;
    return Append(record);
  }
  record.kind = KindOf(*event);
  const bool has_place = event->place || !wire::SnapshotOf(*event).empty();
  if (sent_again && has_place ? true : replays_.IsReplay(*event, message)) {
    record.flags = kReplayed;
    ++replayed_;
  }
  const std::string stream = StreamOf(*event, message);
  record.stream = stream;
  record.outline = wire::OutlineOf(*event, message.value);
  if (event->committed_at >= 0) record.committed_at = event->committed_at;
  record.flags |= TransactionFlags(*event);
  return Append(record);
}

/// Of the source's transaction; an event that is none's is whole by itself.
std::uint8_t DebeziumRecords::TransactionFlags(const DebeziumEvent& event) {
  if (event.kind == Kind::kTombstone) {
    next_group_ = group_;
  } else if (event.kind == Kind::kBegin || event.kind == Kind::kEnd || event.total_order) {
    next_group_ = event.transaction;
  } else {
    next_group_.clear();
    if (!event.transaction.empty() && (event.snapshot.empty() || event.snapshot == "false"))
      fmt::format_to(std::back_inserter(next_group_), "{}/{}", event.transaction, event.sequence_a.value_or(0));
  }
  if (event.kind == Kind::kBegin || event.kind == Kind::kEnd) in_transaction_ = event.kind == Kind::kBegin;
  std::uint8_t flags = 0;
  if (next_group_.empty() || next_group_ != group_) flags |= kBeginsTransaction;
  if (next_group_.empty() || event.kind == Kind::kEnd) flags |= kEndsTransaction;
  std::swap(group_, next_group_);
  return flags;
}

Status DebeziumRecords::AddUnreadable(std::string_view bytes, std::uint64_t source_offset) {
  Record record;
  record.kind = RecordKind::kUnreadable;
  record.format = Format::kDebezium;
  record.bytes = bytes;
  record.source_offset = source_offset;
  record.flags = kBeginsTransaction | kEndsTransaction;
  record.ingested_at = now_;
  group_.clear();
  return Append(record);
}

Status DebeziumRecords::Append(const Record& record) {
  ASSIGN([[maybe_unused]] const Position position, journal_.Append(record));
  return {};
}

/// The true table of a message: its topic's name is cleaned, so what a topic's messages say is remembered for those
/// that say nothing (tombstones).
std::string DebeziumRecords::StreamOf(const DebeziumEvent& event, const wire::DebeziumMessage& message) {
  if (!event.stream.empty()) {
    if (!message.topic.empty()) streams_[message.topic] = std::string(event.stream);
    return std::string(event.stream);
  }
  if (message.topic.empty()) return {};
  const auto known = streams_.find(message.topic);
  return known == streams_.end() ? StreamOfTopic(message.topic) : known->second;
}

void DebeziumRecords::Save(nlohmann::json& checkpoint) const {
  checkpoint["group"] = group_;
  if (in_transaction_) checkpoint["in_transaction"] = true;
  checkpoint["replays"] = replays_.ToJson();
  checkpoint["streams"] = streams_;
}

}  // namespace nano::ingest
