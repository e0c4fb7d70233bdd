// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The stage from journal to lake, for one source: moves its records into every build that listens to them, exactly once.
/// The end position lies in the same lake commit as the rows, so a crash between reading and commit only repeats the
/// reading. A commit never ends inside a transaction of the source. One thread.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/model.h"
#include "journal/journal.h"
#include "lake/lake.h"

namespace nano::land {

struct LandCounters {
  std::uint64_t records = 0;        ///< passed
  std::uint64_t rows = 0;           ///< written into builds
  std::uint64_t quarantined = 0;
  std::uint64_t replayed = 0;       ///< passed over, as the source had said them before
  std::uint64_t commits = 0;
};

/// What a commit brought to one table.
struct TableLanded {
  std::uint64_t rows = 0;
  std::uint64_t quarantined = 0;
  std::int64_t newest = 0;          ///< commit time at the source of its newest change, µs since 1970; 0: unknown
};

/// Whether what was taken is all there is now: then its last transaction counts as ended.
enum class InputEnds : bool { kNo, kYes };

/// Gives the blocks that follow what was taken, as they are journaled, waiting for them; false: there are none for now.
/// Called by one thread at a time, which may not be the one that called Take(), while that one waits.
using MoreBlocks = std::function<bool(std::vector<journal::BlockPtr>&)>;

class Lander {
 public:
  virtual ~Lander() = default;
  /// kNotFound: nothing was applied yet.
  static Result<std::unique_ptr<Lander>> Open(lake::Writer& writer, std::shared_ptr<const contract::Contract> contract,
                                              const std::string& source);
  /// The first position that is not landed.
  virtual Position next() const = 0;
  /// The position after all that was taken, landed or not.
  virtual Position taken() const = 0;
  /// Takes blocks that follow each other (the first must hold next(), or what was taken last ends where it begins), and
  /// lands as far as a transaction of the source ends. A transaction larger than memory allows is landed in parts
  /// inside one commit. Where rows can be landed as they come (plain appends), the batch goes on with what `more` gives.
  virtual Status Take(std::vector<journal::BlockPtr> blocks, InputEnds ends = InputEnds::kNo, const MoreBlocks& more = nullptr) = 0;
  /// Lands what is in the journal already and not yet in the lake.
  virtual Status CatchUp(journal::Reader& reader) = 0;
  virtual const LandCounters& counters() const = 0;
  /// By table, what the commits since the last call brought.
  virtual std::map<std::string, TableLanded> TakeLanded() = 0;
};

}  // namespace nano::land
