// SPDX-License-Identifier: Apache-2.0
#include "contract/read.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/ranges.h>

#include "contract/listen.h"
#include "contract/units.h"

namespace nano::contract {
namespace {

void Add(Findings& findings, std::string code, std::string message, std::string hint, const Node& at) {
  findings.push_back({Severity::kError, std::move(code), std::move(message), std::move(hint), at.place, EndOf(at)});
}

std::vector<std::string> Strings(const std::vector<const Node*>& nodes) {
  std::vector<std::string> out;
  for (const Node* const node : nodes) out.push_back(node->text);
  return out;
}

/// The enumeration's value of a key's word; `otherwise` where it has none.
template <class T>
T WordOf(const Node& parent, std::string_view key, std::initializer_list<std::pair<std::string_view, T>> words, T otherwise) {
  const std::string text = TextOf(parent, key);
  for (const auto& [word, value] : words)
    if (word == text) return value;
  return otherwise;
}

std::vector<Test> ReadTests(const Node& parent) {
  std::vector<Test> tests;
  const Node* const list = parent.Get("data_tests");
  if (!list) return tests;
  for (const auto& item : list->items) {
    if (item.is_text()) tests.push_back({item.text, "{}", item.place});
    if (item.is_map())
      for (const auto& [name, arguments] : item.entries)
        if (arguments.is_map()) tests.push_back({name.text, ToJson(arguments), item.place});
  }
  return tests;
}

void ReadStorage(const Node& node, Contract& contract) {
  Storage& storage = contract.storage;
  storage.place = node.place;
  if (auto root = TextOf(node, "root"); !root.empty()) storage.root = root;
  storage.local = TextOf(node, "local");
  if (auto catalog = TextOf(node, "catalog"); !catalog.empty()) storage.catalog = catalog;
  if (storage.root.find("://") != std::string::npos)
    contract.not_yet.push_back({"storage.root: " + storage.root, node.Get("root")->place});
  if (storage.local.find("://") != std::string::npos)
    contract.not_yet.push_back({"storage.local: " + storage.local, node.Get("local")->place});
  if (const Node* const format = node.Get("format"); format && format->is_map()) {
    if (auto compression = TextOf(*format, "compression"); !compression.empty()) storage.compression = compression;
    if (const auto bytes = Bytes(TextOf(*format, "target_file_size")); bytes > 0) storage.target_file_bytes = bytes;
  }
  if (const Node* const journal = node.Get("journal"); journal && journal->is_map()) {
    if (auto every = TextOf(*journal, "commit_every"); !every.empty()) storage.commit_every_ms = Milliseconds(every);
    if (const auto bytes = Bytes(TextOf(*journal, "commit_bytes")); bytes > 0) storage.commit_bytes = bytes;
    if (auto keep = TextOf(*journal, "keep"); !keep.empty()) storage.journal_keep_ms = Milliseconds(keep);
    if (const Node* const base = journal->Get("base_image")) storage.journal_base_image = ToJson(*base) != "false";
  }
  if (const auto free = TextOf(node, "keep_free"); !free.empty()) storage.keep_free_bytes = Bytes(free);
  if (auto grace = TextOf(node, "grace"); !grace.empty()) storage.grace_seconds = (Milliseconds(grace) + 999) / 1000;
  if (const Node* const iceberg = node.Get("iceberg")) {
    if (iceberg->is_text() && iceberg->text == "off") storage.publish = false;
    if (iceberg->is_map())
      if (auto every = TextOf(*iceberg, "publish_every"); !every.empty())
        storage.publish_every_seconds = (Milliseconds(every) + 999) / 1000;
  }
}

void ReadSinger(const Node& node, Source& source) {
  source.file = TextOf(node, "file");
  if (!source.file.empty()) {
    source.kind = Source::Kind::kSingerFile;
    return;
  }
  source.tap.tap = TextOf(node, "tap");
  if (source.tap.tap.empty()) return;
  source.kind = Source::Kind::kSingerTap;
  source.tap.arguments = Strings(TextsOf(node, "arguments"));
  source.tap.pip = TextOf(node, "pip");
  if (auto catalog = TextOf(node, "catalog"); !catalog.empty()) source.tap.catalog = catalog;
  if (auto every = TextOf(node, "every"); !every.empty()) source.tap.every_ms = Milliseconds(every);
  source.tap.select = Strings(TextsOf(node, "select"));
  const Node* const config = node.Get("config");
  source.tap_config = SecretTemplate(config && config->is_map() ? ToJson(*config) : "{}");
  if (const Node* const environment = node.Get("environment"))
    for (const auto& [name, value] : environment->entries)
      if (value.is_text()) source.tap.environment.emplace(name.text, SecretTemplate(value.text));
}

void ReadPostgres(const Node& node, Source& source) {
  source.kind = Source::Kind::kPostgres;
  PostgresSource& postgres = source.postgres;
  postgres.url = SecretTemplate(TextOf(node, "url"));
  if (auto publication = TextOf(node, "publication"); !publication.empty()) postgres.publication = publication;
  postgres.slot = TextOf(node, "slot");
  postgres.streams = Strings(TextsOf(node, "streams"));
  if (const auto bytes = Bytes(TextOf(node, "max_wal")); bytes > 0) postgres.max_wal_bytes = bytes;
  const auto lost = TextOf(node, "on_slot_lost");
  if (lost == "resync") postgres.on_slot_lost = PostgresSource::OnSlotLost::kResync;
  if (lost == "heal") postgres.on_slot_lost = PostgresSource::OnSlotLost::kHeal;
}

Source ReadSource(const Node& node) {
  Source source;
  source.name = TextOf(node, "name");
  source.place = node.place;
  if (const Node* const singer = node.Get("singer"); singer && singer->is_map()) ReadSinger(*singer, source);
  if (const Node* const debezium = node.Get("debezium"); debezium && debezium->is_map()) {
    source.file = TextOf(*debezium, "file");
    if (!source.file.empty()) source.kind = Source::Kind::kDebeziumFile;
    source.http_path = TextOf(*debezium, "http");
    if (source.file.empty() && !source.http_path.empty()) source.kind = Source::Kind::kDebeziumHttp;
    for (const auto* const door : {"kafka", "server"})
      if (source.file.empty() && debezium->Get(door)) source.unsupported = std::string("debezium.") + door;
  }
  if (const Node* const postgres = node.Get("postgres"); postgres && postgres->is_map()) ReadPostgres(*postgres, source);
  if (node.Get("warehouse")) source.unsupported = "warehouse";
  return source;
}

std::vector<std::string> ReadFieldPath(const Node& node, const std::string& column, Findings& findings) {
  const Node* const field = node.Get("field");
  if (!field) return {column};
  if (field->is_list()) {
    auto path = Strings(TextsOf(node, "field"));
    return path.empty() ? std::vector<std::string>{column} : path;
  }
  if (!field->is_text()) return {column};
  std::vector<std::string> path;
  std::string_view rest = field->text;
  for (;;) {
    const auto point = rest.find('.');
    path.emplace_back(rest.substr(0, point));
    if (point == std::string_view::npos) break;
    rest.remove_prefix(point + 1);
  }
  if (std::any_of(path.begin(), path.end(), [](const std::string& part) { return part.empty(); })) {
    Add(findings, "field-path", fmt::format("\"field\" has an empty name in \"{}\"", field->text),
        "Write a list of names where they hold points.", *field);
    return {column};
  }
  return path;
}

/// What a word of other systems is called here.
constexpr std::pair<std::string_view, std::string_view> kTypesElsewhere[] = {
    {"integer", "int"}, {"int4", "int"}, {"smallint", "int"}, {"int8", "bigint"}, {"long", "bigint"}, {"text", "string"}, {"varchar", "string"},
    {"char", "string"}, {"numeric", "decimal(18,2)"}, {"number", "decimal(18,2)"}, {"real", "float"}, {"float8", "double"}, {"bool", "boolean"},
    {"datetime", "timestamp"}, {"bytea", "binary"}, {"bytes", "binary"}, {"blob", "binary"}, {"jsonb", "json"}, {"array", "list<…>"},
    {"object", "struct<…>"}, {"record", "struct<…>"}};

/// What may have been meant by the first word of a type that is none.
std::string TypeHint(const std::string& text) {
  static const std::vector<std::string> kTypes = {"boolean", "int", "bigint", "float", "double", "decimal", "string", "binary", "uuid",
                                                  "date", "time", "timestamp", "timestamptz", "json", "list", "struct", "map"};
  std::string word;
  bool unknown = false;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(at < text.size() ? text[at] : ' ');
    if (std::isalnum(byte) || byte == '_') {
      word += static_cast<char>(std::tolower(byte));
      continue;
    }
    if (byte == ':') word.clear();   // a struct's field
    for (const auto& [elsewhere, here] : kTypesElsewhere)
      if (word == elsewhere) return fmt::format("It is called `{}` here.", here);
    if (!word.empty() && !std::isdigit(static_cast<unsigned char>(word[0])) && std::find(kTypes.begin(), kTypes.end(), word) == kTypes.end()) {
      if (const std::string near = Nearest(word, kTypes); !near.empty()) return fmt::format("Did you mean `{}`?", near);
      unknown = true;
    }
    word.clear();
  }
  return unknown ? fmt::format("The types are {}.", fmt::join(kTypes, ", ")) : std::string();
}

void ReadConstraints(const Node& node, Column& column, Findings& findings) {
  const Node* const list = node.Get("constraints");
  if (!list || !list->is_list()) return;
  bool nullable = false;
  for (const auto& item : list->items) {
    const std::string word = item.is_map() ? TextOf(item, "type") : item.text;
    column.not_null = column.not_null || word == "not_null";
    nullable = nullable || word == "nullable";
  }
  if (nullable && column.not_null)
    Add(findings, "constraint", fmt::format("column \"{}\" is both not_null and nullable", column.name), "Keep one of them.",
        *list);
}

Column ReadColumn(const Node& node, Findings& findings) {
  Column column;
  column.name = TextOf(node, "name");
  column.place = node.place;
  column.description = TextOf(node, "description");
  column.tags = Strings(TextsOf(node, "tags"));
  column.tests = ReadTests(node);
  column.field = ReadFieldPath(node, column.name, findings);
  if (auto source_type = TextOf(node, "source_type"); !source_type.empty()) column.source_type = source_type;
  if (auto expr = TextOf(node, "expr"); !expr.empty()) {
    if (expr.find("--") != std::string::npos) expr += '\n';  // so that a remark at its end ends where SQL goes on
    column.expr = std::move(expr);
  }
  ReadConstraints(node, column, findings);
  if (const Node* const type = node.Get("data_type"); type && type->is_text() && !type->text.empty()) {
    if (auto parsed = ParseDataType(type->text))
      column.type = *std::move(parsed);
    else
      Add(findings, "unknown-type", parsed.error().message, parsed.error().hint.empty() ? TypeHint(type->text) : parsed.error().hint, *type);
  }
  return column;
}

std::vector<TableSource> ReadTableSources(const Node& node, const std::string& table) {
  std::vector<TableSource> out;
  const auto one = [&](const Node& item) {
    TableSource source{TextOf(item, "name"), TextOf(item, "stream")};
    if (source.stream.empty()) source.stream = table;
    if (!source.source.empty()) out.push_back(std::move(source));
  };
  const Node* const source = node.Get("source");
  if (!source) return out;
  if (source->is_text())
    out.push_back({source->text, table});
  else if (source->is_map())
    one(*source);
  for (const auto& item : source->items)
    if (item.is_map()) one(item);
  return out;
}

bool IsKey(const Table& table, const std::string& column) {
  return std::find(table.primary_key.begin(), table.primary_key.end(), column) != table.primary_key.end();
}

Table ReadTable(const Node& node, Findings& findings) {
  Table table;
  table.name = TextOf(node, "name");
  table.place = node.place;
  for (const auto& [key, value] : node.entries)
    if (key.is_text()) table.places.emplace(key.text, key.place);
  table.description = TextOf(node, "description");
  table.tags = Strings(TextsOf(node, "tags"));
  table.tests = ReadTests(node);
  table.sources = ReadTableSources(node, table.name);
  table.mode_given = node.Get("mode") != nullptr;
  table.mode =
      WordOf(node, "mode",
             {{"append", Mode::kAppend}, {"upsert", Mode::kUpsert}, {"replace", Mode::kReplace}, {"history", Mode::kHistory}},
             Mode::kUpsert);
  table.deletes =
      WordOf(node, "deletes", {{"hard", Deletes::kHard}, {"soft", Deletes::kSoft}, {"ignore", Deletes::kIgnore}}, Deletes::kHard);
  table.primary_key = Strings(TextsOf(node, "primary_key"));
  table.sort_by = Strings(TextsOf(node, "sort_by"));
  table.on_new_field = WordOf(node, "on_new_field",
                              {{"quarantine", OnNewField::kQuarantine},
                               {"append_new_columns", OnNewField::kAppendNewColumns},
                               {"ignore", OnNewField::kIgnore},
                               {"fail", OnNewField::kFail}},
                              OnNewField::kQuarantine);
  table.on_type_mismatch =
      WordOf(node, "on_type_mismatch",
             {{"quarantine", OnTypeMismatch::kQuarantine}, {"null", OnTypeMismatch::kNull}, {"fail", OnTypeMismatch::kFail}},
             OnTypeMismatch::kQuarantine);
  table.special_values =
      WordOf(node, "special_values",
             {{"quarantine", SpecialValues::kQuarantine}, {"null", SpecialValues::kNull}, {"clamp", SpecialValues::kClamp}},
             SpecialValues::kQuarantine);
  if (const auto bytes = Bytes(TextOf(node, "target_file_size")); bytes > 0) table.target_file_bytes = bytes;
  for (const Node* const column : Mappings(node, "columns")) table.columns.push_back(ReadColumn(*column, findings));
  for (auto& column : table.columns)
    if (std::find(table.primary_key.begin(), table.primary_key.end(), column.name) != table.primary_key.end())
      column.not_null = true;
  for (const Node* const item : TextsOf(node, "partition_by")) {
    auto field = ParsePartition(item->text);
    if (field)
      table.partition_by.push_back(*std::move(field));
    else
      Add(findings, "partition", field.error().message, field.error().hint, *item);
  }
  return table;
}

/// Off loopback nothing is served to whoever comes along.
void ReadServe(const Node& node, Contract& contract, Findings& findings) {
  const Node* const http = node.Get("http");
  if (!http || !http->is_map()) return;
  contract.http.listen = TextOf(*http, "listen");
  contract.http.token = SecretTemplate(TextOf(*http, "token"));
  const Node* const listen = http->Get("listen");
  if (!listen) return;
  const auto place = ParseListen(contract.http.listen);
  if (!place) Add(findings, "listen", place.error().message, "Write 127.0.0.1:8080.", *listen);
  else if (!place->is_loopback() && contract.http.token.empty())
    Add(findings, "open-door", fmt::format("{} can be reached from other machines, and whoever comes needs no token", contract.http.listen),
        "Add `token: \"${env:NANOHOUSE_TOKEN}\"`, or listen on 127.0.0.1.", *listen);
}

Exposure ReadExposure(const Node& node) {
  Exposure exposure;
  exposure.name = TextOf(node, "name");
  exposure.type = TextOf(node, "type");
  exposure.depends_on = Strings(TextsOf(node, "depends_on"));
  exposure.place = node.place;
  if (const Node* const version = node.Get("uses_version"); version && version->kind == Node::Kind::kInteger) {
    int number = 0;
    std::from_chars(version->text.data(), version->text.data() + version->text.size(), number);
    exposure.uses_version = number;
  }
  return exposure;
}

std::string SingleText(const WarehouseTree& tree, const std::string& key) {
  const auto found = tree.single.find(key);
  return found != tree.single.end() && found->second->is_text() ? found->second->text : std::string();
}

}  // namespace

