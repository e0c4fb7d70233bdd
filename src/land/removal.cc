// SPDX-License-Identifier: Apache-2.0
#include "land/removal.h"

#include <fmt/format.h>

#include "land/cell_rows.h"
#include "land/staging.h"

namespace nano::land {
namespace {

using engine::Quote;

std::string Condition(const Going& going) {
  std::string out;
  for (const auto& range : going.ranges)
    out += fmt::format("{}(t._position >= {} AND t._position < {})", out.empty() ? "" : " OR ", range.begin, range.end);
  if (!out.empty()) return "(" + out + ")";
  return going.only_source ? fmt::format("t._position >> 48 = {}", *going.only_source) : "true";
}

lake::Staged AllOf(const Going& going) {
  lake::Staged staged;
  staged.truncate = going.ranges.empty();
  staged.truncate_source = going.only_source;
  staged.ranges = going.ranges;
  return staged;
}

/// The rows of temp.nano_gone take the place of those that they were.
Status Replace(lake::Writer& writer, const TablePlan& plan, lake::Staged staged, const std::string& rows) {
  staged.rows = rows;
  TRY(writer.lane().Apply(writer, plan.target, staged));
  return writer.connection().Execute("DROP TABLE temp.nano_gone");
}

Status MarkDeleted(lake::Writer& writer, const TablePlan& plan, const Going& going, Arena& arena) {
  Staging staging(writer, plan, arena);
  const bool keyed = plan.build.definition.identity == lake::Identity::kKey;
  const std::string marked = "t._deleted_at IS NOT NULL";
  std::string sql = "CREATE OR REPLACE TEMP TABLE nano_gone AS SELECT t.* ";
  if (going.but_deleted) {
    sql += "FROM " + staging.table() + " t WHERE " + marked + " AND " + Condition(going);
  } else {
    sql += "REPLACE (coalesce(t._deleted_at, n._at) AS _deleted_at, CASE WHEN " + marked + " THEN t._position ELSE n._by END AS _position, "
           "CASE WHEN " + marked + " THEN t._committed_at ELSE n._at END AS _committed_at) FROM " + staging.table() + " t, " +
           staging.Cause(going.at, going.row_position) + " n WHERE " + Condition(going);
    if (keyed) sql += " AND t._deleted_at IS NULL";
  }
  TRY(staging.connection().Execute(sql));
  lake::Staged staged = AllOf(going);
  if (keyed && !going.but_deleted) {
    staged = {};
    staged.removed = "(SELECT " + staging.KeyList() + " FROM temp.nano_gone)";
  }
  return Replace(writer, plan, std::move(staged), "temp.nano_gone");
}

Status EndValidity(lake::Writer& writer, const TablePlan& plan, const Going& going, Arena& arena) {
  Staging staging(writer, plan, arena);
  TRY(staging.connection().Execute("CREATE OR REPLACE TEMP TABLE nano_gone AS SELECT t.* REPLACE (greatest(n._at, t.valid_from) AS valid_to, "
                                   "n._by AS _position, n._at AS _committed_at) FROM " + staging.table() + " t, " +
                                   staging.Cause(going.at, going.row_position) + " n WHERE t.valid_to IS NULL AND " + Condition(going)));
  lake::Staged staged;
  staged.removed = "(SELECT " + staging.KeyList() + ", valid_from FROM temp.nano_gone)";
  return Replace(writer, plan, std::move(staged), "(SELECT * FROM temp.nano_gone WHERE valid_to > valid_from)");
}

}  // namespace

Status RemoveRows(lake::Writer& writer, const TablePlan& plan, const Going& going, Arena& arena) {
  if (plan.deletes == contract::Deletes::kIgnore) return {};
  if (plan.is_history()) return EndValidity(writer, plan, going, arena);
  if (plan.is_soft()) return MarkDeleted(writer, plan, going, arena);
  return writer.lane().Apply(writer, plan.target, AllOf(going));
}

}  // namespace nano::land
