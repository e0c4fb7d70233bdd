// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Debezium's messages, in their final order, as records of the journal: replays flagged, transactions marked, each under the
/// stream that it truly is of. What must be known of earlier messages is part of the source's checkpoint. One thread.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <unordered_map>

#include "base/arena.h"
#include "ingest/feed.h"
#include "ingest/replay_filter.h"
#include "journal/journal.h"
#include "wire/debezium.h"

namespace nano::ingest {

class DebeziumRecords {
 public:
  /// `checkpoint`: what Save() made of it, or nothing. `anew`: its input begins again, with what was said before.
  DebeziumRecords(journal::Writer& journal, const nlohmann::json& checkpoint, bool anew);

  /// The clock is read once for many messages: µs since 1970.
  void SetTime(std::int64_t now) { now_ = now; }
  /// What a message says, without its rows: nothing here looks at those. Good until the next one.
  Result<wire::DebeziumEvent> Decode(const wire::DebeziumMessage& message);
  /// A message and what it says, or why it says nothing. `source_offset`: of a file, the byte behind it.
  /// `sent_again`: its sender repeats what it was not told to have arrived; an event that has a place of its own is then a replay.
  Status Add(const wire::DebeziumMessage& message, const Result<wire::DebeziumEvent>& event, std::uint64_t source_offset, bool sent_again = false);
  /// Bytes that are no message.
  Status AddUnreadable(std::string_view bytes, std::uint64_t source_offset);
  /// Whether a transaction began, of which the source will say that it ends.
  bool in_transaction() const { return in_transaction_; }

  std::uint64_t replayed() const { return replayed_; }
  /// Puts what must be known of earlier messages into a checkpoint.
  void Save(nlohmann::json& checkpoint) const;

 private:
  std::string StreamOf(const wire::DebeziumEvent& event, const wire::DebeziumMessage& message);
  std::uint8_t TransactionFlags(const wire::DebeziumEvent& event);
  Status Append(const Record& record);

  journal::Writer& journal_;
  ReplayFilter replays_;
  std::unordered_map<std::string, std::string> streams_;   ///< by topic
  wire::DebeziumDecoder decoder_;
  Arena arena_;                  ///< of the message that was decoded last
  std::string group_;            ///< the transaction of the last record
  std::string next_group_;
  bool in_transaction_ = false;
  std::int64_t now_ = 0;
  std::uint64_t replayed_ = 0;
};

}  // namespace nano::ingest
