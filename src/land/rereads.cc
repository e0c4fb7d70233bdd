// SPDX-License-Identifier: Apache-2.0
#include "land/rereads.h"

#include <algorithm>

#include "land/current_rows.h"
#include "land/history.h"
#include "land/staging.h"

namespace nano::land {
namespace {

using engine::Quote;

/// Makes the table what the rows beside it say.
class Completion {
 public:
  Completion(lake::Writer& writer, const TableState& state, std::vector<std::string> key, std::optional<std::int64_t> only_source)
      : writer_(writer), connection_(writer.connection()), plan_(*state.plan), beside_(lake::BuildTable(state.beside->plan->target.id)), key_(std::move(key)),
        only_source_(only_source), now_(CurrentRows(plan_, key_, only_source)) {}

  Result<Rereads::Outcome> Run(bool compares, std::int64_t at, std::int64_t row_position) {
    const bool replaces = !compares && !plan_.is_history();
    if (key_.empty() && !plan_.keeps_events()) TRY(FindByWholeRow());
    else TRY(FindByKey(replaces));
    ASSIGN(const auto counts, connection_.Query("SELECT (SELECT count(*) FROM temp.nano_changed), (SELECT count(*) FROM temp.nano_left)"));
    const Rereads::Outcome outcome{static_cast<std::uint64_t>(counts.integer(0, 0)), static_cast<std::uint64_t>(counts.integer(0, 1))};
    TRY(Write(replaces, at, row_position));
    TRY(connection_.Execute("DROP TABLE temp.nano_changed; DROP TABLE temp.nano_left"));
    return outcome;
  }

 private:
  bool keeps_rows() const { return plan_.deletes == contract::Deletes::kIgnore; }

  /// temp.nano_changed: rows to write; temp.nano_left: rows of the table that the source has no more.
  Status FindByKey(bool replaces) {
    std::string changed = "SELECT s.* FROM " + beside_ + " s";
    if (!replaces && !key_.empty())
      changed += " LEFT JOIN " + now_ + " t ON " + SameKey(key_, "s", "t") + " WHERE t._position IS NULL OR NOT (" + SameValues(plan_, "s", "t") + ")";
    TRY(connection_.Execute("CREATE OR REPLACE TEMP TABLE nano_changed AS " + changed));
    const std::string gone = key_.empty() || keeps_rows() ? "false" : "NOT EXISTS (SELECT 1 FROM " + beside_ + " s WHERE " + SameKey(key_, "s", "t") + ")";
    return connection_.Execute("CREATE OR REPLACE TEMP TABLE nano_left AS SELECT t.* FROM " + now_ + " t WHERE " + gone);
  }

  /// Equal rows are told apart by how many there are.
  Status FindByWholeRow() {
    const auto counted = [&](const std::string& relation) {
      return "(SELECT *, row_number() OVER (PARTITION BY " + DataColumns(plan_) + ") AS _nano_n FROM " + relation + ")";
    };
    const auto without = [&](const std::string& these, const std::string& those) {
      return "SELECT a.* EXCLUDE (_nano_n) FROM " + counted(these) + " a WHERE NOT EXISTS (SELECT 1 FROM " + counted(those) + " b WHERE a._nano_n = b._nano_n AND " +
             SameValues(plan_, "a", "b") + ")";
    };
    TRY(connection_.Execute("CREATE OR REPLACE TEMP TABLE nano_changed AS " + without(beside_, now_)));
    return connection_.Execute("CREATE OR REPLACE TEMP TABLE nano_left AS " + without(now_, beside_) + (keeps_rows() ? " AND false" : ""));
  }

  /// The build's columns of rows as the source has them; `op` where events are told apart.
  std::string Columns(const std::string& deleted_at, const char* op) const {
    std::string out;
    for (const auto& column : plan_.build.definition.columns) {
      out += ", ";
      switch (column.mark) {
        case lake::Mark::kNone: out += Quote(column.name); break;
        case lake::Mark::kDeletedAt: out += deleted_at; break;
        case lake::Mark::kOp: out += std::string("'") + op + "'"; break;
        case lake::Mark::kValidFrom: out += "_committed_at"; break;
        case lake::Mark::kValidTo: out += "CAST(NULL AS TIMESTAMPTZ)"; break;
      }
      out += " AS " + Quote(column.name);
    }
    return out;
  }

  std::string Keys(const std::string& relation) const {
    std::string out;
    for (const auto& column : key_) out += (out.empty() ? "SELECT " : ", ") + Quote(column);
    return out + " FROM " + relation;
  }

  Status Write(bool replaces, std::int64_t at, std::int64_t row_position) {
    Arena arena;
    Staging staging(writer_, plan_, arena);
    const std::string present = "SELECT _position, _committed_at" + Columns("CAST(NULL AS TIMESTAMPTZ)", "r") + " FROM temp.nano_changed";
    const std::string gone = "SELECT n._by AS _position, n._at AS _committed_at" + Columns("n._at", "d") + " FROM temp.nano_left l, " +
                             staging.Cause(at, row_position) + " n";
    if (plan_.is_history()) {
      const std::string states = "SELECT *, false AS _nano_gone FROM (" + present + ") UNION ALL SELECT *, true FROM (" + gone + ")";
      return WriteHistory(writer_, plan_, "(" + Keys("temp.nano_changed") + " UNION " + Keys("temp.nano_left") + ")", states, Refresh::kNo, arena);
    }
    lake::Staged staged;
    staged.rows = plan_.is_soft() || plan_.keeps_events() ? "(" + present + " UNION ALL " + gone + ")" : "(" + present + ")";
    if (plan_.keeps_events()) return writer_.lane().Apply(writer_, plan_.build, staged);
    if (key_.empty()) {
      std::string columns;
      for (const auto& column : plan_.build.definition.columns) columns += (columns.empty() ? "" : ", ") + Quote(column.name);
      staged.vanished = "(SELECT " + columns + ", count(*) AS _times FROM temp.nano_left GROUP BY ALL)";
    } else if (replaces && !plan_.is_soft() && !keeps_rows()) {
      staged.truncate = true;
      staged.truncate_source = only_source_;
    } else {
      staged.removed = "(" + Keys("temp.nano_changed") + " UNION ALL " + Keys("temp.nano_left") + ")";
    }
    return writer_.lane().Apply(writer_, plan_.build, staged);
  }

