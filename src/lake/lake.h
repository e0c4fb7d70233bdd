// SPDX-License-Identifier: Apache-2.0
#pragma once
/// All builds of a warehouse, over DuckLake 1.0. The writer's side: one transaction holds the rows of every build that a
/// batch touches, its quarantine and the batch's end position, so they become visible together or not at all. Its new
/// files are made durable before the commit (the extension never syncs them). One writer at a time, which holds the
/// lease of state/; any number of readers in any process (lake/reader.h). Not for several threads at once.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "change/record.h"
#include "engine/database.h"
#include "lake/place.h"

namespace nano::lake {

/// The catalog under which a lake is attached in our own sessions.
constexpr const char* kCatalog = "lake";
/// Hidden columns of every build, first in it, so that their field ids are always 1 and 2.
constexpr const char* kPositionColumn = "_position";
constexpr const char* kCommittedAtColumn = "_committed_at";

struct WriterOptions {
  std::string compression = "zstd";
  std::int64_t target_file_bytes = 128LL << 20;
  int threads = 0;
  std::string memory_limit = "384MB";
  bool direct = true;                ///< batches go through the direct lane where they fit
};

/// What a reader sees: one lake snapshot, which contains each source up to a known position.
struct Cut {
  std::int64_t snapshot = 0;
  std::map<std::string, Position> sources;
};

class Lane;
struct Build;

/// Who writes the files and the catalog's rows of a batch.
enum class LaneKind {
  kExtension,   ///< DuckLake's extension, in a transaction of DuckDB's: also DDL
  kDirect,      ///< we do (lake/direct_writer.h): rows only
};

class Writer {
 public:
  virtual ~Writer() = default;
  /// Opens the lake, makes it if there is none, and mends the catalog's data path if the folder was moved.
  static Result<std::unique_ptr<Writer>> Open(const Place& place, const WriterOptions& options);

  virtual engine::Database& database() = 0;
  virtual engine::Connection& connection() = 0;
  /// The newest cut, as of the last commit or Open().
  virtual const Cut& head() const = 0;

  /// Begins a transaction; at most one is open. What a direct one has written so far is seen through its lane alone.
  virtual Status Begin(LaneKind lane = LaneKind::kExtension) = 0;
  /// The lane for a batch that touches these builds: direct where all of them fit it.
  virtual Result<LaneKind> LaneFor(const std::vector<const Build*>& builds) = 0;
  /// The lane of the open transaction.
  virtual Lane& lane() = 0;
  /// Adds the rows of `select`, whose columns are the table's, to `schema.table` of the lake.
  virtual Status Append(const std::string& schema, const std::string& table, const std::string& select) = 0;
  /// Adds a row to one of our own small tables. Values are text, in the table's order; rows with the same values in the first
  /// `key` columns go (0: none does).
  virtual Status Put(const std::string& table, const std::vector<std::string>& values, std::size_t key) = 0;
  /// Runs DDL: in the open transaction, or, where that is direct, at once in one of its own, which moves no position.
  virtual Status Amend(const std::function<Status()>& ddl) = 0;
  /// Merges files of a build where that is worth it, in a commit of its own. Outside a transaction.
  virtual Status Tidy(const Build& build) = 0;
  /// Notes, in the open transaction, that `source` is contained up to `end`.
  virtual Status SetPosition(const std::string& source, Position end) = 0;
  /// Makes new files durable, then commits. `message` is the stage: land, apply, compact.
  /// kConflict: another writer won; nothing happened.  kOutcomeUnknown: the catalog gave no answer; open the lake again
  /// and look at head(). Delete nothing.
  virtual Status Commit(const std::string& message) = 0;
  /// Forgets the open transaction, if there is one.
  virtual void Rollback() = 0;
  virtual bool in_transaction() const = 0;
  /// A relation with the rows of `nanohouse.<table>` as they were committed last, not those of the open transaction. Where
  /// they are inlined in the catalog they are read from there, which takes a tenth of the time that the extension needs.
  virtual std::string Committed(const std::string& table) = 0;
  /// The number that a source has in the high bits of `_position`; given at the first call, in the open transaction.
  virtual Result<std::int64_t> SourceNumber(const std::string& source) = 0;
};

/// `_position` of a row: the source's number in the high 15 bits, the journal position in the low 48.
constexpr std::int64_t RowPosition(std::int64_t source_number, Position position) {
  return (source_number << 48) | static_cast<std::int64_t>(position.value);
}

/// `lake.build."orders_1a2b"`
std::string BuildTable(const std::string& build);

}  // namespace nano::lake
