// SPDX-License-Identifier: Apache-2.0
#include "land/apply.h"

#include <fmt/format.h>

#include <set>

#include "change/key.h"
#include "land/cell_rows.h"
#include "land/resolve.h"

namespace nano::land {
namespace {

using engine::Quote;
using engine::RowSource;
using wire::Cell;

/// Keeps a row source registered as long as it is in use.
class Registered {
 public:
  Registered(engine::Database& database, std::shared_ptr<RowSource> source)
      : database_(database), handle_(database.Register(std::move(source))) {}
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;
  ~Registered() { database_.Release(handle_); }
  std::string relation() const { return fmt::format("nano_rows({})", handle_); }

 private:
  engine::Database& database_;
  std::int64_t handle_;
};

const std::string& Expression(const Output& output) { return output.value; }

/// `FROM <relation>`, with the fields that expressions read under their own names.
std::string WithFieldNames(const TablePlan& plan, const std::string& relation) {
  std::set<std::string> named;
  std::string extra;
  for (const auto& output : plan.outputs)
    for (const auto& [field, sql] : output.fields)
      if (named.insert(field).second) extra += ", " + sql + " AS " + Quote(field);
  return "(SELECT *" + extra + " FROM " + relation + ")";
}

Cell Bigint(std::int64_t value) {
  Cell cell;
  cell.kind = Cell::Kind::kValue;
  cell.i64 = value;
  return cell;
}
Cell Text(std::string_view value) {
  Cell cell;
  cell.kind = Cell::Kind::kValue;
  cell.text = value;
  return cell;
}
Cell Null() {
  Cell cell;
  cell.kind = Cell::Kind::kNull;
  return cell;
}

const DataType kBigint{TypeKind::kBigint, 0, 0, {}, {}};
const DataType kString{TypeKind::kString, 0, 0, {}, {}};
const DataType kBinary{TypeKind::kBinary, 0, 0, {}, {}};
const DataType kTimestamptz{TypeKind::kTimestamptz, 0, 0, {}, {}};

class TableBatch {
 public:
  TableBatch(lake::Writer& writer, lake::Lane& lane, const TablePlan& plan, const std::string& source, std::vector<Event>& events,
             Arena& arena, std::vector<Reject>& rejects)
      : writer_(writer), lane_(lane), plan_(plan), source_(source), events_(events), arena_(arena), rejects_(rejects) {}

  Result<Applied> Run() {
    if (plan_.has_expressions) TRY(TryExpressions());
    ASSIGN(const Resolved resolved,
           Resolve(plan_, events_, arena_, [this](const auto& keys) { return AskLake(keys); },
                   [this](const Event& event, const std::string& column, const std::string& reason) {
                     AddReject(event, column, "", reason);
                   }));
    TRY(Write(resolved));
    return Applied{resolved.rows.size()};
  }

 private:
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
    const Registered source(writer_.database(), MakeRowSource(plan_.inputs, rows, {}));
    auto& connection = writer_.connection();
    TRY(connection.Execute("CREATE OR REPLACE TEMP TABLE nano_tried AS SELECT * FROM " + source.relation()));
    for (const auto& output : plan_.outputs) {
      if (output.expr.empty()) continue;
      std::string fails = "TRY(" + Expression(output) + ") IS NULL";
      if (!output.not_null) fails += " AND TRY((" + output.expr + ") IS NULL) IS NOT TRUE";
      ASSIGN(const auto bad, connection.Query("SELECT _origin, TRY(CAST((" + output.expr + ") AS VARCHAR)) FROM " +
                                              WithFieldNames(plan_, "temp.nano_tried") + " WHERE " + fails));
      for (std::size_t r = 0; r < bad.size(); ++r) {
        Event& event = events_[static_cast<std::size_t>(bad.integer(r, 0))];
        bool unsent = false;
        for (const std::size_t input : output.reads) unsent = unsent || event.after[input].kind == Cell::Kind::kUnchanged;
        if (unsent) continue;  // judged when the batch is resolved
        event.rejected = true;
        AddReject(event, output.column, bad.text(r, 1), "its expression fails, or gives a value that the column's type can't hold");
      }
    }
    return connection.Execute("DROP TABLE temp.nano_tried");
  }

