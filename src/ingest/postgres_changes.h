// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The messages of pgoutput as records of the journal, a transaction at a time and in the order of their commits: what of a
/// large transaction comes before its commit waits in a temporary file. Nothing of a transaction is in the journal without
/// its first and its last record saying so.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "io/spool.h"
#include "journal/journal.h"
#include "wire/pgoutput.h"
#include "wire/postgres_envelope.h"

namespace nano::ingest {

/// What the snapshots of tables are told of every change (postgres_snapshot.h).
class ChangeWatch {
 public:
  virtual ~ChangeWatch() = default;
  enum class Verdict : std::uint8_t {
    kTake,
    kPending,      ///< the table's rows are still to come
    kDrop,         ///< a snapshot that was taken has it already
  };
  /// Before a transaction's changes: its id, and where it commits.
  virtual void Begin(std::uint32_t xid, wire::Lsn commit) = 0;
  virtual Verdict Judge(const std::string& stream) = 0;
  /// A row of that key changed; `lacks` if values of it were not sent, `moved` if it had another key before.
  struct Row {
    std::string_view key;
    bool lacks = false, moved = false;
  };
  virtual void Changed(const std::string& stream, const Row& row) = 0;
  virtual void Truncated(const std::string& stream) = 0;
};

class PostgresChanges {
 public:
  /// Describes a table of the database from what its Relation message says; null where nobody wants it.
  using Describe = std::function<Result<std::unique_ptr<wire::PgTable>>(const wire::PgMessage& relation)>;

  PostgresChanges(journal::Writer& journal, std::filesystem::path spool_folder, Describe describe, ChangeWatch& watch)
      : journal_(journal), spool_folder_(std::move(spool_folder)), describe_(std::move(describe)), watch_(watch) {}

  /// Transactions that commit before it are in the journal already.
  void SkipBefore(wire::Lsn lsn) { done_ = std::max(done_, lsn); }
  /// The last transaction of which all is in the journal: whoever has the same database sends it again as it was.
  struct Transaction {
    wire::Lsn commit;
    std::uint32_t xid = 0;
    std::int64_t time = 0;
    bool operator==(const Transaction&) const = default;
  };
  const Transaction& last() const { return last_; }
  /// From here on; transactions that commit before are in the journal already, the last of which is `last`.
  void StartAt(wire::Lsn lsn, const Transaction& last) {
    done_ = lsn;
    last_ = last;
    expects_last_ = false;
  }
  /// The server was asked for the last transaction once more. Take() fails with kCorrupt, and has done nothing, if another one comes.
  void ExpectLast() { expects_last_ = true; }
  bool expects_last() const { return expects_last_; }
  /// One message, which stands at `at` in the log. `now`: the clock, µs since 1970.
  Status Take(wire::Lsn at, std::string_view bytes, std::int64_t now);

  /// Whether a transaction's records are half in the journal.
  bool in_transaction() const { return open_; }
  /// The end of the last transaction of which all is in the journal.
  wire::Lsn done() const { return done_; }
  /// Logical messages that came since it was asked, of the program's own prefix.
  std::vector<std::string> TakeMarks() { return std::exchange(marks_, {}); }
  std::uint64_t changes() const { return changes_; }

  /// Adds a record that is no transaction's of the stream (a snapshot's row); the first and the last of a run are marked.
  struct Piece {
    RecordKind kind = RecordKind::kData;
    std::string_view stream, value, key, headers;
    std::int64_t committed_at = kNoTime;
    std::uint8_t flags = 0;
    wire::Lsn lsn;
    wire::DebeziumOutline outline = {};
  };
  Status Append(const Piece& piece, std::int64_t now);

 private:
  struct Relation {
    std::unique_ptr<wire::PgTable> table;   ///< null: nobody wants it
  };
  /// A record that waits until it is known whether it is its transaction's last.
  struct Held {
    bool there = false;
    RecordKind kind = RecordKind::kData;
    std::string stream, value, key, headers;
    wire::Lsn lsn;
    wire::DebeziumOutline outline;
  };
  struct Streamed {
    std::unique_ptr<io::Spool> spool;
    std::set<std::uint32_t> aborted;
  };

  Status TakeOutside(wire::Lsn at, std::string_view bytes);
  Status TakeInStream(wire::Lsn at, std::string_view bytes);
  Status Replay(const wire::PgMessage& commit);
  Status Begin(std::uint32_t xid, wire::Lsn commit, std::int64_t time);
  Status Commit(wire::Lsn end);
  Status TakeRelation();
  Status TakeRow(wire::Lsn at);
  Status TakeTruncate(wire::Lsn at);
  Status TakeChange(wire::Lsn at);
  Result<const wire::PgTable*> TableOf(std::uint32_t relation) const;
  void FillFromOld();
  Status Move(const wire::PgTable& table, wire::Lsn at);
  Status Hold(RecordKind kind, const wire::PgTable& table, wire::Lsn at);
  Status Release(std::uint8_t flags);

  journal::Writer& journal_;
  std::filesystem::path spool_folder_;
  Describe describe_;
  ChangeWatch& watch_;

  std::unordered_map<std::uint32_t, Relation> relations_;
  std::map<std::uint32_t, Streamed> streamed_;      ///< large transactions that have not ended, by their id
  std::uint32_t streaming_ = 0;                     ///< whose block is being received
  wire::PgMessage message_;
  wire::PgOrigin origin_;                           ///< of the open transaction
  bool open_ = false, skipping_ = false, began_ = false;
  Held held_;
  std::string value_, key_, old_key_, headers_;     ///< of the record that is being made
  wire::DebeziumOutline outline_;
  std::vector<std::string> marks_;
  wire::Lsn done_;
  Transaction last_;
  bool expects_last_ = false;
  std::uint64_t changes_ = 0;
  std::int64_t now_ = 0;
};

/// The prefix of logical messages that are the program's own.
constexpr std::string_view kMarkPrefix = "nanohouse";
/// Begins a mark by which somebody asks that the checkpoint soon tell of it.
constexpr std::string_view kSeenMark = "seen ";

}  // namespace nano::ingest
