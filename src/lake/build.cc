// SPDX-License-Identifier: Apache-2.0
#include "lake/build.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "wire/json_get.h"

namespace nano::lake {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Identity, const char*>, 4> kIdentities{{{Identity::kNone, "none"},
                                                                       {Identity::kKey, "key"},
                                                                       {Identity::kWholeRow, "whole_row"},
                                                                       {Identity::kUndecided, "undecided"}}};
constexpr std::array<const char*, 5> kMarks{"", "deleted_at", "op", "valid_from", "valid_to"};
constexpr std::array<const char*, 6> kTransforms{"identity", "year", "month", "day", "hour", "bucket"};

/// What DuckLake is told for one field: Iceberg's month is DuckLake's year and month, and so on.
std::vector<std::string> PartitionTerms(const contract::PartitionField& field) {
  const std::string column = engine::Quote(field.column);
  using T = contract::PartitionField::Transform;
  std::vector<std::string> terms;
  switch (field.transform) {
    case T::kIdentity: return {column};
    case T::kBucket: return {fmt::format("bucket({}, {})", field.buckets, column)};
    case T::kHour: terms.insert(terms.begin(), "hour(" + column + ")"); [[fallthrough]];
    case T::kDay: terms.insert(terms.begin(), "day(" + column + ")"); [[fallthrough]];
    case T::kMonth: terms.insert(terms.begin(), "month(" + column + ")"); [[fallthrough]];
    case T::kYear: terms.insert(terms.begin(), "year(" + column + ")");
  }
  return terms;
}

std::string ColumnSql(const BuildColumn& column) {
  return engine::Quote(column.name) + " " + engine::SqlType(column.type) + (column.not_null ? " NOT NULL" : "");
}

Status Comment(engine::Connection& connection, const std::string& what, const std::string& text) {
  return connection.Execute("COMMENT ON " + what + " IS " + (text.empty() ? "NULL" : engine::Literal(text)));
}

Status CommentColumn(engine::Connection& connection, const std::string& table, const BuildColumn& column) {
  return Comment(connection, "COLUMN " + table + "." + engine::Quote(column.name), column.description);
}

Status Record(Writer& writer, const Build& build) {
  auto& connection = writer.connection();
  TRY(connection.Execute("DELETE FROM lake.nanohouse.build WHERE id = ?", {build.id}));
  return connection.Execute("INSERT INTO lake.nanohouse.build VALUES (?, ?, ?, ?, now())",
                            {build.id, build.definition.table, build.revision, ToJson(build.definition)});
}

}  // namespace

const BuildColumn* BuildDefinition::column(const std::string& name) const {
  for (const auto& candidate : columns)
    if (candidate.name == name) return &candidate;
  return nullptr;
}

std::vector<std::string> BuildDefinition::source_key() const {
  std::vector<std::string> names;
  for (const auto& name : key)
    if (const BuildColumn* const known = column(name); known == nullptr || known->mark == Mark::kNone) names.push_back(name);
  return names;
}

bool BuildDefinition::has(Mark mark) const {
  return std::any_of(columns.begin(), columns.end(), [&](const BuildColumn& column) { return column.mark == mark; });
}

std::string NewBuildId(const std::string& table) {
  std::string id;
  for (const char c : table)
    if (std::isalnum(static_cast<unsigned char>(c)) && static_cast<unsigned char>(c) < 128 && id.size() < 40)
      id += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!id.empty() && id.back() != '_') id += '_';
  std::array<unsigned char, 5> random{};
  NANO_CHECK(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1);
  if (!id.empty() && id.back() != '_') id += '_';
  for (const unsigned char byte : random) id += fmt::format("{:02x}", byte);
  return id;
}

std::string ToJson(const BuildDefinition& definition) {
  json out;
  out["table"] = definition.table;
  for (const auto& [identity, name] : kIdentities)
    if (identity == definition.identity) out["identity"] = name;
  out["key"] = definition.key;
  out["columns"] = json::array();
  for (const auto& column : definition.columns) {
    out["columns"].push_back({{"name", column.name}, {"type", ToString(column.type)}, {"not_null", column.not_null},
                              {"description", column.description}});
    if (column.mark != Mark::kNone) out["columns"].back()["mark"] = kMarks[static_cast<std::size_t>(column.mark)];
  }
  out["partition_by"] = json::array();
  for (const auto& field : definition.partition_by)
    out["partition_by"].push_back({{"transform", kTransforms[static_cast<std::size_t>(field.transform)]},
                                   {"column", field.column}, {"buckets", field.buckets}});
  out["sort_by"] = definition.sort_by;
  out["target_file_bytes"] = definition.target_file_bytes;
  out["description"] = definition.description;
  return out.dump();
}

