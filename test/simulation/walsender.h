// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The database's log as pgoutput sends it: decoded from its beginning, transactions in the order of their commits, those that are
/// large before they have ended where the protocol lets it. What committed before the start is passed over.

#include <deque>
#include <map>
#include <set>
#include <string>

#include "database.h"

namespace nano::simulation {

struct WalsenderStart {
  std::uint64_t from = 0;
  int protocol = 1;
  bool streams = false, messages = false;
  bool tells_empty = false;                     ///< also transactions without a change that is published
  std::map<std::size_t, std::uint64_t> published;   ///< tables, and from where in the log on
};

class Walsender {
 public:
  Walsender(Database& database, Draw draw, const WalsenderStart& start) : database_(database), draw_(draw), start_(start) {}
  /// Decodes the next record and adds its frames. False: there is none that is flushed.
  bool Produce(std::deque<std::string>& frames);
  std::string Keepalive(bool wants_reply) const;
  std::uint64_t sent() const { return sent_; }

 private:
  struct Piece {
    std::uint64_t at = 0;
    std::uint32_t subxid = 0;
    std::shared_ptr<const Change> change;
  };
  struct Gathered {
    std::uint64_t first = 0;
    std::vector<Piece> pieces;
    bool is_streamed = false;
    std::set<std::uint32_t> streamed;           ///< whose changes were sent: it, its savepoints
    std::set<std::size_t> described;            ///< tables, in its own streamed blocks
  };
  void Gather(const WalRecord& record, std::deque<std::string>& frames);
  void Commit(const WalRecord& record, std::deque<std::string>& frames);
  void StreamOut(std::uint32_t xid, Gathered& gathered, std::deque<std::string>& frames);
  void SendChange(const Piece& piece, std::uint32_t in_stream, std::set<std::size_t>& described, std::deque<std::string>& frames);
  static std::string Message(std::uint64_t at, bool transactional, std::uint32_t in_stream, const std::string& text);
  std::string Frame(std::uint64_t at, const std::string& message) const;
  void Push(std::uint64_t at, const std::string& message, std::deque<std::string>& frames);

  Database& database_;
  Draw draw_;
  const WalsenderStart start_;
  std::size_t next_ = 0;
  std::uint64_t sent_ = 0;                      ///< all before it was decoded and sent
  std::map<std::uint32_t, Gathered> open_;
  std::set<std::size_t> described_;
};

}  // namespace nano::simulation
