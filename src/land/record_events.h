// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Single records of a source as events of one table, decoded as landing decodes them: for those who look at records
/// again, to explain them or to land them after all. Where the table says `fail`, a misfit is told as in quarantine.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "change/record.h"
#include "land/event.h"
#include "land/plan.h"
#include "land/singer_row_reader.h"
#include "land/stream_facts.h"
#include "wire/debezium.h"

namespace nano::land {

class RecordEvents {
 public:
  /// What `table` takes from `source`, whose number is `number` (-1: none yet). The columns and the key must be known.
  static Result<std::unique_ptr<RecordEvents>> Make(const contract::Table& table, const lake::Build& build, const std::string& source,
                                                    std::int64_t number, engine::Connection& connection);
  RecordEvents(const RecordEvents&) = delete;
  RecordEvents& operator=(const RecordEvents&) = delete;

  const TablePlan& plan() const { return plan_; }
  /// Whether the record may change the table; those that were said before may not.
  bool Concerns(const Record& record) const;
  /// Adds the record's events, whose cells lie in the arena or in the record. Records must come in their order, so that
  /// the begin of a snapshot is known. What the record is no message for is told with no table.
  Status Add(const Record& record, Position position, Arena& arena, std::vector<Event>& events, std::vector<Reject>& rejects);
  /// Between records whose events are no longer in use.
  void Trim() { decoder_.Trim(); }

 private:
  RecordEvents() = default;
  Status AddDebezium(const Record& record, Position position, Arena& arena, std::vector<Event>& events, std::vector<Reject>& rejects);

  contract::Table table_;
  TablePlan plan_;
  std::set<std::string, std::less<>> streams_;
  std::int64_t number_ = -1;
  FactsOfStreams facts_;
  std::unique_ptr<SingerRowReader> reader_;
  wire::DebeziumDecoder decoder_;
  std::map<std::string, std::string> snapshots_;   ///< by stream: which one its last row came from
};

}  // namespace nano::land