Result<BuildDefinition> DefinitionFromJson(const std::string& text) {
  const json in = json::parse(text, nullptr, false);
  if (in.is_discarded() || !in.is_object()) return Fail(Code::kCorrupt, "a build's definition is not JSON");
  BuildDefinition out;
  out.table = wire::Get(in, "table", "");
  for (const auto& [identity, name] : kIdentities)
    if (wire::Get(in, "identity", "") == name) out.identity = identity;
  out.key = wire::Get(in, "key", std::vector<std::string>{});
  for (const auto& column : wire::Get(in, "columns", json::array())) {
    ASSIGN(DataType type, ParseDataType(wire::Get(column, "type", "")));
    out.columns.push_back({wire::Get(column, "name", ""), std::move(type), wire::Get(column, "not_null", false), wire::Get(column, "description", "")});
    for (std::size_t m = 1; m < kMarks.size(); ++m)
      if (wire::Get(column, "mark", "") == kMarks[m]) out.columns.back().mark = static_cast<Mark>(m);
  }
  for (const auto& field : wire::Get(in, "partition_by", json::array()))
    for (std::size_t t = 0; t < kTransforms.size(); ++t)
      if (wire::Get(field, "transform", "") == kTransforms[t])
        out.partition_by.push_back({static_cast<contract::PartitionField::Transform>(t), wire::Get(field, "column", ""),
                                    wire::Get(field, "buckets", 0)});
  out.sort_by = wire::Get(in, "sort_by", std::vector<std::string>{});
  out.target_file_bytes = wire::Get(in, "target_file_bytes", std::int64_t{0});
  out.description = wire::Get(in, "description", "");
  return out;
}

Result<std::map<std::string, Build>> ReadBuilds(engine::Connection& connection, const std::string& relation) {
  ASSIGN(const auto rows, connection.Query("SELECT id, revision, definition FROM " + relation));
  std::map<std::string, Build> builds;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    ASSIGN(BuildDefinition definition, DefinitionFromJson(rows.text(r, 2)));
    builds[rows.text(r, 0)] = {rows.text(r, 0), rows.integer(r, 1), std::move(definition)};
  }
  return builds;
}

Result<std::map<std::string, std::string>> ReadVersion(engine::Connection& connection, int number, const std::string& relation) {
  ASSIGN(const auto rows, connection.Query("SELECT name, build FROM " + relation + " WHERE number = ?", {std::int64_t{number}}));
  std::map<std::string, std::string> names;
  for (std::size_t r = 0; r < rows.size(); ++r) names[rows.text(r, 0)] = rows.text(r, 1);
  return names;
}

Result<int> CurrentVersion(engine::Connection& connection, const std::string& relation) {
  ASSIGN(const auto rows, connection.Query("SELECT coalesce(max(version), 0) FROM " + relation));
  return static_cast<int>(rows.integer(0, 0));
}

Status CreateBuild(Writer& writer, const Build& build) {
  if (!build.definition.columns.empty()) TRY(MakeTable(writer, build));  // else made when its columns are known
  return Record(writer, build);
}

Status MakeTable(Writer& writer, const Build& build) {
  const BuildDefinition& definition = build.definition;
  auto& connection = writer.connection();
  const std::string table = BuildTable(build.id);
  std::string sql = "CREATE TABLE " + table + " (" + kPositionColumn + " BIGINT, " + kCommittedAtColumn + " TIMESTAMPTZ";
  for (const auto& column : definition.columns) sql += ", " + ColumnSql(column);
  TRY(connection.Execute(sql + ")"));
  if (!definition.partition_by.empty()) {
    std::string terms;
    for (const auto& field : definition.partition_by)
      for (const auto& term : PartitionTerms(field)) terms += (terms.empty() ? "" : ", ") + term;
    TRY(connection.Execute("ALTER TABLE " + table + " SET PARTITIONED BY (" + terms + ")"));
  }
  if (!definition.sort_by.empty()) {
    std::string terms;
    for (const auto& column : definition.sort_by) terms += (terms.empty() ? "" : ", ") + engine::Quote(column);
    TRY(connection.Execute("ALTER TABLE " + table + " SET SORTED BY (" + terms + ")"));
  }
  if (!definition.description.empty()) TRY(Comment(connection, "TABLE " + table, definition.description));
  for (const auto& column : definition.columns)
    if (!column.description.empty()) TRY(CommentColumn(connection, table, column));
  return {};
}

