// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A PostgreSQL database in memory, as its readers see it: tables, clients whose transactions overlap, a log of what they did, and
/// snapshots. A transaction is in the log before others see it. A crash takes what was not flushed. Nothing here knows who reads.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "draw.h"
#include "trace.h"
#include "wire/pgoutput.h"

namespace nano::simulation {

using Row = std::vector<std::optional<std::string>>;
/// By their keys, written so that they sort as the database sorts them; rows of a table without a key by a number.
using Rows = std::map<std::string, Row>;
using RowsPtr = std::shared_ptr<const Rows>;

struct Column {
  std::string name;
  std::uint32_t type = 25;
  bool is_number = false;
  bool wide = false;              ///< long values lie beside the row, and are not sent where they did not change
};

struct Table {
  std::string name;
  std::uint32_t oid = 0;
  std::vector<Column> columns;
  std::vector<std::size_t> key;   ///< empty: none
  wire::ReplicaIdentity identity = wire::ReplicaIdentity::kDefault;

  std::string KeyOf(const std::vector<std::string>& values) const;
  std::string KeyOf(const Row& row) const;
};

/// What a transaction did.
struct Change {
  enum class Kind { kInsert, kUpdate, kDelete, kTruncate, kMessage };
  Kind kind = Kind::kInsert;
  std::size_t table = 0;
  std::string key_before, key;    ///< key: of a message its text
  Row before, after;
};

struct WalRecord {
  enum class Kind { kChange, kMessage, kCommit, kAbort, kSubAbort };
  Kind kind = Kind::kChange;
  std::uint64_t begin = 0, end = 0;
  std::uint32_t xid = 0, subxid = 0;
  std::shared_ptr<const Change> change = nullptr;
  std::string text = {};          ///< of a message
  std::int64_t time = 0;          ///< of a commit, µs since 1970
};

/// What a transaction that only reads sees.
struct Snapshot {
  std::vector<RowsPtr> rows;      ///< by table
  std::vector<std::uint64_t> truncations;
  std::uint64_t xmin = 0, xmax = 0;
  std::vector<std::uint64_t> running;
  std::string Text() const;
};

/// All that a database holds, at some moment.
struct DatabaseCopy {
  std::size_t log_records = 0;
  std::uint64_t end = 0;
  std::vector<Rows> rows;
};

struct DatabaseOptions {
  std::size_t clients = 3;
  std::size_t accounts = 20, items = 60;
};

class Database {
 public:
  Database(Draw draw, Trace& trace, const DatabaseOptions& options);
  ~Database();

  const std::vector<Table>& tables() const { return tables_; }
  /// npos: there is none.
  std::size_t Find(const std::string& name) const;
  const std::vector<WalRecord>& log() const { return log_; }
  std::uint64_t log_end() const { return end_; }
  std::uint64_t flushed_end() const { return flushed_; }
  void Flush() { flushed_ = end_; }
  std::int64_t now() const { return wall_; }
  std::uint64_t next_xid() const { return next_xid_; }

  /// Clients go on, commits become visible, the log is flushed.
  void Tick(std::int64_t passed);
  /// No client begins anything more.
  void Rest() { resting_ = true; }
  bool at_rest() const;

  Snapshot Take() const;
  /// All that has committed in the log's order, seen by others or not.
  Snapshot TakeLogged() const;
  /// Transactions that run now, or have committed and are not seen yet.
  std::set<std::uint64_t> running() const;
  /// Its rows as the snapshot sees them. A truncation is seen by older snapshots, too.
  const Rows& RowsOf(const Snapshot& snapshot, std::size_t table) const;
  /// Whether a transaction that truncates it has not ended.
  bool is_locked(std::size_t table) const { return exclusive_[table] != 0; }
  /// Its end in the log, which is flushed.
  std::uint64_t EmitMessage(const std::string& text);
  void Crash();
  DatabaseCopy Copy();
  /// It is as it was then, and goes on from there another way.
  void Restore(const DatabaseCopy& copy);

  std::int64_t money() const { return money_; }   ///< in cents, on all accounts

 private:
  struct Transaction;
  void Work(std::unique_ptr<Transaction>& client);
  void Do(Transaction& transaction);
  void Commit(std::unique_ptr<Transaction> transaction);
  void Abort(std::unique_ptr<Transaction> transaction);
  void Show(const Transaction& transaction);
  void Release(std::uint64_t xid);

  void Transfer(Transaction& transaction);
  void ChangeItem(Transaction& transaction);
  void ChangeLoose(Transaction& transaction);
  void ChangePair(Transaction& transaction);
  void ChangeShort(Transaction& transaction);
  void TellDdl(Transaction& transaction);
  std::string Text(std::size_t most);

  const Row* Look(const Transaction& transaction, std::size_t table, const std::string& key) const;
  std::optional<std::string> AnyKey(std::size_t table);
  bool Lock(Transaction& transaction, std::size_t table, const std::string& key);
  bool Insert(Transaction& transaction, std::size_t table, Row row);
  bool Update(Transaction& transaction, std::size_t table, const std::string& key, Row row);
  bool Delete(Transaction& transaction, std::size_t table, const std::string& key);
  bool Truncate(Transaction& transaction, std::size_t table);
  void Note(Transaction& transaction, Change change);
  void Write(WalRecord record);
  static void Apply(const Change& change, std::vector<std::shared_ptr<Rows>>& state);
  Rows& Loaded(const char* table) { return *logged_[Find(table)]; }

  Draw draw_;
  Trace& trace_;
  std::vector<Table> tables_;
  std::vector<WalRecord> log_;
  std::uint64_t end_ = 0x1000000, flushed_ = 0x1000000;
  std::uint64_t next_xid_ = 700;
  std::int64_t wall_ = 1'800'000'000'000'000;
  std::vector<std::shared_ptr<Rows>> logged_, visible_;
  std::vector<std::uint64_t> truncations_;
  std::vector<std::unique_ptr<Transaction>> clients_, unseen_;
  std::map<std::pair<std::size_t, std::string>, std::uint64_t> locks_;
  std::vector<std::set<std::uint64_t>> writers_;
  std::vector<std::uint64_t> exclusive_;
  std::int64_t most_items_ = 120;
  std::uint64_t next_row_ = 1, next_event_ = 1;
  std::int64_t money_ = 0;
  bool resting_ = false;
};

}  // namespace nano::simulation
