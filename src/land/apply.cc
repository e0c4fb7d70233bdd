// SPDX-License-Identifier: Apache-2.0
#include "land/apply.h"

#include <fmt/format.h>

#include <algorithm>

#include "change/key.h"
#include "lake/lane.h"
#include "land/cell_rows.h"
#include "land/history.h"
#include "land/removal.h"
#include "land/resolve.h"
#include "land/staging.h"
#include "land/table_sql.h"

namespace nano::land {
namespace {

using engine::Quote;
using wire::Cell;

const DataType kBigint{TypeKind::kBigint, 0, 0, {}, {}};
const DataType kString{TypeKind::kString, 0, 0, {}, {}};
const DataType kBinary{TypeKind::kBinary, 0, 0, {}, {}};
const DataType kTimestamptz{TypeKind::kTimestamptz, 0, 0, {}, {}};

class TableBatch {
 public:
  TableBatch(lake::Writer& writer, const TablePlan& plan, const std::string& source, std::vector<Event>& events,
             Arena& arena, std::vector<Reject>& rejects)
      : writer_(writer), plan_(plan), source_(source), events_(events), arena_(arena), rejects_(rejects) {}

  Result<Applied> Run() {
    if (plan_.deletes == contract::Deletes::kIgnore)
      std::erase_if(events_, [](const Event& event) { return event.op == Op::kDelete || event.op == Op::kTruncate; });
    if (plan_.has_expressions) TRY(TryExpressions());
    Applied applied;
    if (!plan_.is_soft() && !plan_.is_history()) {
      TRY(ApplyPart(events_, applied));
      return applied;
    }
    // What goes all at once leaves a trace in rows of the lake, so the events before it must be in there.
    std::vector<Event> part;
    for (const Event& event : events_) {
      if (event.op != Op::kTruncate && event.op != Op::kSnapshotBegin) {
        part.push_back(event);
        continue;
      }
      TRY(ApplyPart(part, applied));
      part.clear();
      TRY(RemoveAll(event));
    }
    TRY(ApplyPart(part, applied));
    return applied;
  }

 private:
  Status ApplyPart(std::vector<Event>& events, Applied& applied) {
    if (events.empty()) return {};
    ASSIGN(const Resolved resolved,
           Resolve(plan_, events, arena_, [this](const auto& keys) { return AskLake(keys); },
                   [this](const Event& event, const std::string& column, const std::string& reason) {
                     AddReject(event, column, "", reason);
                   }));
    applied.rows += resolved.rows.size();
    if (!plan_.is_history()) return Write(resolved);
    const bool versioned = std::any_of(events.begin(), events.end(), [](const Event& event) { return event.versioned; });
    return WriteHistory(writer_, plan_, resolved, versioned ? Refresh::kYes : Refresh::kNo, arena_);
  }

  Status RemoveAll(const Event& event) {
    Going going;
    going.row_position = event.row_position;
    going.at = event.committed_at;
    going.but_deleted = event.op == Op::kSnapshotBegin;
    ASSIGN(going.only_source, OnlySource());
    return RemoveRows(writer_, plan_, going, arena_);
  }

  /// The source's number, where the table has rows of other ones.
  Result<std::optional<std::int64_t>> OnlySource() {
    if (plan_.table->sources.size() < 2) return std::optional<std::int64_t>();
    ASSIGN(const std::int64_t number, writer_.SourceNumber(source_));
    return std::optional(number);
  }

  void AddReject(const Event& event, const std::string& column, const std::string& value, const std::string& reason) {
    rejects_.push_back({"", plan_.table->name, plan_.build.id, column, value, reason, event.position, event.committed_at,
                        std::string(event.key)});
  }

