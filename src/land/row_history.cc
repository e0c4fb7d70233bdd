// SPDX-License-Identifier: Apache-2.0
#include "land/row_history.h"

#include <fmt/format.h>

#include <deque>
#include <map>

#include "journal/journal.h"
#include "land/cell_rows.h"
#include "land/decide.h"
#include "land/record_events.h"
#include "land/table_sql.h"

namespace nano::land {
namespace {

using engine::Quote;
using wire::Cell;

constexpr std::size_t kSlice = 1000;   ///< rows whose expressions are tried in one statement

const char* OperationName(const Event& event, RecordKind kind) {
  if (kind == RecordKind::kTombstone) return "tombstone";
  switch (event.op) {
    case Op::kInsert: return "insert";
    case Op::kRead: return "read";
    case Op::kUpdate: return "update";
    case Op::kDelete: return "delete";
    case Op::kTruncate: return "truncate";
    case Op::kSnapshotBegin: return "snapshot";
    case Op::kReread: return "reread";
  }
  return "insert";
}

/// The history of one row as one source tells it.
class SourceHistory {
 public:
  SourceHistory(lake::Reader& lake, const std::string& source, RecordEvents& events, const RowMatcher& matcher, const ValueText& text,
                History& out)
      : lake_(lake), source_(source), events_(events), plan_(events.plan()), matcher_(matcher), text_(text), out_(out) {}

  Status Run(journal::Reader& journal, Position landed) {
    landed_ = landed;
    begin_ = out_.entries.size();
    ASSIGN(const journal::Tail tail, journal.Refresh());
    if (journal.whole_from().value > 0) out_.expired.push_back(source_);
    for (Position at = journal.first(); at < tail.end;) {
      ASSIGN(const auto block, journal.Read(at));
      if (!block) break;
      for (; at < block->end(); ++at.value)
        if (const auto n = static_cast<std::size_t>(at.value - block->begin().value); block->has(n)) TRY(Look(block->record(n), at));
      events_.Trim();
    }
    TRY(FillRows());
    return FillQuarantine();
  }

 private:
  /// Events of the record are decoded in memory that is used again; those of a record that counts are decoded once more, to stay.
  Status Look(const Record& record, Position at) {
    if (!events_.Concerns(record)) return {};
    scratch_.Reset();
    std::vector<Event> events;
    std::vector<Reject> rejects;
    TRY(events_.Add(record, at, scratch_, events, rejects));
    bool touched = false;
    for (const Event& event : events) touched = touched || Touches(event);
    if (!touched) return {};
    Record kept = record;
    kept.bytes = kept_.Keep(record.bytes);
    kept.key = kept_.Keep(record.key);
    kept.headers = kept_.Keep(record.headers);
    std::vector<Event> again;
    rejects.clear();
    TRY(events_.Add(kept, at, kept_, again, rejects));
    if (events.size() > again.size()) again.insert(again.begin(), events.front());   // a snapshot begins only once
    bool moves = false;   // an update that moves a row away is two events; the second says it all
    for (const Event& event : again) moves = moves || (matcher_.keyed() && event.old_key == matcher_.key());
    for (const Event& event : again)
      if (Touches(event) && !(moves && event.op == Op::kDelete)) TRY(AddEntry(kept, at, event, rejects));
    return {};
  }

  bool Touches(const Event& event) {
    if (event.op == Op::kTruncate) return true;
    if (event.op == Op::kSnapshotBegin || event.op == Op::kReread) return out_.entries.size() > begin_;
    if (matcher_.keyed()) return event.key == matcher_.key() || event.old_key == matcher_.key();
    return matcher_.Matches(plan_, event.after) || matcher_.Matches(plan_, event.before);
  }

  Status AddEntry(const Record& record, Position at, const Event& event, const std::vector<Reject>& rejects) {
    HistoryEntry entry;
    entry.source = source_;
    entry.stream = std::string(record.stream);
    entry.position = at;
    entry.committed_at = event.committed_at != kNoTime ? event.committed_at : record.committed_at;
    entry.operation = OperationName(event, record.kind);
    entry.message = std::string(record.bytes);
    entry.message_key = std::string(record.key);
    entry.has_message = record.has_value;
    entry.has_key = record.has_key;
    entry.landed = at < landed_;
    entry.moves_away = matcher_.keyed() && event.key != matcher_.key() && event.old_key == matcher_.key();
    if (!event.old_key.empty() && !entry.moves_away) old_keys_.push_back({out_.entries.size(), event.old_key_cells});
    if (event.rejected)
      for (const auto& reject : rejects) entry.misfits.push_back({reject.column, reject.value, reject.reason});
    entry.has_row = !event.rejected && !event.after.empty() && event.op != Op::kDelete;
    if (entry.has_row) rows_.push_back({event.after, event.row_position, event.committed_at, static_cast<std::int64_t>(out_.entries.size())});
    out_.entries.push_back(std::move(entry));
    return {};
  }

