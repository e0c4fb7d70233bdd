// SPDX-License-Identifier: Apache-2.0
#include "contract/diff.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/check.h"
#include "contract/units.h"

namespace nano::contract {
namespace {

std::string Text(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("[{}]", fmt::join(names, ", "));
}

std::string Text(const std::vector<PartitionField>& fields) {
  std::vector<std::string> out;
  for (const auto& field : fields) out.push_back(ToString(field));
  return Text(out);
}

std::string Text(const std::vector<TableSource>& sources) {
  std::vector<std::string> out;
  for (const auto& source : sources) out.push_back(source.source + "/" + source.stream);
  return Text(out);
}

std::string_view Text(Mode mode) {
  switch (mode) {
    case Mode::kAppend: return "append";
    case Mode::kUpsert: return "upsert";
    case Mode::kReplace: return "replace";
    case Mode::kHistory: return "history";
  }
  return "";
}

std::string_view Text(Deletes deletes) {
  switch (deletes) {
    case Deletes::kHard: return "hard";
    case Deletes::kSoft: return "soft";
    case Deletes::kIgnore: return "ignore";
  }
  return "";
}

/// May a column's type become the other in place, with all files as they are?
bool IsWider(const DataType& from, const DataType& to) {
  using enum TypeKind;
  if (from.kind == kInt && to.kind == kBigint) return true;
  if (from.kind == kFloat && to.kind == kDouble) return true;
  return from.kind == kDecimal && to.kind == kDecimal && from.scale == to.scale && to.width > from.width;
}

/// The mode that a table has, where the contract alone tells.
std::optional<Mode> EffectiveMode(const Contract& contract, const Table& table) {
  if (table.mode_given || !table.primary_key.empty()) return table.mode;
  for (const auto& source : table.sources)
    if (const auto* const found = contract.source(source.source); found && found->sends_changes())
      return Mode::kUpsert;
  return {};
}

class Differ {
 public:
  Differ(const Contract& deployed, const Contract& wanted, const BuiltColumns& built)
      : deployed_(deployed), wanted_(wanted), built_(built) {}

  std::vector<Change> All() {
    for (const auto& table : wanted_.tables) {
      if (const Table* const old = deployed_.table(table.name))
        Tables(*old, table);
      else
        NewTable(table);
    }
    for (const auto& old : deployed_.tables)
      if (!wanted_.table(old.name))
        Add("dropped-table", old.name, fmt::format("table \"{}\" is gone", old.name), old.place, old.name);
    Sources();
    Storage();
    if (!deployed_.warehouse.empty() && deployed_.warehouse != wanted_.warehouse)
      Add("renamed-warehouse", "warehouse",
          fmt::format("the warehouse's name changed from {} to {}", deployed_.warehouse, wanted_.warehouse), wanted_.version_place,
          {});
    return std::move(changes_);
  }

  void NewTable(const Table& table) {
    Add("new-table", table.name, fmt::format("table \"{}\" is new", table.name), table.place, {});
  }
  std::vector<Change> Take() { return std::move(changes_); }

 private:
  void Add(std::string_view rule, std::string object, std::string what, const Place& place, const std::string& table,
           std::string fill = {}) {
    Change change;
    for (const auto& candidate : ChangeRules())
      if (candidate.id == rule) change.rule = &candidate;
    NANO_CHECK(change.rule != nullptr);
    change.object = std::move(object);
    change.what = std::move(what);
    change.place = place;
    change.fill = std::move(fill);
    for (const auto* const contract : {&deployed_, &wanted_})
      for (const auto& exposure : contract->exposures)
        if (!table.empty() &&
            std::find(exposure.depends_on.begin(), exposure.depends_on.end(), table) != exposure.depends_on.end() &&
            std::find(change.readers.begin(), change.readers.end(), exposure.name) == change.readers.end())
          change.readers.push_back(exposure.name);
    changes_.push_back(std::move(change));
  }

