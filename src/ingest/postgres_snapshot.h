// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The rows that tables have before their changes are read. A table with a key is read in chunks, several at once, each beside the stream and
/// without a lock: a chunk's snapshot says which transactions it sees; a mark is written into the log behind it, and when the
/// mark comes by the stream, all that the chunk saw has come. Rows that were changed meanwhile by a transaction that the
/// snapshot did not see are dropped, the rest goes into the journal. Progress is part of the journal's checkpoint, so a crash
/// repeats one chunk. A table without a key, or of which each event counts, is read whole, at a point of the log that the server names. docs/adr/0021.

#include <list>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/secret.h"
#include "ingest/postgres_catalog.h"
#include "ingest/postgres_changes.h"
#include "ingest/postgres_chunk.h"
#include "ingest/postgres_visibility.h"

namespace nano::ingest {

/// What is needed to read tables; all of it outlives the snapshot.
struct SnapshotAccess {
  io::Postgres& queries;
  const io::PostgresOpener& connect;
  const Secret& url;
  wire::PgTypes& types;
  std::string publication;
  std::string nonce;              ///< sets the marks of this run apart
  std::set<std::string> whole;    ///< streams that are read at one point of the log, though they have a key
  std::size_t connections = 1;    ///< that read chunks
};

/// How a table is read that was read before: readers see its old rows until all are said. Journaled as edges (change/record.h).
enum class Reread : std::uint8_t {
  kNo,
  kCompares,   ///< only what differs, and what is gone, is written
  kReplaces,
};

class PostgresSnapshot final : public ChangeWatch {
 public:
  explicit PostgresSnapshot(SnapshotAccess access) : access_(std::move(access)), readers_(access_.connect, access_.url, access_.connections) {}

  /// How far each stream was, as Save() told; of streams that are new all rows are to be read.
  void Load(const nlohmann::json& saved, const std::vector<std::string>& streams);
  nlohmann::json Save() const;
  /// The same of one table in what Save() told, while nobody reads.
  static void Again(nlohmann::json& saved_table, Reread reread);
  /// Changes were lost: every table is to be read anew.
  void StartOver(Reread reread);
  /// A snapshot of tables that are new, or begun anew, must not have transactions running that are older: their changes may not come.
  void NotBefore(std::uint64_t xmax);
  /// One table is to be read once more. Between transactions only.
  void Again(const std::string& stream, Reread reread);

  bool complete() const { return open_ == 0; }
  std::string note() const;

  /// Has chunks read, as many at once as there are connections, and takes those that are. Between transactions only.
  Status Advance(PostgresChanges& changes, std::int64_t now);
  /// A mark came by the stream, or the stream has come that far. Between transactions only.
  Status OnMark(const std::string& mark, PostgresChanges& changes, std::int64_t now);
  Status OnReached(wire::Lsn lsn, PostgresChanges& changes, std::int64_t now);
  /// Whether nothing is to be done before a mark comes.
  bool waits_for_mark() const;
  /// Whether nothing is to be done before the stream, which is at `done`, has come to where a table was read.
  bool waits_for_stream(wire::Lsn done) const;

  void Begin(std::uint32_t xid, wire::Lsn commit) override;
  Verdict Judge(const std::string& stream) override;
  void Changed(const std::string& stream, const Row& row) override;
  void Truncated(const std::string& stream) override;

 private:
  enum class Step { kWaiting, kChunks, kDone };
  using Key = std::vector<std::string>;
  /// A part of a table's rows, in the order of their keys.
  struct Range {
    Key after, up_to;                ///< behind the last row that is journaled, up to there; empty: the table's ends
    bool done = false;
    bool is_read = false;            ///< a chunk of it is under way
  };
  struct Table {
    Step step = Step::kWaiting;
    std::vector<Range> ranges;       ///< of one that is read in chunks
    std::uint64_t after = 0;
    bool fresh = false;              ///< `after` is still to be said
    Reread reread = Reread::kNo;
    wire::Lsn taken_at;              ///< of a table that was read whole: what commits before is in it
    std::vector<std::string> lacking;   ///< keys, as JSON, of rows of which values are missing
    bool lacking_is_read = false;
    std::size_t chunk_rows = 2000;   ///< how many rows its next chunk may have
    std::uint64_t rows = 0;
  };
  struct HashText {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  /// One that is being read, or waits for its mark.
  struct Chunk {
    std::uint64_t id = 0;
    std::string stream, mark;
    Table* table = nullptr;          ///< null: nobody wants it any more
    std::size_t range = 0, limit = 0;
    bool of_lacking = false;
    std::vector<std::string> asked;  ///< of lacking rows: their keys
    std::optional<ChunkRows> rows;
    bool passed = false;             ///< its mark has come
    std::unordered_map<std::string, std::vector<std::uint32_t>, HashText, std::equal_to<>> changed;   ///< since it was asked for, by key
    std::vector<std::uint32_t> truncated;
    std::vector<std::pair<std::string, std::uint32_t>> lacking;            ///< keys of rows that came with values missing
  };

  void Count();
  Status Begin(const std::string& stream, Table& table, PostgresChanges& changes, std::int64_t now);
  Status Divide(const TableName& name, const CatalogTable& catalog, Table& table);
  bool AskFor(const std::string& stream, Table& table);
  void Ask(const std::string& stream, Table& table, ChunkTask task, Chunk chunk);
  Status Collect(PostgresChanges& changes, std::int64_t now);
  Status ReadWhole(const std::string& stream, Table& table, PostgresChanges& changes, std::int64_t now);
  Status Complete(Chunk& chunk, PostgresChanges& changes, std::int64_t now);
  Status CompletePassed(PostgresChanges& changes, std::int64_t now);
  static Status AppendEdge(const std::string& stream, std::string_view edge, std::int64_t at, PostgresChanges& changes, std::int64_t now);
  std::unique_ptr<wire::PgTable> Shape(const TableName& name, const CatalogTable& catalog) const;

  SnapshotAccess access_;
  std::vector<std::string> order_;
  std::unordered_map<std::string, Table> tables_;
  std::list<Chunk> chunks_;
  RecentTransactions recent_;
  std::uint32_t xid_ = 0;            ///< of the transaction that is coming
  wire::Lsn commit_;
  std::size_t open_ = 0;             ///< tables that are not done
  std::uint64_t marks_ = 0;
  ChunkReaders readers_;             ///< last: it ends before what it reads by
};

}  // namespace nano::ingest
