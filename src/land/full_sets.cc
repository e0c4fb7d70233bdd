// SPDX-License-Identifier: Apache-2.0
#include "land/full_sets.h"

#include <algorithm>

#include "land/cell_rows.h"
#include "land/staging.h"

namespace nano::land {
namespace {

std::string ColumnList(const TablePlan& plan, const std::string& prefix) {
  std::string out = prefix + lake::kPositionColumn + ", " + prefix + lake::kCommittedAtColumn;
  for (const auto& column : plan.build.definition.columns) out += ", " + prefix + engine::Quote(column.name);
  return out;
}

}  // namespace

std::vector<std::string> FullSets::StreamsOf(const TableState& state) const {
  std::vector<std::string> streams;
  for (const auto& feed : state.table->sources)
    if (feed.source == source_) streams.push_back(feed.stream);
  return streams;
}

SetFacts FullSets::FactsOf(const TableState& state, const std::string& stream) {
  const auto& sets = facts_.of(stream).sets;
  const auto at = sets.find(state.build.id);
  return at == sets.end() ? SetFacts() : at->second;
}

void FullSets::Step(const TableState& state, const std::string& stream, SetStep step) {
  if (FactsOf(state, stream).step == step) return;
  auto& sets = facts_.of(stream).sets;
  if (step == SetStep::kNone) sets.erase(state.build.id);
  else sets[state.build.id].step = step;
  facts_.Touch(stream);
}

bool FullSets::IsUnderWay(const TableState& state) {
  const auto streams = StreamsOf(state);
  return IsSet(state) && std::any_of(streams.begin(), streams.end(), [&](const auto& stream) { return FactsOf(state, stream).step != SetStep::kNone; });
}

bool FullSets::Takes(const TableState& state, const std::string& stream, std::optional<std::int64_t> version) {
  if (!IsSet(state)) return true;
  const SetFacts facts = FactsOf(state, stream);
  return facts.step == SetStep::kFilling && facts.version == version;
}

Status FullSets::RunBegins(std::list<TableState>& states) {
  for (const auto& state : states)
    for (const auto& stream : IsSet(state) ? StreamsOf(state) : std::vector<std::string>())
      if (FactsOf(state, stream).step != SetStep::kNone) Step(state, stream, SetStep::kHalted);
  return {};
}

Status FullSets::Announce(TableState& state, const std::string& stream) {
  if (!IsSet(state) || !state.plan) return {};
  const auto streams = StreamsOf(state);
  const SetStep step = FactsOf(state, stream).step;
  if (step == SetStep::kFilling || step == SetStep::kAnnounced) return {};
  if (streams.size() == 1 && step == SetStep::kHalted) {
    Step(state, stream, SetStep::kAnnounced);
    return {};
  }
  // Which rows of a halted set are whose is not known where several streams fill it: it begins anew with the first.
  const bool first = std::none_of(streams.begin(), streams.end(), [&](const auto& other) { return FactsOf(state, other).step == SetStep::kFilling; });
  if (first) {
    TRY(Empty(state));
    for (const auto& other : streams) Step(state, other, SetStep::kNone);
  }
  Step(state, stream, SetStep::kFilling);
  return {};
}

Status FullSets::Row(TableState& state, const std::string& stream, std::optional<std::int64_t> version) {
  if (!state.plan || Takes(state, stream, version)) return {};
  const SetStep step = FactsOf(state, stream).step;
  if (step == SetStep::kNone || step == SetStep::kHalted) TRY(Announce(state, stream));
  SetFacts& facts = facts_.of(stream).sets[state.build.id];
  if (facts.step == SetStep::kAnnounced && (!version || version != facts.version)) TRY(Empty(state));
  facts = {SetStep::kFilling, version};
  facts_.Touch(stream);
  return {};
}

Status FullSets::Activate(TableState& state, const std::string& stream, std::int64_t version) {
  const SetFacts facts = FactsOf(state, stream);
  if (facts.step == SetStep::kAnnounced && facts.version == version) Step(state, stream, SetStep::kFilling);
  return {};
}

Status FullSets::RunEnds(std::list<TableState>& states, std::int64_t at, std::int64_t row_position) {
  for (auto& state : states) {
    if (!IsSet(state) || !state.plan) continue;
    const auto streams = StreamsOf(state);
    for (const auto& stream : streams) {
      if (FactsOf(state, stream).step != SetStep::kAnnounced) continue;
      TRY(Empty(state));  // it was named, and has no rows any more
      Step(state, stream, SetStep::kFilling);
    }
    const auto filling = std::count_if(streams.begin(), streams.end(), [&](const auto& stream) { return FactsOf(state, stream).step == SetStep::kFilling; });
    if (filling == 0) continue;
    TRY(flush_(state));
    if (static_cast<std::size_t>(filling) == streams.size()) TRY(Complete(state, at, row_position));
    TRY(Drop(state));
    for (const auto& stream : streams) Step(state, stream, SetStep::kNone);
  }
  return {};
}

Status FullSets::Empty(TableState& state) {
  TRY(flush_(state));
  TRY(Drop(state));
  return lake::MakeTable(writer_, state.plan->target);
}

Status FullSets::Drop(TableState& state) {
  return writer_.connection().Execute("DROP TABLE IF EXISTS " + lake::BuildTable(state.plan->target.id));
}

/// `deletes` says what becomes of rows that the new set does not have.
Status FullSets::Complete(TableState& state, std::int64_t at, std::int64_t row_position) {
  const TablePlan& plan = *state.plan;
  const std::string set = lake::BuildTable(plan.target.id), table = lake::BuildTable(plan.build.id);
  lake::Staged staged;
  staged.truncate = true;
  if (state.table->sources.size() > 1) { ASSIGN(staged.truncate_source, writer_.SourceNumber(source_)); }
  const std::string rows = "SELECT " + ColumnList(plan, "s.") + " FROM " + set + " s";
  if (plan.deletes == contract::Deletes::kHard) {
    staged.rows = "(" + rows + ")";
    return writer_.lane().Apply(writer_, plan.build, staged);
  }
  Arena arena;
  Staging staging(writer_, plan, arena);
  std::string kept = "SELECT " + ColumnList(plan, "t.") + " FROM " + table + " t WHERE ";
  if (plan.is_soft())
    kept = "SELECT " + ColumnList(plan, "k.") + " FROM (SELECT t.* REPLACE (coalesce(t._deleted_at, n._at) AS _deleted_at, "
           "CASE WHEN t._deleted_at IS NULL THEN n._by ELSE t._position END AS _position, "
           "CASE WHEN t._deleted_at IS NULL THEN n._at ELSE t._committed_at END AS _committed_at) FROM " + table + " t, " +
           staging.Cause(at, row_position) +
           " n WHERE ";
  if (staged.truncate_source) kept += fmt::format("t._position >> 48 = {} AND ", *staged.truncate_source);
  kept += "NOT EXISTS (SELECT 1 FROM " + set + " s WHERE " + staging.KeyEqual("s", "t") + ")";
  if (plan.is_soft()) kept += ") k";
  TRY(writer_.connection().Execute("CREATE OR REPLACE TEMP TABLE nano_kept AS " + rows + " UNION ALL " + kept));
  staged.rows = "temp.nano_kept";
  TRY(writer_.lane().Apply(writer_, plan.build, staged));
  return writer_.connection().Execute("DROP TABLE temp.nano_kept");
}

}  // namespace nano::land
