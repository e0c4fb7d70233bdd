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

/// One batch's changes to one build, as relations that SQL can read. Steps happen in the order of the members.
struct Staged {
  bool truncate = false;                       ///< every row goes
  std::optional<std::int64_t> truncate_source; ///< only rows of this source's number go
  std::optional<std::int64_t> older_than;      ///< rows of `truncate_source` with a `_position` below this go (snapshot end)
  std::string removed;   ///< relation with the key columns of rows that go (identity key); may be empty
  std::string vanished;  ///< relation with all columns and `_times`, how many equal rows go (identity whole row); may be empty
  std::string rows;      ///< relation with `_position`, `_committed_at` and the build's columns, in its order; may be empty
};

class Lane {
 public:
  virtual ~Lane() = default;
  virtual Status Apply(Writer& writer, const Build& build, const Staged& staged) = 0;
};

/// Through the extension: DELETE and INSERT. Good below a million rows, and the oracle of any other lane.
std::unique_ptr<Lane> MakeExtensionLane();

}  // namespace nano::lake
