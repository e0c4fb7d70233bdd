// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which transactions a snapshot of PostgreSQL sees, and those that were streamed a moment ago: the commit of a transaction is
/// in the log, and so in the stream, before others can see it. Pure.

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace nano::ingest {

class Visibility {
 public:
  Visibility() = default;
  /// `10:20:10,14,15`, as pg_current_snapshot() writes it; nothing where it is no such text.
  static std::optional<Visibility> Parse(std::string_view text);
  /// Of the lower half of a transaction's id, which is all that the stream says. The transaction has committed.
  bool Sees(std::uint32_t xid) const;
  std::uint64_t xmin() const { return xmin_; }
  std::uint64_t xmax() const { return xmax_; }

 private:
  std::uint64_t xmin_ = 0, xmax_ = 0;
  std::vector<std::uint64_t> running_;
};

/// Transactions of which no snapshot is known yet that sees them.
class RecentTransactions {
 public:
  void Add(std::uint32_t xid) { xids_.insert(xid); }
  bool AllSeenBy(const Visibility& snapshot) const;
  void Forget(const Visibility& snapshot);
  const std::set<std::uint32_t>& all() const { return xids_; }

 private:
  std::set<std::uint32_t> xids_;
};

}  // namespace nano::ingest