  /// Marks the events whose expressions fail: DuckDB evaluates them all at once.
  Status TryExpressions() {
    std::vector<FinalRow> rows;
    for (std::size_t i = 0; i < events_.size(); ++i)
      if (!events_[i].rejected && !events_[i].after.empty() && events_[i].op != Op::kDelete)
        rows.push_back({events_[i].after, 0, kNoTime, static_cast<std::int64_t>(i)});
    if (rows.empty()) return {};
    Staging staging(writer_, plan_, arena_);
    auto& connection = writer_.connection();
    TRY(connection.Execute("CREATE OR REPLACE TEMP TABLE nano_tried AS SELECT * FROM " + staging.Hold(MakeRowSource(plan_.inputs, rows, {}))));
    for (const auto& output : plan_.outputs) {
      if (output.expr.empty()) continue;
      ASSIGN(const auto bad, connection.Query("SELECT _origin, TRY(CAST((" + output.expr + ") AS VARCHAR)) FROM " +
                                              WithFieldNames(plan_, "temp.nano_tried") + " WHERE " + ExpressionFails(output)));
      for (std::size_t r = 0; r < bad.size(); ++r) {
        Event& event = events_[static_cast<std::size_t>(bad.integer(r, 0))];
        bool unsent = false;
        for (const std::size_t input : output.reads) unsent = unsent || event.after[input].kind == Cell::Kind::kUnchanged;
        if (unsent) continue;  // judged when the batch is resolved
        event.rejected = true;
        AddReject(event, output.column, bad.text(r, 1), kExpressionFails);
      }
    }
    return connection.Execute("DROP TABLE temp.nano_tried");
  }

  Result<std::vector<Origin>> AskLake(const std::vector<std::span<Cell>>& keys) {
    std::vector<std::span<const Cell>> rows;
    for (std::size_t n = 0; n < keys.size(); ++n) {
      const auto row = arena_.Array<Cell>(keys[n].size() + 2);
      row[0] = BigintCell(static_cast<std::int64_t>(n));
      std::string bytes;
      for (std::size_t k = 0; k < keys[n].size(); ++k) {
        AppendKey(plan_.inputs[plan_.key[k]].type, keys[n][k], bytes);
        row[k + 2] = keys[n][k];
      }
      row[1] = TextCell(arena_.Keep(bytes));
      rows.push_back(row);
    }
    Staging staging(writer_, plan_, arena_);
    const std::string source = staging.Hold(MakeCellSource(staging.KeyColumns({{"_n", kBigint}, {"_key", kBinary}}), rows));
    ASSIGN(const std::string rows_of, staging.RowsOf(source));
    std::string sql = "SELECT t._n, EXISTS (SELECT 1 FROM lake.nanohouse.quarantine q WHERE q.build = " + engine::Literal(plan_.build.id) +
                      " AND q.key = s._key AND q.source = " + engine::Literal(source_) +
                      " AND q.position > (t._position & 281474976710655)), t._position & 281474976710655" +
                      (plan_.is_soft() ? ", t._deleted_at IS NOT NULL" : ", false");
    std::vector<std::size_t> judged;
    for (std::size_t i = 0; i < plan_.inputs.size(); ++i) {
      const Output* output = plan_.DirectOutput(i);
      if (!output) continue;
      const std::string column = "t." + Quote(output->column);
      switch (output->type.kind) {
        case TypeKind::kString:
        case TypeKind::kJson: sql += ", coalesce(strlen(" + column + ") <= 20, true)"; break;
        case TypeKind::kBinary: sql += ", coalesce(octet_length(" + column + ") <= 20, true)"; break;
        case TypeKind::kList: sql += ", coalesce(len(" + column + ") = 0, true)"; break;
        case TypeKind::kMap: sql += ", coalesce(cardinality(" + column + ") = 0, true)"; break;
        default: sql += ", " + column + " IS NULL"; break;
      }
      judged.push_back(i);
    }
    sql += " FROM " + rows_of + " t JOIN " + source + " s ON s._n = t._n";
    ASSIGN(const auto found, writer_.connection().Query(sql));
    std::vector<Origin> origins(keys.size());
    for (std::size_t r = 0; r < found.size(); ++r) {
      Origin& origin = origins[static_cast<std::size_t>(found.integer(r, 0))];
      origin.exists = true;
      origin.doubtful = found.text(r, 1) == "true" || RejectedBefore(rows[static_cast<std::size_t>(found.integer(r, 0))][1].text, found.integer(r, 2));
      origin.deleted = found.text(r, 3) == "true";
      origin.too_short.assign(plan_.inputs.size(), false);
      for (std::size_t j = 0; j < judged.size(); ++j) origin.too_short[judged[j]] = found.text(r, j + 4) == "true";
    }
    return origins;
  }