  void Tables(const Table& old, const Table& now) {
    const auto add = [&](std::string_view rule, const std::string& key, std::string what) {
      const auto place = now.places.find(key);
      Add(rule, now.name, std::move(what), place == now.places.end() ? now.place : place->second, now.name);
    };
    if (Text(old.sources) != Text(now.sources))
      add("table-source", "source", fmt::format("the source changed from {} to {}", Text(old.sources), Text(now.sources)));
    if (old.primary_key != now.primary_key)
      add("key", "primary_key", fmt::format("the primary key changed from {} to {}", Text(old.primary_key), Text(now.primary_key)));
    const bool follows_the_key = old.primary_key != now.primary_key && !old.mode_given && !now.mode_given;
    if (const auto from = EffectiveMode(deployed_, old), to = EffectiveMode(wanted_, now); from != to && !follows_the_key)
      add("mode", "mode",
          fmt::format("the mode changed from {} to {}", from ? Text(*from) : "the source's own",
                      to ? Text(*to) : "the source's own"));
    if (old.deletes != now.deletes)
      add("deletes", "deletes", fmt::format("deletes changed from {} to {}", Text(old.deletes), Text(now.deletes)));
    if (Text(old.partition_by) != Text(now.partition_by))
      add("partition", "partition_by",
          fmt::format("partition_by changed from {} to {}", Text(old.partition_by), Text(now.partition_by)));
    if (old.sort_by != now.sort_by)
      add("sort", "sort_by", fmt::format("sort_by changed from {} to {}", Text(old.sort_by), Text(now.sort_by)));
    if (old.on_type_mismatch != now.on_type_mismatch) add("misfits", "on_type_mismatch", "on_type_mismatch changed");
    if (old.special_values != now.special_values) add("misfits", "special_values", "special_values changed");
    if (old.on_new_field != now.on_new_field) add("new-fields", "on_new_field", "on_new_field changed");
    if (old.target_file_bytes != now.target_file_bytes) add("files", "target_file_size", "target_file_size changed");
    if (old.description != now.description) add("description", "description", "the description changed");
    if (old.tags != now.tags) add("description", "tags", "the tags changed");
    if (!SameTests(old.tests, now.tests)) add("tests", "data_tests", "the tests changed");
    Columns(old, now);
  }

  static bool SameTests(const std::vector<Test>& a, const std::vector<Test>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Test& x, const Test& y) { return x.name == y.name && x.arguments == y.arguments; });
  }

  void Columns(const Table& old, const Table& now) {
    const std::vector<Column>* before = &old.columns;
    if (old.columns.empty()) {
      if (now.columns.empty()) return;
      const auto built = built_.find(old.name);
      if (built == built_.end()) return Add("declared", now.name, "the columns are declared now", now.place, now.name);
      before = &built->second;
    } else if (now.columns.empty()) {
      return Add("inferred", now.name, "the columns are no longer declared", now.place, now.name);
    }
    const auto in_key = [&](const std::string& name) {
      const auto holds = [&](const std::vector<std::string>& key) { return std::find(key.begin(), key.end(), name) != key.end(); };
      return holds(old.primary_key) || holds(now.primary_key);
    };
    for (const auto& column : now.columns) {
      const std::string object = now.name + "." + column.name;
      const auto found =
          std::find_if(before->begin(), before->end(), [&](const Column& other) { return other.name == column.name; });
      if (found != before->end()) {
        ColumnChange(*found, column, object, now.name, in_key(column.name) || before != &old.columns);
      } else if (column.not_null) {
        Add("new-required-column", object, fmt::format("column \"{}\" is new and not_null", column.name), column.place, now.name);
      } else {
        Add("new-column", object, fmt::format("column \"{}\" {} is new", column.name, ToString(column.type)), column.place,
            now.name, "NULL in older rows");
      }
    }
    for (const auto& column : *before)
      if (!now.column(column.name))
        Add("dropped-column", now.name + "." + column.name, fmt::format("column \"{}\" is gone", column.name), now.place, now.name);
  }

  void ColumnChange(const Column& old, const Column& now, const std::string& object, const std::string& table,
                    bool nullability_is_given) {
    const auto add = [&](std::string_view rule, std::string what) { Add(rule, object, std::move(what), now.place, table); };
    if (old.type != now.type)
      add(IsWider(old.type, now.type) ? "wider-type" : "other-type",
          fmt::format("column \"{}\" changed from {} to {}", now.name, ToString(old.type), ToString(now.type)));
    if (old.field != now.field)
      add("values",
          fmt::format("column \"{}\" is filled from field {}, no longer from {}", now.name, Text(now.field), Text(old.field)));
    if (old.expr != now.expr) add("values", fmt::format("the expression of column \"{}\" changed", now.name));
    if (old.source_type != now.source_type) add("values", fmt::format("the source type of column \"{}\" changed", now.name));
    if (!nullability_is_given && !old.not_null && now.not_null)
      add("constraint", fmt::format("column \"{}\" became not_null", now.name));
    if (!nullability_is_given && old.not_null && !now.not_null)
      add("dropped-constraint", fmt::format("column \"{}\" may be NULL now", now.name));
    if (old.description != now.description) add("description", fmt::format("the description of column \"{}\" changed", now.name));
    if (old.tags != now.tags) add("description", fmt::format("the tags of column \"{}\" changed", now.name));
    if (!SameTests(old.tests, now.tests)) add("tests", fmt::format("the tests of column \"{}\" changed", now.name));
  }

