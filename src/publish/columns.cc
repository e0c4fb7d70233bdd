// SPDX-License-Identifier: Apache-2.0
#include "publish/columns.h"

#include <algorithm>
#include <map>
#include <optional>

#include "publish/catalog_sql.h"

namespace nano::publish {
namespace {

using Kind = IcebergType::Kind;
using engine::Rows;

/// How deep types may nest; far above what anybody writes, below what a stack bears.
constexpr int kDepth = 100;

struct ColumnRow {
  std::int64_t id = 0;
  std::string name, type, doc;
  bool nullable = true;
};

class ColumnReader {
 public:
  ColumnReader(engine::Connection& connection, std::int64_t table, std::int64_t snapshot) : connection_(connection), table_(table), snapshot_(snapshot) {}

  Result<Columns> Read(const std::set<std::string>& hidden) {
    TRY(ReadRows());
    Columns columns;
    for (const ColumnRow& row : children_[kTop]) {
      if (hidden.contains(row.name)) continue;
      ASSIGN(Field field, MakeField(row, row.name, 0));
      field.required = !row.nullable;
      columns.fields.push_back(std::move(field));
    }
    TRY(CheckNames(columns.fields));
    TRY(CheckDefaults());
    TRY(CheckHistory());
    ASSIGN(const Rows last, connection_.Query(CatalogSql("SELECT coalesce(max(column_id), 0) FROM {}column WHERE table_id = {}", kMeta, table_)));
    columns.last_column_id = last.integer(0, 0);
    columns.warnings = std::move(warnings_);
    return columns;
  }

 private:
  static constexpr std::int64_t kTop = -1;

  Status ReadRows() {
    ASSIGN(const Rows rows, connection_.Query(CatalogSql(
        "SELECT c.column_id, c.column_name, c.column_type, coalesce(c.parent_column, {0}), c.nulls_allowed::BOOLEAN, t.value "
        "FROM {1}column c LEFT JOIN {1}column_tag t ON t.table_id = c.table_id AND t.column_id = c.column_id AND t.key = 'comment' AND {2} "
        "WHERE c.table_id = {3} AND {4} ORDER BY c.column_order, c.column_id",
        kTop, kMeta, LiveAt("t", snapshot_), table_, LiveAt("c", snapshot_))));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      children_[rows.integer(i, 3)].push_back({.id = rows.integer(i, 0),
                                               .name = rows.text(i, 1),
                                               .type = rows.text(i, 2),
                                               .doc = rows.text(i, 5),
                                               .nullable = rows.text(i, 4) == "true"});
    }
    return {};
  }

  Result<Field> MakeField(const ColumnRow& row, const std::string& path, int depth) {
    if (depth > kDepth) return Fail(Code::kUnsupported, "column \"{}\" nests too deep", path);
    Field field{.id = static_cast<int>(row.id), .name = row.name, .required = false, .type = {}, .doc = row.doc};
    const auto below = children_.find(row.id);
    const std::size_t parts = below == children_.end() ? 0 : below->second.size();
    const bool list = row.type == "list", map = row.type == "map", record = row.type == "struct";
    if (list || map || record) {
      if ((list && parts != 1) || (map && parts != 2) || parts == 0) return Fail(Code::kCorrupt, "column \"{}\" of type {} has {} parts", path, row.type, parts);
      field.type.kind = list ? Kind::kList : map ? Kind::kMap : Kind::kStruct;
      for (const ColumnRow& part : below->second) {
        ASSIGN(Field child, MakeField(part, path + "." + part.name, depth + 1));
        field.type.fields.push_back(std::move(child));
      }
      if (map) field.type.fields.front().required = true;
    } else {
      const auto type = FromDuckLake(row.type);
      if (!type) return Fail(Code::kUnsupported, "column \"{}\": type {} has no exact form in Iceberg v2", path, row.type);
      field.type = *type;
      if (type->kind == Kind::kTime) warnings_.push_back(fmt::format("column \"{}\": Spark can not open a table with a time", path));
      if (type->kind == Kind::kUuid) warnings_.push_back(fmt::format("column \"{}\": Redshift and Athena do not read uuid", path));
    }
    published_.insert(row.id);
    return field;
  }

