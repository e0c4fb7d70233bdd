// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which positions of a Singer stream hold records of which version, so that ACTIVATE_VERSION can take the rows of older
/// ones away: a row's `_position` is that of its last record. Records without a version are told apart only by where they
/// stand: those before the records of the version that is activated are older. A value; kept with the stream's facts.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "change/record.h"

namespace nano::land {

class StreamVersions {
 public:
  /// Nothing had a version yet, so nothing is known and nothing ever goes.
  bool empty() const { return runs_.empty(); }
  /// The record at `at` has this version. True: something new is known. `shared`: the table has rows of other streams in
  /// between, so rows before the first version are nobody's.
  bool Note(std::optional<std::int64_t> version, Position at, bool shared);
  /// Rows of another stream follow in the same table.  True: something new is known.
  bool Interrupt(Position at);
  /// The positions of rows that go when `version` becomes active at `at`; they are forgotten.
  std::vector<std::pair<Position, Position>> Activate(std::int64_t version, Position at);

  nlohmann::json ToJson() const;
  static StreamVersions FromJson(const nlohmann::json& json);

 private:
  static constexpr std::uint64_t kOpen = ~std::uint64_t{0};
  /// More than this are remembered of no stream; rows of the oldest then stay for good.
  static constexpr std::size_t kMostRuns = 4096;
  struct Run {
    std::optional<std::int64_t> version;
    std::uint64_t begin = 0, end = kOpen;
  };
  std::vector<Run> runs_;   ///< in order; only the last may be open
};

}  // namespace nano::land