  void Sources() {
    for (const auto& now : wanted_.sources) {
      const Source* const old = deployed_.source(now.name);
      if (!old) {
        Add("new-source", now.name, fmt::format("source \"{}\" is new", now.name), now.place, {});
      } else if (Family(old->kind) != Family(now.kind) || old->unsupported != now.unsupported) {
        Add("source-kind", now.name, fmt::format("source \"{}\" is of another kind", now.name), now.place, {});
      } else if (old->kind != now.kind || old->file != now.file || old->http_path != now.http_path || !SameTap(*old, now) || !SamePostgres(*old, now)) {
        Add("source-settings", now.name, fmt::format("the settings of source \"{}\" changed", now.name), now.place, {});
      }
    }
    for (const auto& old : deployed_.sources)
      if (!wanted_.source(old.name)) Add("dropped-source", old.name, fmt::format("source \"{}\" is gone", old.name), old.place, {});
  }

  static int Family(Source::Kind kind) {
    switch (kind) {
      case Source::Kind::kSingerTap:
      case Source::Kind::kSingerFile: return 1;
      case Source::Kind::kDebeziumFile:
      case Source::Kind::kDebeziumHttp: return 2;
      case Source::Kind::kPostgres: return 4;
      case Source::Kind::kUnsupported: return 3;
    }
    return 0;
  }
  static bool SameTap(const Source& a, const Source& b) {
    const auto environment = [](const Source& source) {
      std::string out;
      for (const auto& [name, value] : source.tap.environment) out += name + "=" + value.text() + "\n";
      return out;
    };
    return a.tap.tap == b.tap.tap && a.tap.arguments == b.tap.arguments && a.tap.catalog == b.tap.catalog &&
           a.tap.select == b.tap.select && a.tap_config.text() == b.tap_config.text() && environment(a) == environment(b);
  }

  static bool SamePostgres(const Source& a, const Source& b) {
    const auto &old = a.postgres, &now = b.postgres;
    return old.url.text() == now.url.text() && old.publication == now.publication && old.slot == now.slot && old.streams == now.streams &&
           old.max_wal_bytes == now.max_wal_bytes && old.on_slot_lost == now.on_slot_lost;
  }

  void Storage() {
    const auto &old = deployed_.storage, &now = wanted_.storage;
    const auto add = [&](std::string_view rule, std::string what) {
      Add(rule, "storage", std::move(what), wanted_.version_place, {});
    };
    if (old.root != now.root) add("moved", fmt::format("root changed from {} to {}", old.root, now.root));
    if (old.local != now.local && !(old.root != now.root && now.local == now.root))
      add("moved", fmt::format("local changed from {} to {}", old.local, now.local));
    if (old.catalog != now.catalog) add("moved", fmt::format("catalog changed from {} to {}", old.catalog, now.catalog));
    if (old.compression != now.compression || old.target_file_bytes != now.target_file_bytes)
      add("files", "the format of new files changed");
    if (old.commit_every_ms != now.commit_every_ms || old.commit_bytes != now.commit_bytes)
      add("settings", "when batches are committed changed");
    if (old.grace_seconds != now.grace_seconds) add("settings", "grace changed");
    if (old.publish != now.publish || old.publish_every_seconds != now.publish_every_seconds)
      add("settings", "when metadata is published changed");
  }

  const Contract& deployed_;
  const Contract& wanted_;
  const BuiltColumns& built_;
  std::vector<Change> changes_;
};

/// Major, minor, patch.
std::array<int, 3> Numbers(const std::string& version) {
  std::array<int, 3> out{};
  const char* at = version.data();
  const char* const end = at + version.size();
  for (auto& number : out) {
    at = std::from_chars(at, end, number).ptr;
    if (at < end && *at == '.') ++at;
  }
  return out;
}

}  // namespace

std::string_view ClassName(ChangeClass change_class) {
  switch (change_class) {
    case ChangeClass::kAdditive: return "additive";
    case ChangeClass::kRewrite: return "rewrite";
    case ChangeClass::kBreaking: return "breaking";
    case ChangeClass::kForbidden: return "forbidden";
  }
  return "";
}

