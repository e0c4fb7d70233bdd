// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The whole sets that `mode: replace` tables take from one Singer source. A set is filled in a table of its own, which
/// nobody sees, from the first message of the table's streams in a run; when the run has ended well, its rows take the place of
/// those that the table had, in one commit. A run that failed leaves the table as it was: its set is forgotten when the
/// next run begins anew, or goes on where the rows of the next run have the version that its rows had. What is being
/// filled is kept with the streams' facts, in the commit of the rows.

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "lake/lane.h"
#include "land/stream_facts.h"
#include "land/table_state.h"

namespace nano::land {

class FullSets {
 public:
  using Flush = std::function<Status(TableState&)>;
  FullSets(lake::Writer& writer, FactsOfStreams& facts, std::string source, Flush flush)
      : writer_(writer), facts_(facts), source_(std::move(source)), flush_(std::move(flush)) {}

  /// Whether there is a set of the table, complete or not.
  bool IsUnderWay(const TableState& state);
  /// A run of the source begins; what is being filled is from one that did not end.
  Status RunBegins(std::list<TableState>& states);
  /// The run has said all. `at` and `row_position`: of rows that stay though the new set has them not.
  Status RunEnds(std::list<TableState>& states, std::int64_t at, std::int64_t row_position);
  /// The stream is named, by its SCHEMA.
  Status Announce(TableState& state, const std::string& stream);
  /// A row follows.
  Status Row(TableState& state, const std::string& stream, std::optional<std::int64_t> version);
  /// Rows of `version` are all there, also if this run sent none.
  Status Activate(TableState& state, const std::string& stream, std::int64_t version);
  /// Whether a row of this version goes into the set without further ado.
  bool Takes(const TableState& state, const std::string& stream, std::optional<std::int64_t> version);

 private:
  static bool IsSet(const TableState& state) { return state.table->mode == contract::Mode::kReplace; }
  std::vector<std::string> StreamsOf(const TableState& state) const;
  SetFacts FactsOf(const TableState& state, const std::string& stream);
  void Step(const TableState& state, const std::string& stream, SetStep step);
  Status Empty(TableState& state);
  Status Complete(TableState& state, std::int64_t at, std::int64_t row_position);
  Status Drop(TableState& state);

  lake::Writer& writer_;
  FactsOfStreams& facts_;
  std::string source_;
  Flush flush_;
};

}  // namespace nano::land