  Result<std::vector<Origin>> AskLake(const std::vector<std::span<Cell>>& keys) {
    std::vector<std::span<const Cell>> rows;
    for (std::size_t n = 0; n < keys.size(); ++n) {
      const auto row = arena_.Array<Cell>(keys[n].size() + 2);
      row[0] = Bigint(static_cast<std::int64_t>(n));
      std::string bytes;
      for (std::size_t k = 0; k < keys[n].size(); ++k) {
        AppendKey(plan_.inputs[plan_.key[k]].type, keys[n][k], bytes);
        row[k + 2] = keys[n][k];
      }
      row[1] = Text(arena_.Keep(bytes));
      rows.push_back(row);
    }
    const Registered source(writer_.database(), MakeCellSource(KeyColumns({{"_n", kBigint}, {"_key", kBinary}}), std::move(rows)));
    std::string sql = "SELECT s._n, EXISTS (SELECT 1 FROM lake.nanohouse.quarantine q WHERE q.build = " + engine::Literal(plan_.build.id) +
                      " AND q.key = s._key AND q.source = " + engine::Literal(source_) +
                      " AND q.position > (t._position & 281474976710655))";
    std::vector<std::size_t> judged;
    for (std::size_t i = 0; i < plan_.inputs.size(); ++i) {
      const Output* output = plan_.DirectOutput(i);
      if (!output) continue;
      const std::string column = "t." + Quote(output->column);
      switch (output->type.kind) {
        case TypeKind::kString:
        case TypeKind::kJson: sql += ", coalesce(strlen(" + column + ") <= 20, true)"; break;
        case TypeKind::kBinary: sql += ", coalesce(octet_length(" + column + ") <= 20, true)"; break;
        case TypeKind::kList:
        case TypeKind::kMap: sql += ", coalesce(len(" + column + ") = 0, true)"; break;
        default: sql += ", " + column + " IS NULL"; break;
      }
      judged.push_back(i);
    }
    sql += " FROM " + source.relation() + " s JOIN " + lake::BuildTable(plan_.build.id) + " t ON " + KeyEqual("s", "t");
    ASSIGN(const auto found, writer_.connection().Query(sql));
    std::vector<Origin> origins(keys.size());
    for (std::size_t r = 0; r < found.size(); ++r) {
      Origin& origin = origins[static_cast<std::size_t>(found.integer(r, 0))];
      origin.exists = true;
      origin.doubtful = found.text(r, 1) == "true";
      origin.too_short.assign(plan_.inputs.size(), false);
      for (std::size_t j = 0; j < judged.size(); ++j) origin.too_short[judged[j]] = found.text(r, j + 2) == "true";
    }
    return origins;
  }

  std::vector<RowSource::Column> KeyColumns(std::vector<RowSource::Column> columns) const {
    for (std::size_t k = 0; k < plan_.key.size(); ++k)
      columns.push_back({plan_.build.definition.key[k], plan_.inputs[plan_.key[k]].type});
    return columns;
  }
  std::string KeyEqual(const std::string& a, const std::string& b) const {
    std::string out;
    for (const auto& key : plan_.build.definition.key)
      out += (out.empty() ? "" : " AND ") + a + "." + Quote(key) + " = " + b + "." + Quote(key);
    return out;
  }

  Status Write(const Resolved& resolved) {
    auto& connection = writer_.connection();
    lake::Staged staged;
    staged.truncate = resolved.truncate;
    if (plan_.table->sources.size() > 1) {
      ASSIGN(const std::int64_t number, writer_.SourceNumber(source_));
      staged.truncate_source = number;
    }
    std::vector<std::unique_ptr<Registered>> held;
    const auto hold = [&](std::shared_ptr<RowSource> source) {
      held.push_back(std::make_unique<Registered>(writer_.database(), std::move(source)));
      return held.back()->relation();
    };
    if (!resolved.removed.empty() && !(resolved.truncate && !staged.truncate_source))
      staged.removed = hold(MakeCellSource(KeyColumns({}), {resolved.removed.begin(), resolved.removed.end()}));
    std::vector<FinalRow> vanished;  // rows that go, through the same expressions; `_origin` says how many of each
    for (const auto& row : resolved.vanished) vanished.push_back({row.cells, 0, kNoTime, row.times});
    if (!vanished.empty())
      staged.vanished = "(" + SelectList({}) + ", r._origin AS _times FROM " +
                        WithFieldNames(plan_, hold(MakeRowSource(plan_.inputs, vanished, {}))) + " r)";
    if (resolved.rows.empty()) return lane_.Apply(writer_, plan_.build, staged);

    const std::vector<std::size_t> unsent = UnsentInputs(resolved);
    const std::string rows = hold(MakeRowSource(plan_.inputs, resolved.rows, unsent));
    const std::string select = SelectList(unsent) + " FROM " + WithFieldNames(plan_, rows) + " r";
    if (unsent.empty()) {
      staged.rows = "(" + select + ")";
      return lane_.Apply(writer_, plan_.build, staged);
    }
    // Values that are taken from the table's own rows must be read before these go.
    const std::string origins = hold(OriginSource(resolved));
    TRY(connection.Execute("CREATE OR REPLACE TEMP TABLE nano_staged AS " + select + " LEFT JOIN (SELECT s._n, t.* FROM " + origins +
                           " s JOIN " + lake::BuildTable(plan_.build.id) + " t ON " + KeyEqual("s", "t") + ") o ON o._n = r._origin"));
    staged.rows = "temp.nano_staged";
    TRY(lane_.Apply(writer_, plan_.build, staged));
    return connection.Execute("DROP TABLE temp.nano_staged");
  }