  /// Every column of every row, as text; where an expression fails there is no row.
  Status FillRows() {
    for (std::size_t begin = 0; begin < rows_.size(); begin += kSlice) {
      const std::vector<FinalRow> slice(rows_.begin() + static_cast<std::ptrdiff_t>(begin),
                                        rows_.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kSlice, rows_.size())));
      TRY(FillSlice(slice));
    }
    for (const auto& [entry, cells] : old_keys_) TRY(FillOldKey(out_.entries[entry], cells));
    return {};
  }

  Status FillSlice(const std::vector<FinalRow>& slice) {
    const Registered source(lake_.database(), MakeRowSource(plan_.inputs, slice, {}));
    std::string sql = "SELECT r._origin";
    for (const auto& output : plan_.outputs) {
      if (output.mark != lake::Mark::kNone) continue;   // landing says it, not the message
      const std::string value = output.expr.empty() ? fmt::format("r.i{}", output.input) : "TRY(" + output.value + ")";
      sql += ", " + text_(value, engine::SqlType(output.type));
      sql += output.expr.empty() ? ", NULL::VARCHAR" : ", CASE WHEN " + ExpressionFails(output) + " THEN coalesce(TRY(CAST((" + output.expr + ") AS VARCHAR)), '') END";
    }
    ASSIGN(const auto found, lake_.connection().Query(sql + " FROM " + WithFieldNames(plan_, source.relation()) + " r"));
    std::map<std::int64_t, std::span<Cell>> cells;
    for (const auto& row : slice) cells[row.origin] = row.cells;
    for (std::size_t r = 0; r < found.size(); ++r) TakeRow(found.rows[r], cells.at(found.integer(r, 0)), out_.entries[static_cast<std::size_t>(found.integer(r, 0))]);
    return {};
  }

  void TakeRow(const std::vector<std::optional<std::string>>& found, std::span<Cell> cells, HistoryEntry& entry) {
    std::size_t n = 0;
    for (const Output& output : plan_.outputs) {
      if (output.mark != lake::Mark::kNone) continue;
      bool unsent = output.expr.empty() && cells[output.input].kind == Cell::Kind::kUnchanged;
      for (const std::size_t input : output.reads) unsent = unsent || cells[input].kind == Cell::Kind::kUnchanged;
      const auto& fails = found[2 + 2 * n];
      if (fails && !unsent) entry.misfits.push_back({output.column, *fails, kExpressionFails});
      entry.row.push_back({output.column, unsent ? std::nullopt : found[1 + 2 * n], unsent});
      ++n;
    }
    if (entry.misfits.empty()) return;
    entry.row.clear();
    entry.has_row = false;
  }

  Status FillOldKey(HistoryEntry& entry, std::span<const Cell> cells) {
    std::vector<engine::RowSource::Column> columns;
    std::string list;
    for (std::size_t k = 0; k < plan_.key.size(); ++k) {
      columns.push_back({plan_.build.definition.key[k], plan_.inputs[plan_.key[k]].type});
      list += (k > 0 ? ", " : "") + text_(Quote(columns.back().name), engine::SqlType(columns.back().type));
    }
    const Registered source(lake_.database(), MakeCellSource(columns, {cells}));
    ASSIGN(const auto found, lake_.connection().Query("SELECT " + list + " FROM " + source.relation()));
    for (std::size_t k = 0; k < columns.size() && !found.empty(); ++k) entry.old_key.push_back({columns[k].name, found.rows[0][k], false});
    return {};
  }

