// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One table's records of one source that wait in quarantine, decoded again by the plan of today, held against what the
/// journal says happened since, and landed. Runs in the writer's open transaction, in which their entries are gone.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "contract/layout.h"
#include "contract/model.h"
#include "lake/build.h"
#include "lake/lake.h"
#include "land/event.h"
#include "land/record_events.h"

namespace nano::land {

/// A record that is tried again, and what became of it.
struct Candidate {
  enum class State { kUntried, kFits, kStays, kLanded, kOvertaken };
  bool row_landed = false;         ///< only a new field of it was kept aside
  State state = State::kUntried;   ///< kUntried: the record is not there, or is nothing that the table takes
  Event event;
  std::vector<Reject> rejects;     ///< what of it does not fit now; one without a table: it is no readable message
  std::string overtaken_by;
};

class RetryTable {
 public:
  /// `waiting`: positions by source whose rows are in quarantine all the same, so that they did not land.
  using Waiting = std::map<std::string, std::set<std::uint64_t>>;

  RetryTable(lake::Writer& writer, const contract::Layout& layout, const contract::Table& table, const lake::Build& build, const std::string& source)
      : writer_(writer), layout_(layout), table_(table), build_(build), source_(source) {}

  Status Run(std::map<std::uint64_t, Candidate>& candidates, const Waiting& waiting);

 private:
  Status ReadJournal(std::map<std::uint64_t, Candidate>& candidates, const Waiting& waiting, class NewerEvents& newer);
  Status ReadOthers(const Waiting& waiting, class NewerEvents& newer);
  Status Take(const Record& record, Position at, Candidate& candidate, class NewerEvents& newer);
  Status JudgeLanded(std::map<std::uint64_t, Candidate>& candidates);
  Status Apply(std::map<std::uint64_t, Candidate>& candidates);

  lake::Writer& writer_;
  const contract::Layout& layout_;
  const contract::Table& table_;
  const lake::Build& build_;
  const std::string& source_;
  std::int64_t number_ = -1;
  std::unique_ptr<RecordEvents> events_;
  Arena kept_;
};

}  // namespace nano::land