  lake::Writer& writer_;
  engine::Connection& connection_;
  const TablePlan& plan_;
  const std::string beside_;
  const std::vector<std::string> key_;
  const std::optional<std::int64_t> only_source_;
  const std::string now_;
};

}  // namespace

std::vector<std::string> Rereads::StreamsOf(const TableState& state) const {
  std::vector<std::string> streams;
  for (const auto& feed : state.table->sources)
    if (feed.source == source_) streams.push_back(feed.stream);
  return streams;
}

std::vector<std::string> Rereads::KeyOf(const TableState& state) {
  for (const auto& stream : StreamsOf(state))
    if (const auto& facts = facts_.of(stream); facts.seen) return RowKey(*state.plan, facts.key);
  return RowKey(*state.plan, {});
}

/// The table's columns that the source fills, with rows known as it knows them.
lake::Build Rereads::BesideOf(const lake::Build& build, const std::vector<std::string>& key) const {
  lake::Build beside = build;
  beside.id += "_reread_" + source_;
  auto& definition = beside.definition;
  std::erase_if(definition.columns, [](const lake::BuildColumn& column) { return column.mark != lake::Mark::kNone; });
  if (!key.empty()) definition.identity = lake::Identity::kKey;
  definition.key = key;
  definition.partition_by.clear();
  definition.sort_by.clear();
  return beside;
}

Status Rereads::Prepare(TableState& state) {
  auto beside = std::make_unique<TableState>();
  auto table = std::make_unique<contract::Table>(*state.table);
  table->mode = contract::Mode::kUpsert;
  table->deletes = contract::Deletes::kHard;
  const lake::Build target = BesideOf(state.build, KeyOf(state));
  beside->build = {state.build.id, state.build.revision, target.definition};   // what does not fit is noted of the table itself
  ASSIGN(beside->plan, MakePlan(*table, beside->build, source_));
  beside->plan->target = target;
  beside->table = table.get();
  beside->own_table = std::move(table);
  state.beside = std::move(beside);
  return {};
}

Status Rereads::Resume(TableState& state) {
  state.beside.reset();
  const auto streams = StreamsOf(state);
  const bool begun = state.plan && std::any_of(streams.begin(), streams.end(), [&](const auto& stream) { return facts_.of(stream).rereads.contains(state.build.id); });
  return begun ? Prepare(state) : Status();
}

Status Rereads::Begin(TableState& state, const std::string& stream, bool compares) {
  if (!state.plan) return {};   // nothing of it is known, so there is no row to keep
  const bool again = !state.beside || facts_.of(stream).rereads.contains(state.build.id);
  if (again) {
    TRY(flush_(state));
    if (state.beside) TRY(Drop(state));
    TRY(Prepare(state));
    TRY(writer_.connection().Execute("DROP TABLE IF EXISTS " + lake::BuildTable(state.beside->plan->target.id)));
    TRY(lake::MakeTable(writer_, state.beside->plan->target));
  }
  facts_.of(stream).rereads[state.build.id] = {compares, false};
  facts_.Touch(stream);
  return {};
}

bool Rereads::Takes(const TableState& state, const std::string& stream) {
  return state.beside && facts_.of(stream).rereads.contains(state.build.id);
}

Result<std::optional<Rereads::Outcome>> Rereads::End(TableState& state, const std::string& stream, std::int64_t at, std::int64_t row_position) {
  if (!Takes(state, stream)) return std::optional<Outcome>();
  facts_.of(stream).rereads[state.build.id].all_said = true;
  facts_.Touch(stream);
  bool all = true, compares = false;
  for (const auto& other : StreamsOf(state)) {
    const auto& rereads = facts_.of(other).rereads;
    const auto found = rereads.find(state.build.id);
    all = all && found != rereads.end() && found->second.all_said;
    compares = compares || (found != rereads.end() && found->second.compares);
  }
  if (!all) return std::optional<Outcome>();
  TRY(flush_(state));
  ASSIGN(const Outcome outcome, Complete(state, compares, at, row_position));
  TRY(Drop(state));
  return std::optional(outcome);
}

Result<Rereads::Outcome> Rereads::Complete(TableState& state, bool compares, std::int64_t at, std::int64_t row_position) {
  std::optional<std::int64_t> only_source;
  if (state.table->sources.size() > 1) { ASSIGN(only_source, writer_.SourceNumber(source_)); }
  return Completion(writer_, state, KeyOf(state), only_source).Run(compares, at, row_position);
}

Status Rereads::Drop(TableState& state) {
  TRY(writer_.connection().Execute("DROP TABLE IF EXISTS " + lake::BuildTable(state.beside->plan->target.id)));
  state.beside.reset();
  for (const auto& stream : StreamsOf(state))
    if (facts_.of(stream).rereads.erase(state.build.id) > 0) facts_.Touch(stream);
  return {};
}

Status Rereads::Revise(TableState& state, const lake::Build& after) {
  if (!state.beside) return {};
  const lake::Build before = state.beside->plan->target;
  return lake::ReviseTable(writer_, before, BesideOf(after, before.definition.key));
}

}  // namespace nano::land
