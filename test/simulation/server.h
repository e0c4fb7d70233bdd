// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The server in front of the database: sessions that answer the SQL that the program sends and nothing else, walsenders on links of the
/// network, the slot. A link is cut at any frame; the server notices later, and what was under way to it may still come.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "database.h"
#include "io/postgres.h"
#include "scheduler.h"
#include "walsender.h"

namespace nano::simulation {

/// How often what goes wrong: chances, a tick or a call.
struct NetworkRates {
  double refused = 0.05;          ///< a connection that is tried
  double cut_before = 0.003, cut_after = 0.003;   ///< a query: the server never saw it, or nobody saw its answer
  double cut_in_copy = 0.05;
  double refused_query = 0.001;   ///< the server ends the session
  double stream_cut = 0.02;
  double server_crash = 0.001;
};

/// Frames on their way between a walsender and its reader.
struct Link {
  struct Held {
    std::int64_t at = 0;          ///< when it arrives
    std::string bytes;
  };
  std::deque<Held> down, up;
  bool cut = false;               ///< nothing more gets through; the reader learns of it behind the frames that are left
  bool reader_gone = false;
};

/// What a session has: a snapshot while its transaction is open.
struct Session {
  std::optional<Snapshot> snapshot;
  bool in_transaction = false;
  bool replicates = false;
  std::uint64_t incarnation = 0;  ///< of the server; another: it was ended by a crash
};

struct ServerBackup {
  DatabaseCopy database;
  std::map<std::size_t, std::uint64_t> published;
  bool has_publication = false;
  std::map<std::string, std::uint64_t> slots;
};

class Server {
 public:
  Server(Draw draw, Scheduler& scheduler, Trace& trace, Database& database, int version);

  int version() const { return version_; }
  void Tick();
  void Crash();
  /// Somebody ends whoever reads the slot, and drops it.
  void DropSlot();
  ServerBackup Backup();
  void Restore(const ServerBackup& backup);
  bool is_up() const { return scheduler_.steady_micros() >= up_at_; }
  std::uint64_t incarnation() const { return incarnation_; }
  /// Nothing goes wrong from here on.
  void CalmDown() { Scale(0); }
  /// So much more, or less, goes wrong.
  void Scale(double by);
  NetworkRates rates;

  using Values = io::PostgresRows::Values;
  Result<Values> Execute(Session& session, const std::string& sql, const std::vector<std::string>& parameters);
  /// The lines of a COPY.
  Result<std::vector<std::string>> Copy(Session& session, const std::string& sql);
  Status StartReplication(const std::string& sql, const std::shared_ptr<Link>& link);

  static std::string Literal(std::string_view text);
  static std::string Identifier(std::string_view text);

 private:
  struct Slot {
    std::uint64_t confirmed = 0, saved = 0;   ///< saved: what a crash of the server leaves
  };
  struct Sending {
    Walsender walsender;
    std::shared_ptr<Link> link;
    std::int64_t notices_at = -1;  ///< the server sees that the link is cut
    std::deque<std::string> frames;
  };
  void Serve(Sending& sending);
  void TakeStatus(Sending& sending, const std::string& bytes);
  /// Until what runs now has ended.
  Status WaitForRunning(const Session& session);
  Status CheckAlive(const Session& session) const;
  std::optional<std::size_t> TableOf(const std::string& oid) const;
  Status Publish(const std::string& sql);
  Values Bounds(const std::string& sql);

  Draw draw_;
  Scheduler& scheduler_;
  Trace& trace_;
  Database& database_;
  const int version_;
  std::int64_t up_at_ = 0, ticked_ = 0;
  std::uint64_t incarnation_ = 1;
  bool has_publication_ = false;
  std::map<std::size_t, std::uint64_t> published_;
  std::map<std::string, Slot> slots_;
  std::unique_ptr<Sending> sending_;   ///< the slot has one reader
  std::map<std::string, Snapshot> exported_;
};

}  // namespace nano::simulation
