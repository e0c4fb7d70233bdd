// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How the changes of one batch reach a build: behind one interface, so that lanes can be held against each other.
/// Runs inside the writer's open transaction.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lake/build.h"

namespace nano::lake {

/// From `begin` to before `end`.
struct PositionRange {
  std::int64_t begin = 0, end = 0;
};

/// One batch's changes to one build, as relations that SQL can read. Steps happen in the order of the members.
struct Staged {
  bool truncate = false;                       ///< every row goes
  std::optional<std::int64_t> truncate_source; ///< only rows of this source's number go
  std::vector<PositionRange> ranges;           ///< rows with a `_position` in one of these go
  std::string removed;   ///< relation with the key columns of rows that go (identity key); may be empty
  std::string vanished;  ///< relation with all columns and `_times`, how many equal rows go (identity whole row); may be empty
  std::string rows;      ///< relation with `_position`, `_committed_at` and the build's columns, in its order; may be empty
};

class Lane {
 public:
  virtual ~Lane() = default;
  virtual Status Apply(Writer& writer, const Build& build, const Staged& staged) = 0;
  /// A relation of `_n` and all columns of the build: the row as it is in the open transaction, for each row of relation
  /// `keys` (`_n` and the key's columns) that there is one for. Good until the next call on the lane.
  virtual Result<std::string> RowsOf(Writer& writer, const Build& build, const std::string& keys) = 0;
};

/// Through the extension: DELETE and INSERT. Good below a million rows, and the oracle of any other lane.
std::unique_ptr<Lane> MakeExtensionLane();

}  // namespace nano::lake