void ReadContract(const WarehouseTree& tree, Contract& contract, Findings& findings) {
  contract.warehouse = SingleText(tree, "warehouse");
  if (auto version = SingleText(tree, "version"); !version.empty()) contract.version = version;
  const auto version_node = tree.single.find("version");
  contract.version_place = version_node != tree.single.end() ? version_node->second->place : Place{"nanohouse.yaml", 1, 1};
  contract.domain = SingleText(tree, "domain");
  contract.description = SingleText(tree, "description");
  if (const auto storage = tree.single.find("storage"); storage != tree.single.end() && storage->second->is_map())
    ReadStorage(*storage->second, contract);
  if (contract.storage.local.empty()) contract.storage.local = contract.storage.root;
  if (const auto serve = tree.single.find("serve"); serve != tree.single.end() && serve->second->is_map()) ReadServe(*serve->second, contract, findings);
  for (const Node* const node : tree.sources) contract.sources.push_back(ReadSource(*node));
  for (const Node* const node : tree.tables) {
    contract.tables.push_back(ReadTable(*node, findings));
    for (const auto& feed : contract.tables.back().sources)
      if (const Source* const source = contract.source(feed.source))
        contract.tables.back().of_changes |= source->sends_changes();
    for (const auto& column : contract.tables.back().columns)
      if (column.not_null && column.expr && IsKey(contract.tables.back(), column.name))
        contract.not_yet.push_back({fmt::format("expr of the key column \"{}\"", column.name), column.place});
  }
  for (const Node* const node : tree.exposures) contract.exposures.push_back(ReadExposure(*node));
}

int Contract::major() const {
  int number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

std::set<std::string> Contract::used_sources() const {
  std::set<std::string> used;
  for (const auto& table : tables)
    for (const auto& feed : table.sources) used.insert(feed.source);
  return used;
}

const Source* Contract::source(const std::string& name) const {
  for (const auto& candidate : sources)
    if (candidate.name == name) return &candidate;
  return nullptr;
}

const Table* Contract::table(const std::string& name) const {
  for (const auto& candidate : tables)
    if (candidate.name == name) return &candidate;
  return nullptr;
}

const Column* Table::column(const std::string& column_name) const {
  for (const auto& candidate : columns)
    if (candidate.name == column_name) return &candidate;
  return nullptr;
}

}  // namespace nano::contract