  Status FillQuarantine() {
    std::map<std::uint64_t, std::vector<HistoryEntry*>> by_position;
    for (std::size_t n = begin_; n < out_.entries.size(); ++n) by_position[out_.entries[n].position.value].push_back(&out_.entries[n]);
    if (by_position.empty()) return {};
    ASSIGN(const auto found, lake_.connection().Query(
                                 "SELECT position, coalesce(\"column\", ''), coalesce(value, ''), reason FROM lake.nanohouse.quarantine "
                                 "WHERE source = ? AND (table_name = ? OR table_name IS NULL) ORDER BY position, \"column\", reason",
                                 {source_, plan_.table->name}));
    for (std::size_t r = 0; r < found.size(); ++r) {
      const auto at = by_position.find(static_cast<std::uint64_t>(found.integer(r, 0)));
      if (at == by_position.end()) continue;
      at->second.back()->quarantine.push_back({found.text(r, 1), found.text(r, 2), found.text(r, 3)});
    }
    return {};
  }

  lake::Reader& lake_;
  const std::string& source_;
  RecordEvents& events_;
  const TablePlan& plan_;
  const RowMatcher& matcher_;
  const ValueText& text_;
  History& out_;
  Position landed_;
  std::size_t begin_ = 0;
  Arena scratch_, kept_;
  std::vector<FinalRow> rows_;
  std::vector<std::pair<std::size_t, std::span<const Cell>>> old_keys_;
};

/// The rows that the table has now.
Status ReadNow(lake::Reader& lake, const TablePlan& plan, const RowMatcher& matcher, const ValueText& text, History& out) {
  std::vector<engine::RowSource::Column> columns;
  std::string equal;
  for (std::size_t n = 0; n < matcher.columns().size(); ++n) {
    columns.push_back({matcher.columns()[n], plan.inputs[matcher.inputs()[n]].type});
    equal += (n > 0 ? " AND t." : "t.") + Quote(columns[n].name) + " = s." + Quote(columns[n].name);
  }
  const Registered asked(lake.database(), MakeCellSource(columns, {matcher.cells()}));
  std::string list = "SELECT coalesce((SELECT any_value(name) FROM lake.nanohouse.source n WHERE n.number = t._position >> 48), ''), "
                     "t._position & 281474976710655";
  for (const auto& output : plan.outputs) list += ", " + text("t." + Quote(output.column), engine::SqlType(output.type));
  ASSIGN(const auto found, lake.connection().Query(list + " FROM " + lake::BuildTable(plan.build.id) + " t JOIN " + asked.relation() + " s ON " +
                                                   equal + " ORDER BY t._position"));
  for (std::size_t r = 0; r < found.size(); ++r) {
    PresentRow row{found.text(r, 0), Position{static_cast<std::uint64_t>(found.integer(r, 1))}, {}};
    for (std::size_t n = 0; n < plan.outputs.size(); ++n) row.values.push_back({plan.outputs[n].column, found.rows[r][n + 2], false});
    out.now.push_back(std::move(row));
  }
  return {};
}

}  // namespace

Result<History> ReadHistory(lake::Reader& lake, const contract::Layout& layout, const contract::Table& table,
                            const lake::Build& build, const std::vector<Condition>& conditions, const ValueText& text) {
  if (IsUndecided(build.definition))
    return WithHint(Fail(Code::kNotFound, "table \"{}\" has no columns yet: its source has said nothing", table.name), "Run `nanohouse ingest`.");
  History out;
  std::optional<RowMatcher> matcher;
  std::set<std::string> done;
  for (const auto& feed : table.sources) {
    if (!done.insert(feed.source).second) continue;
    ASSIGN(const auto number, lake.connection().Query("SELECT max(number) FROM lake.nanohouse.source WHERE name = ?", {feed.source}));
    ASSIGN(const auto events, RecordEvents::Make(table, build, feed.source, number.rows[0][0] ? number.integer(0, 0) : -1, lake.connection()));
    if (!matcher) {
      ASSIGN(matcher, RowMatcher::Make(events->plan(), conditions));
      out.keyed = matcher->keyed();
      out.key = matcher->columns();
      TRY(ReadNow(lake, events->plan(), *matcher, text, out));
    }
    auto journal = journal::Reader::Open(layout.journal(feed.source));
    if (!journal && journal.error().code == Code::kNotFound) continue;
    if (!journal) return tl::make_unexpected(std::move(journal).error());
    ASSIGN(const auto landed, lake.connection().Query("SELECT max(position) FROM lake.nanohouse.position WHERE source = ? AND lane = 'main'", {feed.source}));
    TRY(SourceHistory(lake, feed.source, *events, *matcher, text, out)
            .Run(**journal, Position{landed.rows[0][0] ? static_cast<std::uint64_t>(landed.integer(0, 0)) : 0}));
  }
  return out;
}

}  // namespace nano::land
