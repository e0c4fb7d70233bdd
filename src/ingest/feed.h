// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The stage from a source into its journal: a Feed reads on, appends what it gets and commits it, a step at a time. What
/// it must know to go on after a crash (byte of the file, what was said before) is the journal's own checkpoint, so the two
/// can't part. One thread.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/model.h"
#include "io/postgres.h"
#include "journal/journal.h"

namespace nano::ingest {

struct Step {
  std::vector<journal::BlockPtr> blocks;   ///< what was committed, for landing; none where it was too much to keep
  Position journaled;                      ///< the end of what is committed
  bool end = false;                        ///< the input has no more now
  bool rests = false;                      ///< it said nothing for a while: its last transaction is whole
};

struct FeedProgress {
  std::uint64_t bytes = 0;        ///< read in this run
  std::uint64_t total_bytes = 0;  ///< to read in this run; 0: unknown
  std::uint64_t messages = 0;
  std::uint64_t replayed = 0;
  std::string note;               ///< of a tap: its last METRIC or log line, no secrets of ours in it
};

class Feed {
 public:
  virtual ~Feed() = default;
  /// Reads up to about `bytes`, commits, and gives what was committed. At the end of the input it ends at once.
  /// The journal holds what was read before any error.
  virtual Result<Step> Next(std::size_t bytes) = 0;
  virtual const FeedProgress& progress() const = 0;
};

class PostBox;

struct FeedOptions {
  std::filesystem::path folder;                        ///< paths of the contract are relative to it
  std::string singer_state;                            ///< what a tap is to be started with; "" if none
  std::function<void(const std::string&)> on_log;      ///< a line of a tap's stderr
  std::chrono::milliseconds commit_every{1000};        ///< of a tap: how long what it sent may wait
  bool marks_run = false;                              ///< a table takes what a run says as a whole set: its edges are journaled
  std::string warehouse = {};                            ///< its name; a replication slot is named after it
  std::vector<std::string> streams = {};               ///< of the source that tables are filled from
  std::set<std::string> exact_streams = {};            ///< of these, where each event counts: a row that was there may not come twice
  std::vector<std::set<std::string>> together = {};      ///< of these, which fill one table: their rows can only be read once more together
  std::shared_ptr<PostBox> posts = {};                 ///< of a source that is posted to
  std::filesystem::path spool = {};                    ///< where a temporary file may be made
  io::PostgresOpener connect = io::Postgres::Connect;  ///< how a database is reached
  bool follow = false;                                 ///< a source that goes on saying something never ends: what it says is waited for
};

/// Opens the source at the place where its journal ended.  kUnsupported: its kind has no feed yet; kNotFound: the file or
/// the tap is not there.
Result<std::unique_ptr<Feed>> OpenFeed(const contract::Source& source, journal::Writer& journal, FeedOptions options);

}  // namespace nano::ingest
