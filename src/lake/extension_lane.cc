// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lake/lane.h"

namespace nano::lake {
namespace {

class ExtensionLane final : public Lane {
 public:
  Status Apply(Writer& writer, const Build& build, const Staged& staged) override {
    auto& connection = writer.connection();
    const std::string table = BuildTable(build.id);
    if (staged.truncate) {
      const std::string condition =
          staged.truncate_source ? fmt::format(" WHERE {} >> 48 = {}", kPositionColumn, *staged.truncate_source) : "";
      TRY(connection.Execute("DELETE FROM " + table + condition));
    }
    for (const auto& range : staged.ranges)
      TRY(connection.Execute(fmt::format("DELETE FROM {0} WHERE {1} >= {2} AND {1} < {3}", table, kPositionColumn, range.begin, range.end)));
    if (!staged.removed.empty()) {
      const auto& key = build.definition.key;
      if (key.size() == 1) {
        const std::string column = engine::Quote(key[0]);
        TRY(connection.Execute("DELETE FROM " + table + " WHERE " + column + " IN (SELECT " + column + " FROM " + staged.removed + ")"));
      } else {
        std::string equal;
        for (const auto& column : key)
          equal += (equal.empty() ? "" : " AND ") + ("t." + engine::Quote(column)) + " = s." + engine::Quote(column);
        TRY(connection.Execute("DELETE FROM " + table + " AS t USING " + staged.removed + " AS s WHERE " + equal));
      }
    }
    if (!staged.vanished.empty()) {
      std::string equal, columns;
      for (const auto& column : build.definition.columns) {
        const std::string name = engine::Quote(column.name);
        equal += (equal.empty() ? "" : " AND ") + ("t." + name) + " IS NOT DISTINCT FROM s." + name;
        columns += (columns.empty() ? "t." : ", t.") + name;
      }
      TRY(connection.Execute(fmt::format(
          "DELETE FROM {0} WHERE rowid IN (SELECT id FROM (SELECT t.rowid AS id, s._times AS times, row_number() OVER "
          "(PARTITION BY {1} ORDER BY t.{2}) AS nth FROM {0} AS t JOIN {3} AS s ON {4}) WHERE nth <= times)",
          table, columns, kPositionColumn, staged.vanished, equal)));
    }
    if (!staged.rows.empty()) TRY(connection.Execute("INSERT INTO " + table + " SELECT * FROM " + staged.rows));
    return {};
  }

  Result<std::string> RowsOf(Writer&, const Build& build, const std::string& keys) override {
    std::string equal;
    for (const auto& column : build.definition.key)
      equal += (equal.empty() ? "s." : " AND s.") + engine::Quote(column) + " = t." + engine::Quote(column);
    return fmt::format("(SELECT s._n, t.* FROM {} s JOIN {} t ON {})", keys, BuildTable(build.id), equal);
  }
};

}  // namespace

std::unique_ptr<Lane> MakeExtensionLane() { return std::make_unique<ExtensionLane>(); }

}  // namespace nano::lake
