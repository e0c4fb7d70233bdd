// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Tables whose rows a database says once more. They are put into a table of their own, beside the one that readers see,
/// and so is every change that comes meanwhile; readers see the old rows, which changes reach as ever. When all is said, one commit makes
/// the table what the source has: all rows are replaced, or only those that differ and those that are gone. How far it is
/// is kept with the streams' facts, in the commit of the rows, so a crash leaves nothing to guess. docs/adr/0024.

#include <functional>
#include <list>
#include <optional>
#include <string>

#include "lake/lane.h"
#include "land/stream_facts.h"
#include "land/table_state.h"

namespace nano::land {

class Rereads {
 public:
  using Flush = std::function<Status(TableState&)>;
  Rereads(lake::Writer& writer, FactsOfStreams& facts, std::string source, Flush flush)
      : writer_(writer), facts_(facts), source_(std::move(source)), flush_(std::move(flush)) {}

  /// Goes on with what an earlier lander began.
  Status Resume(TableState& state);
  /// From here on all rows of the stream are said; `compares`: only differences are to be written.
  Status Begin(TableState& state, const std::string& stream, bool compares);
  /// They have been. `at` and `row_position`: of rows that are gone. How many rows were written and removed, once all streams of the table have said so.
  struct Outcome {
    std::uint64_t written = 0, removed = 0;
  };
  Result<std::optional<Outcome>> End(TableState& state, const std::string& stream, std::int64_t at, std::int64_t row_position);
  /// Whether the stream's rows go beside the table.
  bool Takes(const TableState& state, const std::string& stream);
  /// The table beside follows the table to another definition. Nothing may wait in it.
  Status Revise(TableState& state, const lake::Build& after);

 private:
  std::vector<std::string> StreamsOf(const TableState& state) const;
  std::vector<std::string> KeyOf(const TableState& state);
  lake::Build BesideOf(const lake::Build& build, const std::vector<std::string>& key) const;
  Status Prepare(TableState& state);
  Status Drop(TableState& state);
  Result<Outcome> Complete(TableState& state, bool compares, std::int64_t at, std::int64_t row_position);

  lake::Writer& writer_;
  FactsOfStreams& facts_;
  std::string source_;
  Flush flush_;
};

}  // namespace nano::land