  /// Whether an earlier part of the same transaction rejected a newer row of this key: quarantine does not show it yet.
  bool RejectedBefore(std::string_view key, std::int64_t row_position) const {
    return std::any_of(rejects_.begin(), rejects_.end(), [&](const Reject& reject) {
      return reject.key == key && reject.build == plan_.build.id && static_cast<std::int64_t>(reject.position.value) > row_position &&
             reject.position < events_.front().position;
    });
  }

  Status Write(const Resolved& resolved) {
    lake::Staged staged;
    staged.truncate = resolved.truncate;
    ASSIGN(staged.truncate_source, OnlySource());
    Staging staging(writer_, plan_, arena_);
    if (!resolved.removed.empty() && !(resolved.truncate && !staged.truncate_source)) staged.removed = staging.Keys(resolved.removed);
    if (!resolved.vanished.empty()) staged.vanished = staging.Vanished(resolved.vanished);
    if (resolved.rows.empty()) return writer_.lane().Apply(writer_, plan_.target, staged);
    ASSIGN(const Staging::Select rows, staging.Rows(resolved));
    if (!rows.reads_table) {
      staged.rows = "(" + rows.sql + ")";
      return writer_.lane().Apply(writer_, plan_.target, staged);
    }
    // Values that are taken from the table's own rows must be read before these go.
    TRY(staging.connection().Execute("CREATE OR REPLACE TEMP TABLE nano_staged AS " + rows.sql));
    staged.rows = "temp.nano_staged";
    TRY(writer_.lane().Apply(writer_, plan_.target, staged));
    return staging.connection().Execute("DROP TABLE temp.nano_staged");
  }

  lake::Writer& writer_;
  const TablePlan& plan_;
  const std::string& source_;
  std::vector<Event>& events_;
  Arena& arena_;
  std::vector<Reject>& rejects_;
};

}  // namespace

Result<Applied> ApplyEvents(lake::Writer& writer, const TablePlan& plan, const std::string& source,
                            std::vector<Event>& events, Arena& arena, std::vector<Reject>& rejects) {
  return TableBatch(writer, plan, source, events, arena, rejects).Run();
}

Status Quarantine(lake::Writer& writer, const std::string& source, std::span<const Reject> rejects) {
  if (rejects.empty()) return {};
  Arena arena;
  std::vector<std::span<const Cell>> rows;
  for (const auto& reject : rejects) {
    const auto row = arena.Array<Cell>(10);
    row[0] = TextCell(source);
    row[1] = BigintCell(static_cast<std::int64_t>(reject.position.value));
    row[2] = TextCell(reject.stream);
    row[3] = reject.table.empty() ? NullCell() : TextCell(reject.table);
    row[4] = reject.build.empty() ? NullCell() : TextCell(reject.build);
    row[5] = reject.column.empty() ? NullCell() : TextCell(reject.column);
    row[6] = TextCell(reject.value);
    row[7] = TextCell(reject.reason);
    row[8] = reject.key.empty() ? NullCell() : TextCell(reject.key);
    row[9] = reject.committed_at == kNoTime ? NullCell() : BigintCell(reject.committed_at);
    rows.push_back(row);
  }
  const std::int64_t handle = writer.database().Register(
      MakeCellSource({{"source", kString}, {"position", kBigint}, {"stream", kString}, {"table_name", kString}, {"build", kString},
                      {"column", kString}, {"value", kString}, {"reason", kString}, {"key", kBinary}, {"committed_at", kTimestamptz}},
                     std::move(rows)));
  const Status inserted = writer.Append("nanohouse", "quarantine", fmt::format("SELECT *, now() FROM nano_rows({})", handle));
  writer.database().Release(handle);
  return inserted;
}

}  // namespace nano::land
