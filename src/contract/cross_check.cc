// SPDX-License-Identifier: Apache-2.0
#include "contract/cross_check.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "base/secret.h"
#include "contract/keys.h"
#include "contract/type_fit.h"
#include "contract/type_table.h"
#include "contract/units.h"

namespace nano::contract {
namespace {

using Transform = PartitionField::Transform;

/// Case folded as readers fold identifiers: ASCII, and the Latin, Greek and Cyrillic letters that differ by one bit or row.
std::string Folded(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (c < 0x80) {
      out += static_cast<char>(std::tolower(c));
      continue;
    }
    const auto next = i + 1 < name.size() ? static_cast<unsigned char>(name[i + 1]) : 0U;
    if ((c & 0xE0) != 0xC0) {
      out += name[i];
      continue;
    }
    unsigned point = ((c & 0x1FU) << 6) | (next & 0x3FU);
    if ((point >= 0xC0 && point <= 0xDE && point != 0xD7) || (point >= 0x391 && point <= 0x3A9) ||
        (point >= 0x410 && point <= 0x42F))
      point += 0x20;
    else if (point >= 0x400 && point <= 0x40F)
      point += 0x50;
    else if (((point >= 0x100 && point <= 0x137) || (point >= 0x14A && point <= 0x177)) && point % 2 == 0)
      ++point;
    else if (((point >= 0x139 && point <= 0x148) || (point >= 0x179 && point <= 0x17E)) && point % 2 == 1)
      ++point;
    out += static_cast<char>(0xC0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3F));
    ++i;
  }
  return out;
}

