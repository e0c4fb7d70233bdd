// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Chunks of tables' rows, read by connections of their own beside the stream: several at once, each by a snapshot that sees
/// what the stream had said when it was asked for, with a mark in the log behind it. One owner's thread gives and takes.

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "ingest/postgres_catalog.h"
#include "ingest/postgres_visibility.h"
#include "io/background.h"

namespace nano::ingest {

/// What is to be read.
struct ChunkTask {
  std::uint64_t id = 0;
  std::string stream, publication, mark;
  std::vector<std::string> after, up_to;       ///< the rows behind one key, up to another; empty: from the first, to the last
  std::size_t limit = 0;
  bool by_keys = false;
  std::vector<std::string> keys;               ///< by_keys: rows with these, as JSON
  std::uint64_t not_before = 0;                ///< no transaction may run that is older
  RecentTransactions seen;                     ///< the snapshot must see these
};

/// What was read.
struct ChunkRows {
  /// A row: its key and, behind it, its message without what opens every one of them.
  struct Row {
    std::size_t at = 0;
    std::uint32_t key_size = 0, value_size = 0;
    wire::DebeziumOutline outline;
  };
  Visibility snapshot;
  std::int64_t time = 0;
  std::unique_ptr<wire::PgTable> shape;
  std::vector<Row> rows;
  std::string text;                            ///< of all rows
  std::size_t read_bytes = 0;                  ///< as the server sent them
  std::vector<std::string> last;               ///< the key of the last row; of a range with more rows
  wire::Lsn high;                              ///< where the mark is
  std::string_view key(const Row& row) const { return std::string_view(text).substr(row.at, row.key_size); }
  std::string_view value(const Row& row) const { return std::string_view(text).substr(row.at + row.key_size, row.value_size); }
};

class ChunkReaders {
 public:
  /// Connections are made as they are needed. No more tasks may be under way than there may be connections.
  ChunkReaders(const io::PostgresOpener& connect, const Secret& url, std::size_t connections) : connect_(connect), url_(url), connections_(connections) {}
  ~ChunkReaders();
  ChunkReaders(const ChunkReaders&) = delete;
  ChunkReaders& operator=(const ChunkReaders&) = delete;

  std::size_t connections() const { return connections_; }
  void Give(ChunkTask task);
  struct Done {
    std::uint64_t id = 0;
    Result<ChunkRows> rows;
  };
  /// One that is read, if there is one.
  std::optional<Done> Take();

 private:
  struct Session {
    std::unique_ptr<io::Postgres> connection;
    wire::PgTypes types;                                        ///< what was learnt by it
  };
  Result<ChunkRows> Read(const ChunkTask& task, const std::stop_token& stop);

  const io::PostgresOpener& connect_;
  const Secret& url_;
  const std::size_t connections_;
  std::mutex mutex_;                                            // guards all that follows
  std::deque<Done> done_;
  std::vector<Session> idle_;
  std::set<io::Postgres*> asked_;                               ///< connections that wait for an answer
  std::vector<std::unique_ptr<io::Background::Work>> working_;  ///< the owner's; last, so that they end first
};

}  // namespace nano::ingest