  std::vector<std::size_t> UnsentInputs(const Resolved& resolved) const {
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

  std::string SelectList(const std::vector<std::size_t>& unsent) const {
    const std::set<std::size_t> taken(unsent.begin(), unsent.end());
    std::string list = "SELECT r._position, r._committed_at";
    for (const auto& output : plan_.outputs) {
      const std::string value = output.expr.empty() ? fmt::format("r.i{}", output.input) : Expression(output);
      const std::size_t first = output.expr.empty() ? output.input : output.reads.empty() ? plan_.inputs.size() : output.reads[0];
      list += ", ";
      if (taken.count(first)) list += fmt::format("CASE WHEN r.u{} THEN o.{} ELSE {} END", first, Quote(output.column), value);
      else list += value;
      list += " AS " + Quote(output.column);
    }
    return list;
  }

  std::shared_ptr<RowSource> OriginSource(const Resolved& resolved) {
    std::vector<std::span<const Cell>> rows;
    for (std::size_t n = 0; n < resolved.origins.size(); ++n) {
      const auto row = arena_.Array<Cell>(plan_.key.size() + 1);
      row[0] = Bigint(static_cast<std::int64_t>(n));
      for (std::size_t k = 0; k < plan_.key.size(); ++k) row[k + 1] = resolved.origins[n][k];
      rows.push_back(row);
    }
    return MakeCellSource(KeyColumns({{"_n", kBigint}}), std::move(rows));
  }

  lake::Writer& writer_;
  lake::Lane& lane_;
  const TablePlan& plan_;
  const std::string& source_;
  std::vector<Event>& events_;
  Arena& arena_;
  std::vector<Reject>& rejects_;
};

}  // namespace

Result<Applied> ApplyEvents(lake::Writer& writer, lake::Lane& lane, const TablePlan& plan, const std::string& source,
                            std::vector<Event>& events, Arena& arena, std::vector<Reject>& rejects) {
  return TableBatch(writer, lane, plan, source, events, arena, rejects).Run();
}

Status Quarantine(lake::Writer& writer, const std::string& source, const std::vector<Reject>& rejects) {
  if (rejects.empty()) return {};
  Arena arena;
  std::vector<std::span<const Cell>> rows;
  for (const auto& reject : rejects) {
    const auto row = arena.Array<Cell>(10);
    row[0] = Text(source);
    row[1] = Bigint(static_cast<std::int64_t>(reject.position.value));
    row[2] = Text(reject.stream);
    row[3] = reject.table.empty() ? Null() : Text(reject.table);
    row[4] = reject.build.empty() ? Null() : Text(reject.build);
    row[5] = reject.column.empty() ? Null() : Text(reject.column);
    row[6] = Text(reject.value);
    row[7] = Text(reject.reason);
    row[8] = reject.key.empty() ? Null() : Text(reject.key);
    row[9] = reject.committed_at == kNoTime ? Null() : Bigint(reject.committed_at);
    rows.push_back(row);
  }
  const Registered registered(
      writer.database(),
      MakeCellSource({{"source", kString}, {"position", kBigint}, {"stream", kString}, {"table_name", kString}, {"build", kString},
                      {"column", kString}, {"value", kString}, {"reason", kString}, {"key", kBinary}, {"committed_at", kTimestamptz}},
                     std::move(rows)));
  return writer.connection().Execute("INSERT INTO lake.nanohouse.quarantine SELECT *, now() FROM " + registered.relation());
}

}  // namespace nano::land