Status ReviseBuild(Writer& writer, const Build& before, const Build& after) {
  TRY(before.definition.columns.empty() ? MakeTable(writer, after) : ReviseTable(writer, before, after));
  return Record(writer, after);
}

Status ReviseTable(Writer& writer, const Build& before, const Build& after) {
  NANO_CHECK(before.id == after.id);
  auto& connection = writer.connection();
  const std::string table = BuildTable(after.id);
  for (const auto& old : before.definition.columns)
    if (!after.definition.column(old.name)) return Fail(Code::kInternal, "column \"{}\" can't be dropped in place", old.name);
  for (const auto& column : after.definition.columns) {
    const BuildColumn* old = before.definition.column(column.name);
    if (!old) {
      BuildColumn added = column;
      added.not_null = false;  // older rows have none
      TRY(connection.Execute("ALTER TABLE " + table + " ADD COLUMN " + ColumnSql(added)));
    } else if (old->type != column.type && engine::SqlType(old->type) != engine::SqlType(column.type)) {
      TRY(connection.Execute("ALTER TABLE " + table + " ALTER COLUMN " + engine::Quote(column.name) + " SET DATA TYPE " +
                             engine::SqlType(column.type)));
    }
    if (old && old->not_null && !column.not_null)
      TRY(connection.Execute("ALTER TABLE " + table + " ALTER COLUMN " + engine::Quote(column.name) + " DROP NOT NULL"));
    if ((old ? old->description : std::string()) != column.description) TRY(CommentColumn(connection, table, column));
  }
  if (before.definition.description != after.definition.description)
    TRY(Comment(connection, "TABLE " + table, after.definition.description));
  return {};
}

Status SyncTableOptions(engine::Connection& connection, const std::map<std::string, Build>& builds) {
  for (const auto& [name, build] : builds) {
    if (build.definition.target_file_bytes <= 0 || build.definition.columns.empty()) continue;
    ASSIGN(const auto rows, connection.Query(
        "SELECT m.value FROM __ducklake_metadata_lake.ducklake_metadata m JOIN __ducklake_metadata_lake.ducklake_table t "
        "ON m.scope_id = t.table_id WHERE m.scope = 'table' AND m.key = 'target_file_size' AND t.table_name = ? AND t.end_snapshot IS NULL",
        {build.id}));
    if (!rows.empty() && rows.integer(0, 0) == build.definition.target_file_bytes) continue;
    TRY(connection.Execute(fmt::format("CALL lake.set_option('target_file_size', '{}B', schema => 'build', table_name => {})",
                                       build.definition.target_file_bytes, engine::Literal(build.id))));
  }
  return {};
}

Status SetVersion(Writer& writer, int number, const std::map<std::string, Build>& builds) {
  auto& connection = writer.connection();
  ASSIGN(const auto before, ReadVersion(connection, number));
  const std::string schema = std::string(kCatalog) + ".v" + std::to_string(number);
  TRY(connection.Execute("CREATE SCHEMA IF NOT EXISTS " + schema));
  for (const auto& [name, build] : before)
    if (!builds.count(name)) {
      TRY(connection.Execute("DROP VIEW IF EXISTS " + schema + "." + engine::Quote(name)));
      TRY(connection.Execute("DROP VIEW IF EXISTS lake.main." + engine::Quote(name)));
    }
  TRY(connection.Execute("DELETE FROM lake.nanohouse.version WHERE number = ?", {std::int64_t{number}}));
  for (const auto& [name, build] : builds) {
    TRY(connection.Execute("INSERT INTO lake.nanohouse.version VALUES (?, ?, ?)", {std::int64_t{number}, name, build.id}));
    if (build.definition.columns.empty()) continue;
    std::string columns;
    for (const auto& column : build.definition.columns) columns += (columns.empty() ? "" : ", ") + engine::Quote(column.name);
    const std::string body = " AS SELECT " + columns + " FROM " + BuildTable(build.id);
    TRY(connection.Execute("CREATE OR REPLACE VIEW " + schema + "." + engine::Quote(name) + body));
    TRY(connection.Execute("CREATE OR REPLACE VIEW lake.main." + engine::Quote(name) + body));
  }
  return {};
}

}  // namespace nano::lake
