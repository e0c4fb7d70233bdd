// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The rows that tables have before their changes are read. A table with a key is read in chunks, each beside the stream and
/// without a lock: a chunk's snapshot says which transactions it sees; a mark is written into the log behind it, and when the
/// mark comes by the stream, all that the chunk saw has come. Rows that were changed meanwhile by a transaction that the
/// snapshot did not see are dropped, the rest goes into the journal. Progress is part of the journal's checkpoint, so a crash
/// repeats one chunk. A table without a key, or of which each event counts, is read whole, at a point of the log that the server names. docs/adr/0021.

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
#include "ingest/postgres_visibility.h"

namespace nano::ingest {

/// What is needed to read tables; all of it outlives the snapshot.
struct SnapshotAccess {
  io::Postgres& queries;
  const Secret& url;
  wire::PgTypes& types;
  std::string publication;
  std::string nonce;              ///< sets the marks of this run apart
  std::set<std::string> whole;    ///< streams that are read at one point of the log, though they have a key
};

class PostgresSnapshot final : public ChangeWatch {
 public:
  explicit PostgresSnapshot(SnapshotAccess access) : access_(std::move(access)) {}

  /// How far each stream was, as Save() told; of streams that are new all rows are to be read. `after`: a snapshot of those
  /// must not have transactions running that are older (they may have changed the table before it was published).
  void Load(const nlohmann::json& saved, const std::vector<std::string>& streams, std::uint64_t after);
  nlohmann::json Save() const;
  /// Every table is to be read anew, in place of what is there.
  void StartOver();

  bool complete() const;
  std::string note() const;

  /// Reads a chunk, if none is under way and a table has rows to come. Between transactions only.
  Status Advance(PostgresChanges& changes, std::int64_t now);
  /// A mark came by the stream, or the stream has come that far. Between transactions only.
  Status OnMark(const std::string& mark, PostgresChanges& changes, std::int64_t now);
  Status OnReached(wire::Lsn lsn, PostgresChanges& changes, std::int64_t now);
  bool waits_for_mark() const { return chunk_ != nullptr; }

  void Begin(std::uint32_t xid, wire::Lsn commit) override;
  Verdict Judge(const std::string& stream) override;
  void Changed(const std::string& stream, const Row& row) override;
  void Truncated(const std::string& stream) override;

 private:
  enum class Step { kWaiting, kChunks, kDone };
  using Key = std::vector<std::string>;
  struct Table {
    Step step = Step::kWaiting;
    Key last;                        ///< the key of the last row that is journaled
    bool last_chunk_done = false;
    std::uint64_t after = 0;
    bool replaces = false;           ///< what is there goes first
    wire::Lsn taken_at;              ///< of a table that was read whole: what commits before is in it
    std::vector<std::string> lacking;   ///< keys, as JSON, of rows of which values are missing
    std::uint64_t rows = 0;
  };
  /// A row of a chunk: its key and, behind it, its message without what opens every one of them.
  struct ChunkRow {
    std::size_t at = 0;
    std::uint32_t key_size = 0, value_size = 0;
  };
  struct HashText {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct Chunk {
    std::string stream, mark;
    Table* table = nullptr;
    wire::Lsn high;
    Visibility snapshot;
    std::int64_t time = 0;
    std::unique_ptr<wire::PgTable> shape;
    std::vector<ChunkRow> rows;
    std::string text;                ///< of all rows
    std::string_view key(const ChunkRow& row) const { return std::string_view(text).substr(row.at, row.key_size); }
    std::string_view value(const ChunkRow& row) const { return std::string_view(text).substr(row.at + row.key_size, row.value_size); }
    bool of_lacking = false;
    std::vector<std::string> asked;  ///< of lacking rows: their keys
    Key last;
    bool is_last = false;
    std::unordered_map<std::string, std::vector<std::uint32_t>, HashText, std::equal_to<>> changed;   ///< since it was read, by key
    std::vector<std::uint32_t> truncated;
    std::vector<std::pair<std::string, std::uint32_t>> lacking;            ///< keys of rows that came with values missing
  };

  Table* Next(std::string& stream);
  Result<bool> ReadChunk(const std::string& stream, Table& table);
  Result<bool> SeesEnough(Table& table, Chunk& chunk);
  Status CopyRows(const TableName& name, const CatalogTable& catalog, const std::string& condition, Chunk& chunk, std::size_t limit);
  std::string ConditionAfter(const CatalogTable& catalog, const Key& last) const;
  std::string ConditionOf(const CatalogTable& catalog, const std::vector<std::string>& keys) const;
  Status ReadWhole(const std::string& stream, Table& table, PostgresChanges& changes, std::int64_t now);
  Status Complete(PostgresChanges& changes, std::int64_t now);
  Status AppendTruncate(const Chunk& chunk, PostgresChanges& changes, std::int64_t now, std::uint8_t flags);
  std::unique_ptr<wire::PgTable> Shape(const TableName& name, const CatalogTable& catalog) const;

  SnapshotAccess access_;
  std::vector<std::string> order_;
  std::unordered_map<std::string, Table> tables_;
  std::unique_ptr<Chunk> chunk_;
  RecentTransactions recent_;
  std::uint32_t xid_ = 0;            ///< of the transaction that is coming
  wire::Lsn commit_;
  std::size_t chunk_rows_ = 2000;    ///< how many rows the next chunk may have
  std::uint64_t marks_ = 0;
  std::int64_t retry_at_ = 0;
};

}  // namespace nano::ingest