  static std::string Folded(const std::string& name) {
    std::string folded = name;
    std::transform(folded.begin(), folded.end(), folded.begin(), [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
    return folded;
  }

  static Status CheckNames(const std::vector<Field>& fields) {
    static const std::set<std::string> kReserved = {"_file", "_pos", "_deleted", "_spec_id", "_partition"};
    std::set<std::string> seen;
    for (const Field& field : fields) {
      if (field.name.empty()) return Fail(Code::kUnsupported, "a column has no name");
      if (field.name.starts_with('$') || kReserved.contains(field.name)) {
        return Fail(Code::kUnsupported, "column \"{}\" has a name that an engine reserves for itself", field.name);
      }
      if (!seen.insert(Folded(field.name)).second) return Fail(Code::kUnsupported, "column \"{}\" differs from another one by case only", field.name);
    }
    return {};
  }

  /// v2 has no default of a column for files that were written before it.
  Status CheckDefaults() {
    ASSIGN(const Rows rows, connection_.Query(CatalogSql(
        "SELECT c.column_id, any_value(c.column_name), count(DISTINCT f.data_file_id) "
        "FROM {0}column c JOIN (SELECT column_id, min(begin_snapshot) AS born FROM {0}column WHERE table_id = {1} GROUP BY column_id) b USING (column_id) "
        "JOIN {0}data_file f ON f.table_id = {1} AND f.begin_snapshot < b.born AND {2} "
        "WHERE c.table_id = {1} AND {3} AND c.initial_default IS NOT NULL AND upper(c.initial_default) <> 'NULL' GROUP BY c.column_id ORDER BY c.column_id",
        kMeta, table_, LiveAt("f", snapshot_), LiveAt("c", snapshot_))));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!published_.contains(rows.integer(i, 0))) continue;
      return Fail(Code::kUnsupported, "column \"{}\" was added with a default, and {} files are older: rewrite them first", rows.text(i, 1), rows.text(i, 2));
    }
    return {};
  }

  /// Files are read by the type that a column has now: it must be a promotion of what they were written with.
  Status CheckHistory() {
    ASSIGN(const Rows rows, connection_.Query(CatalogSql(
        "SELECT n.column_id, n.column_name, o.column_type, n.column_type FROM {0}column n "
        "JOIN {0}column o ON o.table_id = {1} AND o.column_id = n.column_id AND o.column_type <> n.column_type AND o.end_snapshot <= {2} "
        "WHERE n.table_id = {1} AND {3} AND EXISTS (SELECT 1 FROM {0}data_file f WHERE f.table_id = {1} AND f.begin_snapshot < o.end_snapshot AND {4}) "
        "ORDER BY n.column_id",
        kMeta, table_, snapshot_, LiveAt("n", snapshot_), LiveAt("f", snapshot_))));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!published_.contains(rows.integer(i, 0))) continue;
      const auto before = FromDuckLake(rows.text(i, 2)), after = FromDuckLake(rows.text(i, 3));
      if (before && after && MayPromote(*before, *after)) continue;
      return Fail(Code::kUnsupported, "column \"{}\" went from {} to {}, which Iceberg v2 can not read in older files: rewrite them first",
                  rows.text(i, 1), rows.text(i, 2), rows.text(i, 3));
    }
    return {};
  }

  engine::Connection& connection_;
  std::int64_t table_, snapshot_;
  std::map<std::int64_t, std::vector<ColumnRow>> children_;
  std::set<std::int64_t> published_;
  std::vector<std::string> warnings_;
};

}  // namespace

Result<Columns> ReadColumns(engine::Connection& connection, std::int64_t table_id, std::int64_t snapshot, const std::set<std::string>& hidden) {
  return ColumnReader(connection, table_id, snapshot).Read(hidden);
}

}  // namespace nano::publish
