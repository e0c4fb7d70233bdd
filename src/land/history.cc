// SPDX-License-Identifier: Apache-2.0
#include "land/history.h"

#include <fmt/format.h>

#include "land/staging.h"

namespace nano::land {
namespace {

using engine::Quote;

/// The build's columns without the marks, each after `prefix`, and what makes two rows the same state.
struct Columns {
  std::string list, same;
};

Columns ColumnsOf(const TablePlan& plan) {
  Columns out;
  for (const auto& column : plan.build.definition.columns) {
    if (column.mark != lake::Mark::kNone) continue;
    const std::string name = Quote(column.name);
    out.list += ", " + name;
    out.same += " AND " + name + " IS NOT DISTINCT FROM lag(" + name + ") OVER w";
  }
  return out;
}

/// The columns of the build, in its order, of rows of temp.nano_states.
std::string BuildColumns(const TablePlan& plan) {
  std::string out;
  for (const auto& column : plan.build.definition.columns) {
    out += ", ";
    if (column.mark == lake::Mark::kValidFrom) out += "_nano_at";
    else if (column.mark == lake::Mark::kValidTo) out += "_nano_until";
    else out += Quote(column.name);
  }
  return out;
}

}  // namespace

Status WriteHistory(lake::Writer& writer, const TablePlan& plan, const Resolved& resolved, Refresh refresh, Arena& arena) {
  if (resolved.rows.empty()) return {};
  Staging staging(writer, plan, arena);
  ASSIGN(const Staging::Select states, staging.Rows(resolved, ", r._deleted_at IS NOT NULL AS _nano_gone"));
  return WriteHistory(writer, plan, staging.Keys(resolved.removed), states.sql, refresh, arena);
}

Status WriteHistory(lake::Writer& writer, const TablePlan& plan, const std::string& keys, const std::string& states, Refresh refresh, Arena& arena) {
  const Staging staging(writer, plan, arena);
  auto& connection = writer.connection();
  // The last state of each key that is touched; what came before it stays as it is. One that has no end is the last, also where the
  // source's clock was set back before it began.
  TRY(connection.Execute("CREATE OR REPLACE TEMP TABLE nano_last AS SELECT t.* FROM " + keys + " s JOIN " +
                         staging.table() + " t ON " + staging.KeyEqual("s", "t") + " QUALIFY row_number() OVER (PARTITION BY " +
                         staging.KeyList("t.") + " ORDER BY t.valid_to IS NULL DESC, t.valid_from DESC) = 1"));
  TRY(connection.Execute("CREATE OR REPLACE TEMP TABLE nano_events AS " + states));

  const Columns columns = ColumnsOf(plan);
  const std::string key = staging.KeyList();
  const std::string touched = refresh == Refresh::kYes ? "last_value(_position) OVER g" : "_position";
  TRY(connection.Execute(fmt::format(
      "CREATE OR REPLACE TEMP TABLE nano_states AS "
      "WITH told AS (SELECT 0 AS _nano_step, _position, _committed_at{0}, coalesce(valid_to, valid_from) AS _nano_said, "
      "  valid_to IS NOT NULL AS _nano_gone, valid_from AS _nano_began FROM temp.nano_last "
      " UNION ALL SELECT 1, _position, _committed_at{0}, _committed_at, _nano_gone, NULL FROM temp.nano_events), "
      "compared AS (SELECT *, coalesce(_nano_gone = lag(_nano_gone) OVER w AND (_nano_gone OR (true{1})), _nano_gone) AS _nano_same FROM told "
      " WINDOW w AS (PARTITION BY {2} ORDER BY _nano_step, _position)), "
      "grouped AS (SELECT *, sum(CASE WHEN _nano_same THEN 0 ELSE 1 END) OVER (PARTITION BY {2} ORDER BY _nano_step, _position "
      "  ROWS UNBOUNDED PRECEDING) AS _nano_group FROM compared), "
      "states AS (SELECT *, {3} AS _nano_touched, count(*) OVER g AS _nano_times FROM grouped WINDOW g AS (PARTITION BY {2}, _nano_group "
      "  ORDER BY _nano_step, _position ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)), "
      "timed AS (SELECT *, max(_nano_said) OVER (PARTITION BY {2} ORDER BY _nano_step, _position ROWS UNBOUNDED PRECEDING) AS _nano_at "
      "  FROM states WHERE NOT _nano_same) "
      "SELECT *, lead(_nano_at) OVER n AS _nano_until, lead(_position) OVER n AS _nano_next, lead(_committed_at) OVER n AS _nano_next_at "
      "FROM timed WINDOW n AS (PARTITION BY {2} ORDER BY _nano_step, _position)",
      columns.list, columns.same, key, touched)));

  const std::string changed = refresh == Refresh::kYes ? "(_nano_until IS NOT NULL OR _nano_times > 1)" : "_nano_until IS NOT NULL";
  lake::Staged staged;
  staged.removed = "(SELECT " + key + ", _nano_began AS valid_from FROM temp.nano_states WHERE _nano_step = 0 AND NOT _nano_gone AND " + changed + ")";
  staged.rows = "(SELECT coalesce(_nano_next, _nano_touched) AS _position, coalesce(_nano_next_at, _committed_at) AS _committed_at" +
                BuildColumns(plan) + " FROM temp.nano_states WHERE NOT _nano_gone AND (_nano_until IS NULL OR _nano_until > _nano_at) AND "
                "(_nano_step = 1 OR " + changed + "))";
  TRY(writer.lane().Apply(writer, plan.target, staged));
  return connection.Execute("DROP TABLE temp.nano_last; DROP TABLE temp.nano_events; DROP TABLE temp.nano_states");
}

}  // namespace nano::land
