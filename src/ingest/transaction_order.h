// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Kafka keeps order inside a topic only. Where Debezium sends transaction metadata, each event says its place in its
/// transaction and END says how many there are, so the order across topics can be restored: events are held until their
/// transaction is whole, and given out transaction by transaction, in the order in which these began on the metadata
/// topic. Everything else passes through in the order in which it came.

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "wire/debezium.h"

namespace nano::ingest {

/// A message with the byte of its file at which its line starts and ends.
struct PlacedMessage {
  wire::DebeziumMessage message;
  std::uint64_t begin = 0, end = 0;
};

class TransactionOrder {
 public:
  /// Whether a message goes on as it came, with nothing held that would have to go before it; Take() need not see it then.
  bool Passes(const wire::DebeziumMessage& message, const wire::DebeziumEvent& event) const {
    if (message.topic.empty()) return true;
    using Kind = wire::DebeziumEvent::Kind;
    return transactions_.empty() && lane_.empty() && !event.total_order && event.kind != Kind::kBegin && event.kind != Kind::kEnd;
  }
  /// Takes a message as it came; `event` is what it says. Gives what may go on now, in order.
  std::vector<PlacedMessage> Take(PlacedMessage message, const wire::DebeziumEvent& event);
  /// The input ends: gives all that is held, in the best order that is known.
  std::vector<PlacedMessage> Drain();
  /// The first byte of what is held: reading must go on from there. The greatest number where nothing is.
  std::uint64_t lowest_begin() const;

 private:
  struct Held {
    PlacedMessage message;
    std::uint64_t order = 0;
  };
  struct Transaction {
    std::string id;
    std::vector<Held> events;
    std::uint64_t counted = 0;                 ///< events with a place of their own (no tombstones)
    std::optional<std::uint64_t> expected;     ///< told by END
    std::optional<PlacedMessage> begin, end;
  };
  Transaction& Of(const std::string& id);
  void Release(Transaction& transaction, std::vector<PlacedMessage>& out);

  std::list<Transaction> transactions_;
  std::unordered_map<std::string, std::string> lane_;   ///< topic/partition -> transaction of its last held event
};

}  // namespace nano::ingest
