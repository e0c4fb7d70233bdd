// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What must hold of a lake's catalog and files, whoever wrote them: DuckLake's extension, or we with rows of our own. The
/// lake's tests ask after each test, `doctor` asks of a warehouse. Reads only; everything is compared by the catalog's
/// newest snapshot, and sizes, footers and row counts of every file that the catalog names.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "lake/lake.h"

namespace nano::lake {

enum class Invariant {
  kRowIds,            ///< next_row_id is above every row id in use
  kRowIdRanges,       ///< ranges of live files do not overlap
  kColumnBounds,      ///< a table's statistics cover those of its live files
  kOneDeleteFile,     ///< at most one live delete file for a data file
  kDeleteCount,       ///< a delete file holds as many rows as the catalog says, fewer than its data file has
  kDeleteBegin,       ///< deletes are not older than their data
  kFileMissing,
  kFileSize,          ///< bytes, and those of the footer
  kFileRows,          ///< record_count is Parquet's
  kFileIds,           ///< ids of files are below the newest snapshot's next_file_id
  kSnapshots,         ///< every snapshot says what it changed; no row is of a snapshot that is still to come
  kPartitionValues,   ///< a partitioned table's files say which partition they are of
  kPaths,             ///< files lie below the data path
  kPositions,         ///< the newest commit's positions are those of nanohouse.position
};

/// `next_row_id`, `column_bounds`, …
std::string_view ToString(Invariant invariant);

struct Violation {
  Invariant invariant;
  std::string table;                          ///< "build.orders_1a2b"; empty: the lake
  std::filesystem::path file;                 ///< where it is about one
  std::string what, hint;
  std::string mend;                           ///< SQL over the catalog that puts it right; empty: see `positions`
  std::map<std::string, Position> positions;  ///< of kPositions: what nanohouse.position lacks

  bool mendable() const { return !mend.empty() || !positions.empty(); }
};

struct Inspection {
  std::vector<Violation> violations;
  std::uint64_t files = 0, bytes = 0;
  std::vector<std::filesystem::path> named;   ///< every file that the catalog names, also those that are to go
};

/// Looks at all of a lake. `stop` is asked between tables and files. `connection` has it attached as `lake`, and no transaction open.
Result<Inspection> Inspect(engine::Connection& connection, const std::filesystem::path& data, const std::function<bool()>& stop = {});

/// Puts one right, in a commit of its own.  kUnsupported: it can't be.
Status Mend(Writer& writer, const Violation& violation);

}  // namespace nano::lake
