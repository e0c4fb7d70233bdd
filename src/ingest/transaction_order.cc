// SPDX-License-Identifier: Apache-2.0
#include "ingest/transaction_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace nano::ingest {

TransactionOrder::Transaction& TransactionOrder::Of(const std::string& id) {
  for (auto& transaction : transactions_)
    if (transaction.id == id) return transaction;
  transactions_.push_back({id, {}, 0, {}, {}, {}});
  return transactions_.back();
}

std::vector<PlacedMessage> TransactionOrder::Take(PlacedMessage message, const wire::DebeziumEvent& event) {
  using Kind = wire::DebeziumEvent::Kind;
  std::vector<PlacedMessage> out;
  if (message.message.topic.empty()) {  // one stream, in order already
    out.push_back(std::move(message));
    return out;
  }
  const std::string lane = fmt::format("{}/{}", message.message.topic, message.message.partition);
  if (event.kind == Kind::kTombstone) {
    const auto held = lane_.find(lane);
    if (held == lane_.end()) {
      out.push_back(std::move(message));
      return out;
    }
    auto& transaction = Of(held->second);
    const std::uint64_t order = transaction.events.empty() ? 0 : transaction.events.back().order;
    transaction.events.push_back({std::move(message), order});
    return out;
  }
  if (event.kind == Kind::kBegin) {
    Of(std::string(event.transaction)).begin = std::move(message);
  } else if (event.kind == Kind::kEnd) {
    auto& transaction = Of(std::string(event.transaction));
    transaction.expected = event.event_count;
    transaction.end = std::move(message);
  } else if (event.kind == Kind::kChange && event.total_order) {
    const std::string id(event.transaction);
    auto& transaction = Of(id);
    transaction.events.push_back({std::move(message), *event.total_order});
    ++transaction.counted;
    lane_[lane] = id;
  } else {
    lane_.erase(lane);
    out.push_back(std::move(message));
    return out;
  }
  // A transaction may go when it is whole, and none that began before it is still open.
  while (!transactions_.empty()) {
    Transaction& first = transactions_.front();
    if (!first.expected || first.counted < *first.expected) break;
    // Its last tombstone may be on the way still; it follows in its topic and passes alone.
    Release(first, out);
    transactions_.pop_front();
  }
  return out;
}

void TransactionOrder::Release(Transaction& transaction, std::vector<PlacedMessage>& out) {
  std::stable_sort(transaction.events.begin(), transaction.events.end(), [](const Held& a, const Held& b) { return a.order < b.order; });
  if (transaction.begin) out.push_back(std::move(*transaction.begin));
  for (auto& held : transaction.events) out.push_back(std::move(held.message));
  if (transaction.end) out.push_back(std::move(*transaction.end));
  for (auto at = lane_.begin(); at != lane_.end();) at = at->second == transaction.id ? lane_.erase(at) : std::next(at);
}

std::uint64_t TransactionOrder::lowest_begin() const {
  std::uint64_t lowest = std::numeric_limits<std::uint64_t>::max();
  for (const auto& transaction : transactions_) {
    for (const auto& held : transaction.events) lowest = std::min(lowest, held.message.begin);
    if (transaction.begin) lowest = std::min(lowest, transaction.begin->begin);
    if (transaction.end) lowest = std::min(lowest, transaction.end->begin);
  }
  return lowest;
}

std::vector<PlacedMessage> TransactionOrder::Drain() {
  std::vector<PlacedMessage> out;
  for (auto& transaction : transactions_) Release(transaction, out);
  transactions_.clear();
  lane_.clear();
  return out;
}

}  // namespace nano::ingest