const std::vector<ChangeRule>& ChangeRules() {
  using enum ChangeClass;
  static const std::vector<ChangeRule> rules = {
      {"new-table", kAdditive, "A new table."},
      {"new-source", kAdditive, "A new source."},
      {"new-column", kAdditive, "A new column that may be NULL; older rows have NULL."},
      {"wider-type", kAdditive, "A wider type: int to bigint, float to double, a decimal with more digits before the point."},
      {"description", kAdditive, "Another description, other tags."},
      {"tests", kAdditive, "Other tests."},
      {"new-fields", kAdditive, "Another `on_new_field`; it holds for what lands from then on."},
      {"source-settings", kAdditive, "Another file, tap or configuration of a source of the same kind."},
      {"files", kAdditive, "Another compression or file size; it holds for files that are written from then on."},
      {"settings", kAdditive, "Other times of committing, publishing and cleaning."},
      {"partition", kRewrite, "Another `partition_by`."},
      {"sort", kRewrite, "Another `sort_by`."},
      {"values", kRewrite, "Another `field`, `expr` or `source_type` of a column: its values would differ."},
      {"misfits", kRewrite, "Another `on_type_mismatch` or `special_values`: values would differ."},
      {"constraint", kRewrite, "A column becomes `not_null`: rows without a value would be in quarantine."},
      {"declared", kRewrite, "The columns of a table that took all fields are declared."},
      {"dropped-table", kBreaking, "A table is gone, or has another name."},
      {"dropped-column", kBreaking, "A column is gone, or has another name."},
      {"other-type", kBreaking, "A narrower or another type."},
      {"new-required-column", kBreaking, "A new column that is `not_null`: older rows have no value for it."},
      {"dropped-constraint", kBreaking, "A column is no longer `not_null`."},
      {"inferred", kBreaking, "The columns of a table are no longer declared."},
      {"key", kBreaking, "Another primary key."},
      {"mode", kBreaking, "Another mode."},
      {"deletes", kBreaking, "Another `deletes`."},
      {"table-source", kBreaking, "A table is filled from another source or stream."},
      {"source-kind", kBreaking, "A source of the same name, but of another kind."},
      {"dropped-source", kBreaking, "A source is gone, or has another name."},
      {"moved", kForbidden, "Another `root`, `local` or `catalog`: move the folders, then open the warehouse there."},
      {"renamed-warehouse", kForbidden, "Another name of the warehouse."},
  };
  return rules;
}

std::vector<Change> Diff(const Contract& deployed, const Contract& wanted, const BuiltColumns& built) {
  return Differ(deployed, wanted, built).All();
}

std::vector<Change> DiffFromNothing(const Contract& wanted) {
  const Contract nothing;
  const BuiltColumns built;
  Differ differ(nothing, wanted, built);
  for (const auto& table : wanted.tables) differ.NewTable(table);
  return differ.Take();
}

Findings CheckVersion(const Contract& deployed, const Contract& wanted, const std::vector<Change>& changes) {
  Findings findings;
  const auto from = Numbers(deployed.version), to = Numbers(wanted.version);
  const auto add = [&](Severity severity, std::string message, std::string hint) {
    findings.push_back({severity, "version", std::move(message), std::move(hint), wanted.version_place, wanted.version_place});
  };
  if (to < from) {
    add(Severity::kError, fmt::format("the version went back from {} to {}", deployed.version, wanted.version),
        fmt::format("Write {} or a later one.", deployed.version));
    return findings;
  }
  const bool is_breaking =
      std::any_of(changes.begin(), changes.end(), [](const Change& c) { return c.change_class() == ChangeClass::kBreaking; });
  if (is_breaking && to[0] == from[0])
    add(Severity::kError, fmt::format("the change is breaking, but the version is still {}.x", from[0]),
        fmt::format("Write version: {}.0.0.", from[0] + 1));
  else if (!changes.empty() && to[0] == from[0] && to[1] == from[1])
    add(Severity::kWarning, fmt::format("the contract changed, but the version is still {}.{}.x", from[0], from[1]),
        fmt::format("Write version: {}.{}.0.", from[0], from[1] + 1));
  return findings;
}

std::string RenderChangesJson(const std::vector<Change>& changes) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const auto& change : changes) {
    Json item = {{"class", ClassName(change.change_class())},
                 {"rule", change.rule->id},
                 {"object", change.object},
                 {"what", change.what},
                 {"place", {{"file", change.place.in}, {"line", change.place.at}, {"column", change.place.column}}},
                 {"readers", change.readers}};
    item["fill"] = change.fill.empty() ? Json(nullptr) : Json(change.fill);
    list.push_back(std::move(item));
  }
  return Json({{"changes", std::move(list)}}).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nano::contract
