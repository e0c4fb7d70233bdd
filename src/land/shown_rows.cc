// SPDX-License-Identifier: Apache-2.0
#include "land/shown_rows.h"

#include <fmt/format.h>

#include "land/cell_rows.h"
#include "land/current_rows.h"
#include "land/decide.h"
#include "land/table_sql.h"

namespace nano::land {
namespace {

using engine::Quote;

/// Rows that are decoded before the engine takes them.
constexpr std::size_t kMostWaiting = 20'000;

std::string Text(const std::string& value, const DataType& type) {
  return type.kind == TypeKind::kBinary ? "'\\x' || lower(hex(" + value + "))" : "CAST(" + value + " AS VARCHAR)";
}

}  // namespace

Result<std::unique_ptr<ShownRows>> ShownRows::Make(const contract::Table& table, const lake::Build& build, const std::string& source,
                                                   engine::Database& database, engine::Connection& connection) {
  if (IsUndecided(build.definition))
    return WithHint(Fail(Code::kNotFound, "table \"{}\" has no columns yet: its source has said nothing", table.name), "Run `nanohouse ingest`.");
  std::unique_ptr<ShownRows> out(new ShownRows(database, connection));
  out->table_ = table;
  out->table_.on_new_field = contract::OnNewField::kIgnore;
  ASSIGN(const auto number, connection.Query("SELECT max(number) FROM lake.nanohouse.source WHERE name = ?", {source}));
  const std::int64_t mine = number.rows[0][0] ? number.integer(0, 0) : -1;
  if (table.sources.size() > 1) out->only_source_ = mine;
  ASSIGN(out->events_, RecordEvents::Make(out->table_, build, source, mine, connection));
  FactsOfStreams facts;
  TRY(facts.Load(connection, "lake.nanohouse.stream", source));
  for (const auto& feed : table.sources)
    if (feed.source == source && out->key_.empty()) out->key_ = RowKey(out->events_->plan(), facts.of(feed.stream).key);
  const TablePlan& plan = out->events_->plan();
  for (const auto& column : out->key_)
    for (const auto& output : plan.outputs)
      if (output.column == column) out->fields_.push_back(plan.inputs[output.input].path.front());
  TRY(out->Clear());
  return out;
}

ShownRows::~ShownRows() { (void)connection_.Execute("DROP TABLE IF EXISTS temp.nano_shown; DROP TABLE IF EXISTS temp.nano_unfit"); }

Status ShownRows::Clear() {
  rows_ = unfit_ = 0;
  waiting_.clear();
  unfit_keys_.clear();
  arena_.Reset();
  std::string columns, key;
  for (const auto& column : events_->plan().build.definition.columns)
    if (column.mark == lake::Mark::kNone) columns += (columns.empty() ? "" : ", ") + Quote(column.name) + " " + engine::SqlType(column.type);
  for (const auto& name : key_) key += (key.empty() ? "" : ", ") + Quote(name) + " " + engine::SqlType(events_->plan().build.definition.column(name)->type);
  TRY(connection_.Execute("CREATE OR REPLACE TEMP TABLE nano_shown (" + columns + ")"));
  return key.empty() ? Status() : connection_.Execute("CREATE OR REPLACE TEMP TABLE nano_unfit (" + key + ")");
}

Status ShownRows::Add(const Record& record) {
  Record kept = record;   // cells may lie in it
  const auto keep = [&](std::string_view text) {
    const auto copy = arena_.Array<char>(text.size() + journal::Block::kPadding);
    std::copy(text.begin(), text.end(), copy.begin());
    return std::string_view(copy.data(), text.size());
  };
  kept.bytes = keep(record.bytes);
  kept.key = keep(record.key);
  std::vector<Event> events;
  std::vector<Reject> rejects;
  TRY(events_->Add(kept, Position{}, arena_, events, rejects));
  ++rows_;
  if (events.empty() || events.back().rejected) {
    ++unfit_;
    if (!events.empty() && events.back().key_cells.size() == key_.size() && !key_.empty() && !events.back().key.empty()) unfit_keys_.push_back(events.back().key_cells);
  } else {
    waiting_.push_back({events.back().after, 0, kNoTime, -1});
  }
  return waiting_.size() + unfit_keys_.size() >= kMostWaiting ? Flush() : Status();
}

/// A row of which an expression fails does not fit either.
Status ShownRows::Flush() {
  const TablePlan& plan = events_->plan();
  if (!unfit_keys_.empty()) {
    std::vector<engine::RowSource::Column> columns;
    for (std::size_t k = 0; k < key_.size(); ++k) columns.push_back({key_[k], plan.inputs[plan.key[k]].type});
    const Registered keys(database_, MakeCellSource(columns, std::exchange(unfit_keys_, {})));
    TRY(connection_.Execute("INSERT INTO temp.nano_unfit SELECT * FROM " + keys.relation()));
  }
  if (!waiting_.empty()) {
    const Registered rows(database_, MakeRowSource(plan.inputs, waiting_, {}));
    std::string values, key, fails;
    for (const auto& output : plan.outputs) {
      if (output.mark != lake::Mark::kNone) continue;
      values += (values.empty() ? "" : ", ") + (output.expr.empty() ? fmt::format("r.i{}", output.input) : "TRY(" + output.value + ")");
      if (!output.expr.empty()) fails += (fails.empty() ? "(" : " OR (") + ExpressionFails(output) + ")";
    }
    const std::string from = " FROM " + WithFieldNames(plan, rows.relation()) + " r";
    TRY(connection_.Execute("INSERT INTO temp.nano_shown SELECT " + values + from + (fails.empty() ? "" : " WHERE NOT (" + fails + ")")));
    if (!fails.empty()) {
      for (const auto& name : key_)
        for (const auto& output : plan.outputs)
          if (output.column == name) key += (key.empty() ? "" : ", ") + fmt::format("r.i{}", output.input);
      if (!key.empty()) TRY(connection_.Execute("INSERT INTO temp.nano_unfit SELECT " + key + from + " WHERE " + fails));
      ASSIGN(const auto count, connection_.Query("SELECT count(*)" + from + " WHERE " + fails));
      unfit_ += static_cast<std::uint64_t>(count.integer(0, 0));
    }
  }
  waiting_.clear();
  arena_.Reset();
  events_->Trim();
  return {};
}

Result<std::vector<RowDifference>> ShownRows::Compare(std::size_t most, const std::vector<RowDifference>* only) {
  TRY(Flush());
  return key_.empty() ? CompareWholeRows(most) : CompareByKey(most, only);
}

/// A list of the key's values as text, of a relation `row`.
std::string ShownRows::KeyText(const std::string& row) const {
  std::string out;
  for (const auto& name : key_) out += (out.empty() ? "[" : ", ") + Text(row + "." + Quote(name), events_->plan().build.definition.column(name)->type);
  return out + "]";
}

Result<std::vector<RowDifference>> ShownRows::CompareByKey(std::size_t most, const std::vector<RowDifference>* only) {
  const TablePlan& plan = events_->plan();
  std::string differing, coalesced, narrowed;
  for (const auto& column : plan.build.definition.columns)
    if (column.mark == lake::Mark::kNone)
      differing += fmt::format("{}CASE WHEN s.{} IS DISTINCT FROM t.{} THEN {} END", differing.empty() ? "" : ", ", Quote(column.name), Quote(column.name), engine::Literal(column.name));
  if (only) {   // by the text of the key, which is how they are named
    std::string list;
    for (const auto& row : *only) {
      std::string key;
      for (const auto& value : row.key) key += (key.empty() ? "[" : ", ") + engine::Literal(value.value_or(""));
      list += (list.empty() ? "" : ", ") + key + "]";
    }
    TRY(connection_.Execute("CREATE OR REPLACE TEMP TABLE nano_asked AS SELECT unnest([" + list + "]) AS k"));
    narrowed = " WHERE " + KeyText("c") + " IN (SELECT k FROM temp.nano_asked)";
  }
  for (std::size_t k = 0; k < key_.size(); ++k) coalesced += fmt::format(", coalesce({0}[{1}], {2}[{1}])", "ks", k + 1, "kt");
  const std::string now = "(SELECT * FROM " + CurrentRows(plan, key_, only_source_) + " c" + narrowed + ")";
  const std::string unfit = "EXISTS (SELECT 1 FROM temp.nano_unfit u WHERE " + SameKey(key_, "u", "t") + ")";
  ASSIGN(const auto found, connection_.Query(fmt::format(
      "SELECT what, array_to_string(list_filter(cols, c -> c IS NOT NULL), chr(1)), state{} FROM ("
      "SELECT CASE WHEN t._position IS NULL THEN 0 WHEN s._nano_n IS NULL THEN 1 ELSE 2 END AS what, [{}] AS cols, "
      "concat(t._position, '/', md5(CAST(s AS VARCHAR))) AS state, {} AS ks, {} AS kt "
      "FROM (SELECT *, true AS _nano_n FROM temp.nano_shown) s FULL JOIN {} t ON {} "
      "WHERE (t._position IS NULL OR s._nano_n IS NULL OR NOT ({})) AND NOT (t._position IS NOT NULL AND {})) ORDER BY ALL LIMIT {}",
      coalesced, differing, KeyText("s"), KeyText("t"), now, SameKey(key_, "s", "t"), SameValues(plan, "s", "t"), unfit, most)));
  std::vector<RowDifference> out;
  for (std::size_t r = 0; r < found.size(); ++r) {
    RowDifference& row = out.emplace_back();
    row.what = static_cast<RowDifference::What>(found.integer(r, 0));
    if (row.what == RowDifference::What::kDiffers) {
      std::string_view names = found.rows[r][1] ? std::string_view(*found.rows[r][1]) : std::string_view();
      while (!names.empty()) {
        const std::size_t end = std::min(names.find('\1'), names.size());
        row.columns.emplace_back(names.substr(0, end));
        names.remove_prefix(std::min(end + 1, names.size()));
      }
    }
    row.state = found.text(r, 2);
    for (std::size_t k = 0; k < key_.size(); ++k) row.key.push_back(found.rows[r][3 + k]);
  }
  return out;
}

/// Equal rows are told apart by how many there are.
Result<std::vector<RowDifference>> ShownRows::CompareWholeRows(std::size_t most) {
  const TablePlan& plan = events_->plan();
  if (plan.keeps_events()) return std::vector<RowDifference>();   // which of its events are of one row nobody can tell
  const std::string columns = DataColumns(plan);
  std::string texts;
  std::size_t count = 0;
  for (const auto& column : plan.build.definition.columns) {
    if (column.mark != lake::Mark::kNone) continue;
    texts += ", " + Text(Quote(column.name), column.type);
    ++count;
  }
  ASSIGN(const auto found, connection_.Query(fmt::format(
      "SELECT sum(_nano_there), sum(_nano_here){0} FROM (SELECT {1}, 1 AS _nano_there, 0 AS _nano_here FROM temp.nano_shown UNION ALL SELECT {1}, 0, 1 FROM {2}) "
      "GROUP BY {1} HAVING sum(_nano_there) <> sum(_nano_here) ORDER BY ALL LIMIT {3}",
      texts, columns, CurrentRows(plan, {}, only_source_), most)));
  std::vector<RowDifference> out;
  for (std::size_t r = 0; r < found.size(); ++r) {
    const std::int64_t there = found.integer(r, 0), here = found.integer(r, 1);
    RowDifference& row = out.emplace_back();
    row.what = there > here ? RowDifference::What::kMissing : RowDifference::What::kExtra;
    row.times = static_cast<std::uint64_t>(there > here ? there - here : here - there);
    row.state = fmt::format("{}/{}", there, here);
    for (std::size_t n = 0; n < count; ++n) row.key.push_back(found.rows[r][2 + n]);
  }
  return out;
}

}  // namespace nano::land