bool IsVersionName(const std::string& folded) {
  return folded.size() > 1 && folded[0] == 'v' &&
         std::all_of(folded.begin() + 1, folded.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class CrossChecker {
 public:
  CrossChecker(const WarehouseTree& tree, const Contract& contract, const std::vector<SourceFile>& files, Findings& findings)
      : tree_(tree), contract_(contract), findings_(findings) {
    for (const auto& file : files)
      if (file.path.ends_with(".sql")) {
        const auto slash = file.path.rfind('/');
        const auto begin = slash == std::string::npos ? 0 : slash + 1;
        relations_.insert(file.path.substr(begin, file.path.size() - begin - 4));
      }
  }

  void All() {
    Names("source", tree_.sources);
    for (const Node* const source : tree_.sources)
      if (const Node* const name = source->Get("name"); name && name->is_text()) SourceName(*name);
    std::vector<const Node*> relations = tree_.tables;
    relations.insert(relations.end(), tree_.models.begin(), tree_.models.end());
    Names("table", relations);
    for (const Node* const relation : relations)
      if (const Node* const name = relation->Get("name"); name && name->is_text()) {
        relations_.insert(name->text);
        RelationName(*name);
      }
    Names("role", tree_.roles);
    Names("exposure", tree_.exposures);
    for (const auto& [name, body] : tree_.policies) policies_.insert(name->text);
    for (const auto& source : contract_.sources) sources_.push_back(source.name);
    for (std::size_t i = 0; i < tree_.tables.size(); ++i) TableAll(*tree_.tables[i], contract_.tables[i]);
    for (const Node* const model : tree_.models) {
      const auto columns = Mappings(*model, "columns");
      Names("column", columns);
      for (const Node* const column : columns) ColumnReferences(*column);
    }
    for (const Node* const exposure : tree_.exposures)
      for (const Node* const item : TextsOf(*exposure, "depends_on")) Relation(*item);
    for (const Node* const role : tree_.roles) RoleAll(*role);
    for (const Node* const source : tree_.sources) PlainSecrets(*source);
    PostedPaths();
    for (const auto& file : tree_.files)
      if (const Node* const storage = file.Get("storage")) PlainPassword(*storage);
  }

 private:
  void Add(std::string code, std::string message, std::string hint, const Node& at, Severity severity = Severity::kError) {
    findings_.push_back({severity, std::move(code), std::move(message), std::move(hint), at.place, EndOf(at)});
  }

  /// Duplicates, and names that differ only by case.
  void Names(std::string_view kind, const std::vector<const Node*>& items) {
    std::unordered_map<std::string, const Node*> seen;
    for (const Node* const item : items) {
      const Node* const name = item->Get("name");
      if (!name || !name->is_text()) continue;
      const auto [first, is_new] = seen.emplace(Folded(name->text), name);
      if (is_new) continue;
      const auto where = fmt::format("{}:{}", first->second->place.in, first->second->place.at);
      if (first->second->text == name->text)
        Add("duplicate-name", fmt::format("{} \"{}\" is declared twice", kind, name->text),
            fmt::format("The other one is at {}; give one of them another name.", where), *name);
      else
        Add("case-only", fmt::format("{} \"{}\" differs from \"{}\" only by case", kind, name->text, first->second->text),
            fmt::format("The other one is at {}; Spark and Trino can't tell them apart.", where), *name);
    }
  }

  /// Paths that sources are posted to on.
  void PostedPaths() {
    std::map<std::string, const Node*> seen;
    for (const Node* const source : tree_.sources) {
      const Node* const debezium = source->Get("debezium");
      const Node* const path = debezium && debezium->is_map() ? debezium->Get("http") : nullptr;
      if (!path || !path->is_text()) continue;
      if (contract_.http.listen.empty())
        Add("no-door", fmt::format("{} is a path of the HTTP door, which is not open", path->text), "Add `serve: {http: {listen: \"127.0.0.1:8080\"}}` to nanohouse.yaml.", *path);
      if (path->text == "/healthz" || path->text == "/readyz" || path->text == "/metrics")
        Add("posted-path", fmt::format("{} is a path of the warehouse's own", path->text), "Take another, as /ingest/" + TextOf(*source, "name") + ".", *path);
      const auto [first, is_new] = seen.emplace(path->text, path);
      if (!is_new)
        Add("posted-path", fmt::format("two sources are posted to on {}", path->text),
            fmt::format("The other one is at {}:{}; each needs a path of its own.", first->second->place.in, first->second->place.at), *path);
    }
  }

  void SourceName(const Node& name) {
    if (name.text.starts_with('_'))
      Add("reserved-name", fmt::format("source \"{}\" begins with \"_\"", name.text),
          "Names that begin with _ are the warehouse's own.", name);
  }

  void RelationName(const Node& name) {
    const std::string folded = Folded(name.text);
    if (folded == "build" || folded == "nanohouse" || folded == "journal" || IsVersionName(folded))
      Add("reserved-name", fmt::format("table \"{}\" has a reserved name", name.text),
          "`build`, `nanohouse`, `journal` and v with a number are the warehouse's own.", name);
    else if (name.text.starts_with('_'))
      Add("reserved-name", fmt::format("table \"{}\" begins with \"_\"", name.text),
          "Names that begin with _ are the warehouse's own.", name);
    else if (name.text.starts_with('$'))
      Add("reserved-name", fmt::format("table \"{}\" begins with \"$\"", name.text), "Trino can't open it.", name);
  }

  void ColumnName(const Node& name, bool is_history) {
    const std::string folded = Folded(name.text);
    if (name.text.starts_with('_'))
      Add("reserved-name", fmt::format("column \"{}\" begins with \"_\"", name.text),
          fmt::format("Give it another name, and the field's as `field: {}`.", name.text), name);
    else if (name.text.starts_with('$'))
      Add("reserved-name", fmt::format("column \"{}\" begins with \"$\"", name.text),
          fmt::format("Trino can't open such a table; give it another name, and the field's as `field: {}`.", name.text), name);
    else if (is_history && (folded == "valid_from" || folded == "valid_to"))
      Add("reserved-name", fmt::format("column \"{}\" is the history's own", name.text), "Give it another name.", name);
  }

  void Source(const Node& at, const std::string& name) {
    if (name.empty() || std::find(sources_.begin(), sources_.end(), name) != sources_.end()) return;
    const std::string nearest = Nearest(name, sources_);
    Add("unknown-name", fmt::format("source \"{}\" is not declared", name),
        !nearest.empty() ? fmt::format("Did you mean `{}`?", nearest) : "Declare it under `sources:`.", at);
  }

  void Relation(const Node& at) {
    if (at.text.empty() || relations_.contains(at.text)) return;
    const std::string nearest = Nearest(at.text, {relations_.begin(), relations_.end()});
    Add("unknown-name", fmt::format("table \"{}\" is not declared", at.text),
        !nearest.empty() ? fmt::format("Did you mean `{}`?", nearest) : "Declare it under `tables:`.", at);
  }

  /// The column of that name; tells where there is none. Nothing to say where a table has no columns of its own.
  const Column* ColumnOf(const Table& table, const Node& at, const std::string& name) {
    if (table.columns.empty()) return nullptr;
    if (const Column* const column = table.column(name)) return column;
    std::vector<std::string> names;
    for (const auto& column : table.columns) names.push_back(column.name);
    const std::string nearest = Nearest(name, names);
    Add("unknown-name", fmt::format("table \"{}\" has no column \"{}\"", table.name, name),
        !nearest.empty() ? fmt::format("Did you mean `{}`?", nearest) : "Declare it under `columns:`.", at);
    return nullptr;
  }

  void TableAll(const Node& node, const Table& table) {
    const auto columns = Mappings(node, "columns");
    Names("column", columns);
    if (const Node* const source = node.Get("source")) {
      if (source->is_text()) Source(*source, source->text);
      if (source->is_map())
        if (const Node* const name = source->Get("name")) Source(*name, name->text);
      for (const auto& item : source->items)
        if (const Node* const name = item.Get("name")) Source(*name, name->text);
    }
    for (std::size_t i = 0; i < columns.size(); ++i) ColumnAll(*columns[i], table.columns[i], table);
    ModeAll(node, table);
    Key(node, table);
    Partitions(node, table);
    std::set<std::string> sorted;
    for (const Node* const item : TextsOf(node, "sort_by")) {
      if (!sorted.insert(item->text).second)
        Add("sort-column", fmt::format("column \"{}\" stands twice in sort_by", item->text), "Keep one of them.", *item);
      if (const Column* const column = ColumnOf(table, *item, item->text); column && column->type.nested())
        Add("sort-column", fmt::format("column \"{}\" can't be sorted by: it is a {}", item->text, ToString(column->type)),
            "Sort by a column of a plain type.", *item);
    }
    for (const Node* const test : Mappings(node, "data_tests"))
      if (const Node* const unique = test->Get("unique"))
        for (const Node* const item : TextsOf(*unique, "columns")) ColumnOf(table, *item, item->text);
  }

  /// A mode that its source can't fill.
  void ModeAll(const Node& node, const Table& table) {
    const Node* const mode = node.Get("mode");
    if (mode && table.mode == Mode::kReplace && table.of_changes)
      Add("mode", "mode replace takes whole sets, and this source sends changes",
          "Use `mode: upsert`: it is filled by the source's snapshot and follows its changes.", *mode);
    if (mode && table.mode == Mode::kAppend && table.of_changes) Withheld(node, table);
  }

  /// Of a table of events: what a database does not send of a row that it deletes.
  void Withheld(const Node& node, const Table& table) {
    const auto columns = Mappings(node, "columns");
    for (std::size_t n = 0; n < std::min(columns.size(), table.columns.size()); ++n) {
      const Column& column = table.columns[n];
      const Node* const constraints = columns[n]->Get("constraints");
      if (!constraints || !column.not_null || std::find(table.primary_key.begin(), table.primary_key.end(), column.name) != table.primary_key.end()) continue;
      Add("withheld", fmt::format("a delete sends the key alone, unless the table's replica identity is FULL: column \"{}\" is NULL in such an event", column.name),
          "Set REPLICA IDENTITY FULL at the source, or leave out not_null.", *constraints, Severity::kWarning);
    }
  }

  void ColumnAll(const Node& node, const Column& column, const Table& table) {
    if (const Node* const name = node.Get("name"); name && name->is_text()) ColumnName(*name, table.mode == Mode::kHistory);
    const Node* const type = node.Get("data_type");
    if (type && type->is_text()) TypeAll(*type, column.type);
    if (const Node* const source_type = node.Get("source_type"); source_type && source_type->is_text()) {
      const SourceType source = ReadSourceType(source_type->text);
      if (!source.is_known)
        Add("source-type", fmt::format("source type \"{}\" is not known", source_type->text),
            "Its values are read as text, as the source writes them.", *source_type, Severity::kWarning);
      if (!column.expr && type && !source.is_opaque)
        if (const auto why = WhyNotHeld(column.type, source.type))
          Add("type-mismatch",
              fmt::format("column \"{}\" of type {} can't hold {}: {}", column.name, ToString(column.type), source_type->text,
                          *why),
              "Choose a wider type, or say with `expr` how it is to be made.", *type);
    }
    ColumnReferences(node);
  }

  void ColumnReferences(const Node& node) {
    if (const Node* const policy = node.Get("policy"); policy && policy->is_text() && !policies_.contains(policy->text)) {
      const std::string nearest = Nearest(policy->text, {policies_.begin(), policies_.end()});
      Add("unknown-name", fmt::format("policy \"{}\" is not declared", policy->text),
          !nearest.empty() ? fmt::format("Did you mean `{}`?", nearest) : "Declare it under `policies:`.", *policy);
    }
    for (const Node* const test : Mappings(node, "data_tests")) {
      const Node* const relationships = test->Get("relationships");
      if (!relationships) continue;
      const Node* const to = relationships->Get("to");
      const Node* const field = relationships->Get("field");
      if (!to || !to->is_text()) continue;
      Relation(*to);
      if (const Table* const other = contract_.table(to->text); other && field && field->is_text())
        ColumnOf(*other, *field, field->text);
    }
  }

  void TypeAll(const Node& at, const DataType& type) {
    std::set<std::string> seen;
    for (const auto& name : type.names)
      if (!seen.insert(Folded(name)).second)
        Add("case-only", fmt::format("field \"{}\" of a struct differs from another only by case", name),
            "Spark and Trino can't tell them apart.", at);
    if (type.kind == TypeKind::kMap && type.children[0].nested())
      Add("unknown-type", "a map's key can't be a list, struct or map", "Use a key of a plain type.", at);
    if (const auto& forms = FormsOf(type.kind); !forms.unread_by.empty())
      Add("not-everywhere", fmt::format("type {} can't be read by every engine: {}", ToString(type), forms.unread_by),
          fmt::format("Declare it as {} if such an engine is to read it.", forms.instead), at, Severity::kWarning);
    for (const auto& child : type.children) TypeAll(at, child);
  }

  void Key(const Node& node, const Table& table) {
    std::set<std::string> seen;
    for (const Node* const item : TextsOf(node, "primary_key")) {
      if (!seen.insert(item->text).second)
        Add("key-column", fmt::format("column \"{}\" stands twice in primary_key", item->text), "Keep one of them.", *item);
      const Column* const column = ColumnOf(table, *item, item->text);
      if (!column) continue;
      if (column->type.nested() || column->type.kind == TypeKind::kJson || column->type.kind == TypeKind::kFloat ||
          column->type.kind == TypeKind::kDouble)
        Add("key-column", fmt::format("column \"{}\" can't be part of a key: it is a {}", item->text, ToString(column->type)),
            "Use columns whose values are equal or not, beyond doubt.", *item);
      for (const Node* const declared : Mappings(node, "columns"))
        if (TextOf(*declared, "name") == item->text)
          if (const Node* const list = declared->Get("constraints"))
            for (const auto& constraint : list->items)
              if ((constraint.is_map() ? TextOf(constraint, "type") : constraint.text) == "nullable")
                Add("key-column", fmt::format("column \"{}\" of the primary key may be NULL", item->text),
                    "Remove `nullable` from its constraints.", constraint);
    }
  }

  void Partitions(const Node& node, const Table& table) {
    std::map<std::string, Transform> seen;
    for (const Node* const item : TextsOf(node, "partition_by")) {
      const auto field = ParsePartition(item->text);
      if (!field) continue;  // told when it was read
      const bool of_time = field->transform != Transform::kIdentity && field->transform != Transform::kBucket;
      for (const auto& [other, transform] : seen)
        if (other == field->column) {
          const bool other_of_time = transform != Transform::kIdentity && transform != Transform::kBucket;
          if (transform == field->transform)
            Add("partition", fmt::format("column \"{}\" stands twice in partition_by", field->column), "Keep one of them.", *item);
          else if (of_time && other_of_time)
            Add("partition", fmt::format("two times of column \"{}\" stand in partition_by", field->column),
                "Keep the finer one: month means year and month, and so on.", *item);
        }
      seen.emplace(field->column, field->transform);
      const Column* const column = ColumnOf(table, *item, field->column);
      if (!column) continue;
      if (const std::string why = WhyNoPartition(*field, column->type); !why.empty())
        Add("partition",
            fmt::format("column \"{}\" can't be partitioned by {}: {}", field->column, TransformName(field->transform), why),
            "See the reference for what partition_by takes.", *item);
    }
  }

  static std::string_view TransformName(Transform transform) {
    switch (transform) {
      case Transform::kIdentity: return "its values";
      case Transform::kYear: return "year";
      case Transform::kMonth: return "month";
      case Transform::kDay: return "day";
      case Transform::kHour: return "hour";
      case Transform::kBucket: return "bucket";
    }
    return "";
  }

  static std::string WhyNoPartition(const PartitionField& field, const DataType& type) {
    using enum TypeKind;
    if (type.nested()) return fmt::format("it is a {}", ToString(type));
    switch (field.transform) {
      case Transform::kIdentity:
        if (type.kind == kFloat || type.kind == kDouble) return fmt::format("a {} has no exact partitions", ToString(type));
        if (type.kind == kJson || type.kind == kBinary) return fmt::format("a {} is no partition's name", ToString(type));
        return {};
      case Transform::kHour:
        if (type.kind == kTimestamp || type.kind == kTimestamptz) return {};
        return fmt::format("{} has no hours of a day", ToString(type));
      case Transform::kYear:
      case Transform::kMonth:
      case Transform::kDay:
        if (type.kind == kTimestamp || type.kind == kTimestamptz || type.kind == kDate) return {};
        return fmt::format("{} has no days", ToString(type));
      case Transform::kBucket:
        if (type.kind == kInt || type.kind == kBigint || type.kind == kString || type.kind == kDate || type.kind == kTime ||
            type.kind == kTimestamp || type.kind == kTimestamptz || type.kind == kBinary)
          return {};
        return fmt::format("readers hash a {} differently", ToString(type));
    }
    return {};
  }

  void RoleAll(const Node& role) {
    for (const auto* const key : {"read", "read_files"})
      for (const Node* const item : TextsOf(role, key))
        if (item->text.find('*') == std::string::npos) Relation(*item);
    for (const auto* const key : {"read_journal", "run"})
      for (const Node* const item : TextsOf(role, key))
        if (item->text.find('*') == std::string::npos) Source(*item, item->text);
    if (const Node* const rows = role.Get("rows"))
      for (const auto& [name, condition] : rows->entries)
        if (name.scalar()) Relation(name);
  }

  /// A password that stands in the catalog's URL as it is.
  void PlainPassword(const Node& storage) {
    const Node* const catalog = storage.Get("catalog");
    if (!catalog || !catalog->is_text() || catalog->text.find("://") == std::string::npos) return;
    std::string text = catalog->text.substr(catalog->text.find("://") + 3);
    for (std::size_t at = 0; (at = text.find("${", at)) != std::string::npos; ++at) text.replace(at, text.find('}', at) - at + 1, "$");   // a reference is one sign
    const std::string_view authority = std::string_view(text).substr(0, text.find_first_of("/?"));
    const auto end = authority.rfind('@'), begin = authority.find(':'), named = text.find("password=");
    const bool in_front = end != std::string_view::npos && begin < end && begin + 1 < end && authority.substr(begin + 1, end - begin - 1).find('$') == std::string_view::npos;
    if (!in_front && (named == std::string::npos || text.substr(named + 9).starts_with("$"))) return;
    Add("plain-secret", "the password of \"catalog\" is written out", "Write ${env:NAME} or ${file:/run/secrets/name} in its place; what the files hold is kept with the contract.",
        *catalog);
  }
  /// Passwords that stand in a tap's configuration as they are.
  void PlainSecrets(const Node& source) {
    const Node* const singer = source.Get("singer");
    const Node* const config = singer ? singer->Get("config") : nullptr;
    if (config) PlainSecretsIn(*config);
  }
  void PlainSecretsIn(const Node& node) {
    for (const auto& item : node.items) PlainSecretsIn(item);
    for (const auto& [key, value] : node.entries) {
      PlainSecretsIn(value);
      if (!value.is_text() || value.text.empty() || value.text.find("${") != std::string::npos) continue;
      const std::string name = Folded(key.text);
      for (const auto* const word : {"password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "access_key"})
        if (name.ends_with(word)) {
          Add("plain-secret", fmt::format("\"{}\" looks like a secret", key.text),
              "Write ${env:NAME} or ${file:/run/secrets/name} in its place; what the files hold is kept with the contract.", key,
              Severity::kWarning);
          break;
        }
    }
  }

  const WarehouseTree& tree_;
  const Contract& contract_;
  Findings& findings_;
  std::set<std::string> relations_, policies_;
  std::vector<std::string> sources_;
};

void ResolveAll(const Node& node, Findings& findings) {
  for (const auto& item : node.items) ResolveAll(item, findings);
  for (const auto& [key, value] : node.entries) ResolveAll(value, findings);
  if (!node.is_text() || node.text.find("${") == std::string::npos) return;
  if (auto secret = SecretTemplate(node.text).Resolve(); !secret)
    findings.push_back({Severity::kError, "secret", secret.error().message, secret.error().hint, node.place, EndOf(node)});
}

/// Only where the declaration lets references stand: SQL and descriptions may hold `${` for themselves.
void ResolveIn(const Node& node, const Shape& shape, Findings& findings) {
  if (shape.references) return ResolveAll(node, findings);
  for (const auto& part : shape.parts) {
    for (const auto& item : node.items) ResolveIn(item, part, findings);
    if (shape.form == Shape::Form::kMap)
      for (const auto& [key, value] : node.entries) ResolveIn(value, part, findings);
    if (shape.form == Shape::Form::kEither) ResolveIn(node, part, findings);
  }
  if (shape.object && node.is_map())
    for (const auto& key : shape.object->keys)
      if (const Node* const value = node.Get(key.name)) ResolveIn(*value, key.shape, findings);
}

}  // namespace

void CrossCheck(const WarehouseTree& tree, const Contract& contract, const std::vector<SourceFile>& files, Findings& findings) {
  CrossChecker(tree, contract, files, findings).All();
}

void CheckReferences(const WarehouseTree& tree, Findings& findings) {
  const Shape top{.form = Shape::Form::kObject, .object = &WarehouseKeys()};
  for (const auto& file : tree.files) ResolveIn(file, top, findings);
}

}  // namespace nano::contract
