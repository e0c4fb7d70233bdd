// SPDX-License-Identifier: Apache-2.0
#include "migrate/apply.h"

#include <algorithm>

#include "contract/parse.h"
#include "lake/marks.h"

namespace nano::migrate {
namespace {

using lake::BuildDefinition;

template <class... Args>
tl::unexpected<Error> Refuse(const Place& place, fmt::format_string<Args...> format, Args&&... args) {
  return tl::make_unexpected(Error{Code::kUnsupported, fmt::format(format, std::forward<Args>(args)...),
                                   "Undo the change, or wait for versions: a changed table becomes a second version beside the first.",
                                   place, {}});
}

/// Whether every value of `from` is exactly a value of `to`, and DuckLake can change the type in place.
bool Widens(const DataType& from, const DataType& to) {
  if (from == to) return true;
  if (from.kind == TypeKind::kInt && to.kind == TypeKind::kBigint) return true;
  if (from.kind == TypeKind::kFloat && to.kind == TypeKind::kDouble) return true;
  return from.kind == TypeKind::kDecimal && to.kind == TypeKind::kDecimal && from.scale == to.scale && from.width <= to.width;
}

/// The definition of a build after an in-place change to what `table` says. Columns that were learnt from the source stay.
Result<BuildDefinition> Merge(const BuildDefinition& now, const contract::Table& table) {
  ASSIGN(const BuildDefinition wanted, DefinitionOf(table));
  BuildDefinition merged = now;
  merged.description = wanted.description;
  for (const auto mark : {lake::Mark::kDeletedAt, lake::Mark::kOp, lake::Mark::kValidFrom})
    if (!now.columns.empty() && !wanted.columns.empty() && wanted.has(mark) != now.has(mark))
      return Refuse(table.place, "table \"{}\": its mode or deletes can't be changed in place", table.name);
  if (wanted.identity != lake::Identity::kUndecided && (wanted.identity != now.identity || wanted.key != now.key))
    return Refuse(table.place, "table \"{}\": its mode or primary key can't be changed in place", table.name);
  const auto same = [](const contract::PartitionField& a, const contract::PartitionField& b) {
    return a.transform == b.transform && a.column == b.column && a.buckets == b.buckets;
  };
  if (!std::equal(wanted.partition_by.begin(), wanted.partition_by.end(), now.partition_by.begin(), now.partition_by.end(), same))
    return Refuse(table.place, "table \"{}\": partition_by can't be changed in place", table.name);
  if (wanted.sort_by != now.sort_by) return Refuse(table.place, "table \"{}\": sort_by can't be changed in place", table.name);
  for (const auto& column : table.columns) {
    const lake::BuildColumn* wanted_column = wanted.column(column.name);
    const auto at = std::find_if(merged.columns.begin(), merged.columns.end(), [&](const auto& c) { return c.name == column.name; });
    if (at == merged.columns.end()) {
      if (wanted_column->not_null && !now.columns.empty())
        return Refuse(column.place, "table \"{}\": new column \"{}\" is not_null, and older rows have no value for it", table.name, column.name);
      merged.columns.push_back(*wanted_column);
      continue;
    }
    if (!Widens(at->type, wanted_column->type))
      return Refuse(column.place, "table \"{}\": column \"{}\" can't be changed in place from {} to {}", table.name, column.name,
                    ToString(at->type), ToString(wanted_column->type));
    if (wanted_column->not_null && !at->not_null)
      return Refuse(column.place, "table \"{}\": column \"{}\" can't be made not_null in place", table.name, column.name);
    at->type = wanted_column->type;
    at->description = wanted_column->description;
  }
  if (!table.columns.empty())
    for (const auto& column : now.columns) {
      if (column.mark != lake::Mark::kNone) continue;
      const bool kept = std::any_of(table.columns.begin(), table.columns.end(), [&](const auto& c) { return c.name == column.name; });
      if (!kept && table.on_new_field != contract::OnNewField::kAppendNewColumns)
        return Refuse(table.place, "table \"{}\": column \"{}\" can't be dropped in place", table.name, column.name);
    }
  return merged;
}

/// How a column comes from its source; another way would give rows of two kinds.
bool SameOrigin(const contract::Column& a, const contract::Column& b) {
  return a.field == b.field && a.expr == b.expr && a.source_type.value_or("") == b.source_type.value_or("");
}

Status CheckOrigins(const contract::Contract& before, const contract::Contract& wanted) {
  for (const auto& table : wanted.tables) {
    const contract::Table* old = before.table(table.name);
    if (!old) continue;
    const auto same = [](const auto& a, const auto& b) { return a.source == b.source && a.stream == b.stream; };
    if (!std::equal(old->sources.begin(), old->sources.end(), table.sources.begin(), table.sources.end(), same))
      return Refuse(table.place, "table \"{}\": its source can't be changed in place", table.name);
    for (const auto& column : table.columns)
      for (const auto& old_column : old->columns)
        if (column.name == old_column.name && !SameOrigin(column, old_column))
          return Refuse(column.place, "table \"{}\": field, source_type and expr of column \"{}\" can't be changed in place", table.name, column.name);
  }
  return {};
}

}  // namespace

Result<std::optional<Deployed>> ReadDeployed(engine::Connection& connection, const std::filesystem::path& folder, const std::string& relation) {
  ASSIGN(const auto rows, connection.Query("SELECT version, files FROM " + relation + " ORDER BY version DESC LIMIT 1"));
  if (rows.empty()) return std::optional<Deployed>();
  Deployed deployed;
  deployed.version = static_cast<int>(rows.integer(0, 0));
  ASSIGN(deployed.contract, contract::LoadBundle(rows.text(0, 1), folder));
  return std::optional<Deployed>(std::move(deployed));
}

Result<BuildDefinition> DefinitionOf(const contract::Table& table) {
  BuildDefinition definition;
  definition.table = table.name;
  if (table.mode == contract::Mode::kAppend && table.mode_given) definition.identity = lake::Identity::kNone;
  else if (!table.primary_key.empty()) definition.identity = lake::Identity::kKey;
  if (definition.identity == lake::Identity::kKey) definition.key = table.primary_key;
  for (const auto& column : table.columns) {
    const bool in_key = std::find(definition.key.begin(), definition.key.end(), column.name) != definition.key.end();
    // The rows of a table of events are also deletes and truncates, which have no values.
    const bool not_null = (column.not_null || in_key) && !lake::KeepsEvents(table);
    definition.columns.push_back({column.name, column.type, not_null, column.description});
  }
  definition.partition_by = table.partition_by;
  definition.sort_by = table.sort_by;
  definition.target_file_bytes = table.target_file_bytes.value_or(0);
  definition.description = table.description;
  if (!definition.columns.empty()) TRY(lake::AddMarks(table, definition));
  return definition;
}

Result<AppliedTables> Apply(lake::Writer& writer, const contract::Contract& wanted) {
  if (!wanted.not_yet.empty()) {
    Error error{Code::kUnsupported, wanted.not_yet[0].what + " is not supported yet", {}, wanted.not_yet[0].place, {}};
    if (wanted.not_yet.size() > 1) error.message += fmt::format(" ({} more such keys)", wanted.not_yet.size() - 1);
    error.hint = "Remove the key; it belongs to a later release.";
    return tl::make_unexpected(std::move(error));
  }
  auto& connection = writer.connection();
  ASSIGN(const auto deployed, ReadDeployed(connection, wanted.folder));
  AppliedTables applied;
  applied.version = wanted.major();
  if (deployed && deployed->version != applied.version)
    return WithHint(Fail(Code::kUnsupported, "version {} beside the deployed version {} is not supported yet", applied.version, deployed->version),
                    "Keep the major number of `version`.");
  if (deployed && deployed->contract->bundle == wanted.bundle) return applied;
  if (deployed) {
    TRY(CheckOrigins(*deployed->contract, wanted));
    for (const auto& table : deployed->contract->tables)
      if (!wanted.table(table.name)) return Refuse(table.place, "table \"{}\" can't be dropped in place", table.name);
  }
  ASSIGN(const auto builds, lake::ReadBuilds(connection));
  ASSIGN(const auto names, lake::ReadVersion(connection, applied.version));

  TRY(writer.Begin());
  std::map<std::string, lake::Build> version;
  const auto change = [&]() -> Status {
    for (const auto& table : wanted.tables) {
      const auto name = names.find(table.name);
      if (name == names.end()) {
        ASSIGN(auto definition, DefinitionOf(table));
        const lake::Build build{lake::NewBuildId(table.name), 1, std::move(definition)};
        TRY(lake::CreateBuild(writer, build));
        version[table.name] = build;
        applied.created.push_back(table.name);
        continue;
      }
      const lake::Build& before = builds.at(name->second);
      lake::Build after = before;
      ASSIGN(after.definition, Merge(before.definition, table));
      if (lake::ToJson(after.definition) != lake::ToJson(before.definition)) {
        ++after.revision;
        TRY(lake::ReviseBuild(writer, before, after));
        applied.revised.push_back(table.name);
      }
      version[table.name] = after;
    }
    TRY(lake::SetVersion(writer, applied.version, version));
    TRY(connection.Execute("DELETE FROM lake.nanohouse.bundle WHERE version = ?", {std::int64_t{applied.version}}));
    TRY(connection.Execute("INSERT INTO lake.nanohouse.bundle VALUES (?, ?, ?, now())",
                           {std::int64_t{applied.version}, wanted.version, wanted.bundle}));
    return writer.Commit("apply");
  };
  if (Status status = change(); !status) {
    writer.Rollback();
    return tl::make_unexpected(std::move(status).error());
  }
  TRY(lake::SyncTableOptions(connection, version));
  return applied;
}

}  // namespace nano::migrate
