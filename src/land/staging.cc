// SPDX-License-Identifier: Apache-2.0
#include "land/staging.h"

#include <fmt/format.h>

#include <set>

#include "lake/lane.h"
#include "land/cell_rows.h"

namespace nano::land {

using engine::Quote;
using engine::RowSource;
using wire::Cell;

namespace {

const DataType kBigint{TypeKind::kBigint, 0, 0, {}, {}};

std::string MarkSql(lake::Mark mark) {
  switch (mark) {
    case lake::Mark::kDeletedAt: return "r._deleted_at";
    case lake::Mark::kOp: return "r._op";
    case lake::Mark::kValidFrom: return "r._committed_at";
    case lake::Mark::kValidTo:
    case lake::Mark::kNone: break;
  }
  return "CAST(NULL AS TIMESTAMPTZ)";
}

}  // namespace

Cell BigintCell(std::int64_t value) {
  Cell cell;
  cell.kind = Cell::Kind::kValue;
  cell.i64 = value;
  return cell;
}

Cell TextCell(std::string_view value) {
  Cell cell;
  cell.kind = Cell::Kind::kValue;
  cell.text = value;
  return cell;
}

Cell NullCell() {
  Cell cell;
  cell.kind = Cell::Kind::kNull;
  return cell;
}

std::string Staging::Hold(std::shared_ptr<RowSource> source) {
  return held_.emplace_back(writer_.database(), std::move(source)).relation();
}

std::string Staging::Keys(const std::vector<std::span<Cell>>& keys) {
  return Hold(MakeCellSource(KeyColumns({}), {keys.begin(), keys.end()}));
}

std::vector<RowSource::Column> Staging::KeyColumns(std::vector<RowSource::Column> columns) const {
  for (std::size_t k = 0; k < plan_.key.size(); ++k)
    columns.push_back({plan_.build.definition.key[k], plan_.inputs[plan_.key[k]].type});
  return columns;
}

std::string Staging::KeyEqual(const std::string& a, const std::string& b) const {
  std::string out;
  for (std::size_t k = 0; k < plan_.key.size(); ++k) {
    const std::string column = Quote(plan_.build.definition.key[k]);
    out += (out.empty() ? "" : " AND ") + a + "." + column + " = " + b + "." + column;
  }
  return out;
}

std::string Staging::KeyList(const std::string& prefix) const {
  std::string out;
  for (std::size_t k = 0; k < plan_.key.size(); ++k) out += (k == 0 ? "" : ", ") + prefix + Quote(plan_.build.definition.key[k]);
  return out;
}

Result<Staging::Select> Staging::Rows(const Resolved& resolved, const std::string& extra) {
  const std::vector<std::size_t> unsent = Unsent(resolved);
  const std::string rows = Hold(MakeRowSource(plan_.inputs, resolved.rows, unsent));
  std::string sql = SelectList(unsent) + extra + " FROM " + WithFieldNames(plan_, rows) + " r";
  if (unsent.empty()) return Select{std::move(sql), false};
  std::string old;  // under names that no field has
  for (std::size_t n = 0; n < plan_.outputs.size(); ++n) old += fmt::format(", t.{} AS o{}", Quote(plan_.outputs[n].column), n);
  ASSIGN(const std::string rows_of, RowsOf(Hold(Origins(resolved))));
  sql += " LEFT JOIN (SELECT t._n" + old + " FROM " + rows_of + " t) o ON o._n = r._origin";
  return Select{std::move(sql), true};
}

Result<std::string> Staging::RowsOf(const std::string& keys) {
  if (!plan_.is_history()) return writer_.lane().RowsOf(writer_, plan_.target, keys);
  return "(SELECT s._n, t.* FROM " + keys + " s JOIN " + table() + " t ON " + KeyEqual("s", "t") + " AND t.valid_to IS NULL)";
}

std::string Staging::Cause(std::int64_t at, std::int64_t row_position) {
  const auto row = arena_.Array<Cell>(2);
  row[0] = BigintCell(at);
  row[1] = BigintCell(row_position);
  return Hold(MakeCellSource({{"_at", {TypeKind::kTimestamptz, 0, 0, {}, {}}}, {"_by", kBigint}}, {row}));
}

std::string Staging::Vanished(const std::vector<Resolved::Vanished>& vanished) {
  rows_.push_back(std::make_unique<std::vector<FinalRow>>());  // through the same expressions; `_origin` says how many of each
  for (const auto& row : vanished) rows_.back()->push_back({row.cells, 0, kNoTime, row.times});
  return "(" + SelectList({}) + ", r._origin AS _times FROM " + WithFieldNames(plan_, Hold(MakeRowSource(plan_.inputs, *rows_.back(), {}))) + " r)";
}

std::vector<std::size_t> Staging::Unsent(const Resolved& resolved) const {
  std::vector<bool> some(plan_.inputs.size(), false);
  for (const auto& row : resolved.rows) {
    if (row.origin < 0) continue;
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      if (row.cells[i].kind == Cell::Kind::kUnchanged) some[i] = true;
  }
  std::vector<std::size_t> unsent;
  for (std::size_t i = 0; i < some.size(); ++i)
    if (some[i]) unsent.push_back(i);
  return unsent;
}

std::string Staging::SelectList(const std::vector<std::size_t>& unsent) const {
  const std::set<std::size_t> taken(unsent.begin(), unsent.end());
  std::string list = "SELECT r._position, r._committed_at";
  for (std::size_t n = 0; n < plan_.outputs.size(); ++n) {
    const Output& output = plan_.outputs[n];
    list += ", ";
    if (output.mark != lake::Mark::kNone) {
      list += MarkSql(output.mark);
    } else {
      const std::string value = output.expr.empty() ? fmt::format("r.i{}", output.input) : output.value;
      const std::size_t first = output.expr.empty() ? output.input : output.reads.empty() ? plan_.inputs.size() : output.reads[0];
      if (taken.count(first)) list += fmt::format("CASE WHEN r.u{} THEN o.o{} ELSE {} END", first, n, value);
      else list += value;
    }
    list += " AS " + Quote(output.column);
  }
  return list;
}

std::shared_ptr<RowSource> Staging::Origins(const Resolved& resolved) {
  std::vector<std::span<const Cell>> rows;
  for (std::size_t n = 0; n < resolved.origins.size(); ++n) {
    const auto row = arena_.Array<Cell>(plan_.key.size() + 1);
    row[0] = BigintCell(static_cast<std::int64_t>(n));
    for (std::size_t k = 0; k < plan_.key.size(); ++k) row[k + 1] = resolved.origins[n][k];
    rows.push_back(row);
  }
  return MakeCellSource(KeyColumns({{"_n", kBigint}}), std::move(rows));
}

}  // namespace nano::land
