// SPDX-License-Identifier: Apache-2.0
// The top of the language, and the look-ups over all of it. What stands below is declared in keys_*.cc.
#include "contract/keys.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <regex>

#include "contract/declare.h"

namespace nano::contract {
namespace {

const Object& Owner() {
  static const Object object{
      .name = "owner",
      .where = "`owner`",
      .doc = "Who answers for it.",
      .keys = {
          {.name = "team", .shape = Text(), .doc = "The team.", .example = "checkout", .support = Support::kNoted},
          {.name = "name", .shape = Text(), .doc = "A person's name.", .example = "Ada Nowak", .support = Support::kNoted},
          {.name = "email",
           .shape = Text(),
           .doc = "Where to write to.",
           .example = "checkout@example.com",
           .support = Support::kNoted},
      }};
  return object;
}

void Collect(const Shape& shape, std::vector<const Object*>& out);
void Collect(const Object& object, std::vector<const Object*>& out) {
  if (std::find(out.begin(), out.end(), &object) != out.end()) return;
  out.push_back(&object);
  for (const auto& key : object.keys) Collect(key.shape, out);
}
void Collect(const Shape& shape, std::vector<const Object*>& out) {
  if (shape.object) Collect(*shape.object, out);
  for (const auto& part : shape.parts) Collect(part, out);
}

constexpr std::array<FormatRule, 16> kFormats{{
    {Format::kAny, "text", "", "text"},
    {Format::kLabel, "label", R"(^[^\x00-\x1f\x7f]+$)", "1 to 255 characters on one line"},
    {Format::kName, "name", R"(^[^\x00-\x1f\x7f]+$)", "a name of 1 to 255 characters"},
    {Format::kWarehouseName, "plain name", R"(^[A-Za-z_][A-Za-z0-9_-]*$)",
     "a name of letters, digits, `_` and `-` that begins with a letter"},
    {Format::kDuration, "duration", R"(^[0-9]{1,6}(ms|s|m|h|d)$)", "a number and ms, s, m, h or d, such as 10m"},
    {Format::kBytes, "size", R"(^[1-9][0-9]{0,5}(B|KB|MB|GB|TB)$)", "a number and B, KB, MB, GB or TB, such as 128MB"},
    {Format::kClock, "time of day", R"(^([01][0-9]|2[0-3]):[0-5][0-9]$)", "a time of day, such as \"00:00\""},
    {Format::kVersion, "version", R"(^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$)",
     "a version of three numbers, such as 1.4.0"},
    {Format::kDataType, "type", R"(^\s*[A-Za-z][\s\S]*$)", "a type, such as bigint or decimal(18,2)"},
    {Format::kPath, "path", R"(^(?!.*\$\{)[^\x00-\x1f\x7f]+$)", "a path, without ${…}"},
    {Format::kPartition, "partition", R"(^[^\x00-\x1f\x7f]+$)", "a column, or year, month, day, hour or bucket(n, …) of one"},
    {Format::kSql, "SQL", R"(^[\s\S]*\S[\s\S]*$)", "SQL"},
    {Format::kListen, "address", R"(^[^\s]+:[0-9]{1,5}$)", "an address and a port, such as 127.0.0.1:8080"},
    {Format::kHttpPath, "URL path", R"(^/[^\s]*$)", "a path that begins with /"},
    {Format::kCatalog, "catalog", R"(^(sqlite:(?!.*\$\{)[^\x00-\x1f\x7f]+|postgres(ql)?://[^\s]+|\$\{[^}]+\})$)", "sqlite:<file>, or postgresql://…"},
    {Format::kUrl, "URL", R"(^[^\x00-\x1f\x7f]+$)", "a URL, or a reference such as ${env:NAME}"},
}};

std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

Key OwnerKey() {
  return {.name = "owner",
          .shape = In(Owner()),
          .doc = "Who answers for it.",
          .example = "{team: checkout, email: checkout@example.com}",
          .support = Support::kNoted};
}

Key DescriptionKey(std::string_view example) {
  return {.name = "description",
          .shape = Text(),
          .doc = "What it is, for people; kept with the contract.",
          .example = example,
          .mistaken = {"doc", "comment"}};
}

Key TagsKey() {
  return {.name = "tags",
          .shape = Either({Text(Format::kLabel), List(Text(Format::kLabel))}),
          .doc = "Words to select by.",
          .example = "[pii]",
          .support = Support::kNoted,
          .mistaken = {"labels"}};
}

const FormatRule& RuleOf(Format format) {
  for (const auto& rule : kFormats)
    if (rule.format == format) return rule;
  return kFormats[0];
}

bool Matches(Format format, std::string_view text) {
  if (format == Format::kAny) return true;
  if (format == Format::kSql || format == Format::kDataType) {  // of any length: judged by those that read it
    const auto first = text.find_first_not_of(" \t\r\n\f\v");
    if (first == std::string_view::npos) return false;
    return format == Format::kSql ||
           (static_cast<unsigned char>(text[first]) < 0x80 && std::isalpha(static_cast<unsigned char>(text[first])));
  }
  if (Characters(text) > kLongestFormatted) return false;
  static const auto patterns = [] {
    std::vector<std::pair<Format, std::regex>> all;
    for (const auto& rule : kFormats)
      if (!rule.pattern.empty()) all.emplace_back(rule.format, std::regex(std::string(rule.pattern)));
    return all;
  }();
  for (const auto& [candidate, pattern] : patterns)
    if (candidate == format) return std::regex_match(text.begin(), text.end(), pattern);
  return false;
}

const Key* Object::key(std::string_view wanted) const {
  for (const auto& key : keys)
    if (key.name == wanted) return &key;
  return nullptr;
}

const Object& WarehouseKeys() {
  static const Object object{
      .name = "warehouse",
      .where = "the top of `nanohouse.yaml`, and of the files under `sources/`, `tables/`, `models/` and `roles/`",
      .doc =
          "One warehouse. Every file may hold every key; lists and `policies` of all files are joined, any other key stands in one "
          "of them.",
      .keys = {
          {.name = "nanohouse", .shape = Integer(1, 1), .required = true, .doc = "The version of this language.", .example = "1"},
          {.name = "warehouse",
           .shape = Text(Format::kWarehouseName),
           .required = true,
           .doc = "The warehouse's name.",
           .example = "shop"},
          {.name = "version",
           .shape = Text(Format::kVersion),
           .fallback = "1.0.0",
           .doc = "The contract's version; its major number is the live version, so 1.4.0 is `v1`.",
           .example = "1.4.0"},
          {.name = "domain", .shape = Text(), .doc = "The data domain.", .example = "sales", .support = Support::kNoted},
          OwnerKey(),
          DescriptionKey("Orders and customers of the web shop."),
          {.name = "storage",
           .shape = In(StorageKeys()),
           .doc = "Where the warehouse keeps what it has, and how.",
           .example = "{root: ./data}"},
          {.name = "serve",
           .shape = In(ServeKeys()),
           .doc = "The doors through which the warehouse is read.",
           .example = "{http: {listen: \"127.0.0.1:8080\"}}"},
          {.name = "sources",
           .shape = List(In(SourceKeys())),
           .doc = "Where data comes from.",
           .example = "[{name: shop_cdc, debezium: {file: changes.jsonl}}]"},
          {.name = "tables",
           .shape = List(In(TableKeys())),
           .doc = "The tables that streams fill.",
           .example = "[{name: orders, source: {name: shop_cdc, stream: public.orders}}]"},
          {.name = "models",
           .shape = List(In(ModelKeys())),
           .doc = "What is said about models beside their SQL.",
           .example = "[{name: daily_revenue}]",
           .support = Support::kLater},
          {.name = "policies",
           .shape = Map(Format::kLabel, In(PolicyKeys())),
           .doc = "Named treatments of a column.",
           .example = "{hidden: {deny: true}}",
           .support = Support::kLater},
          {.name = "roles",
           .shape = List(In(RoleKeys())),
           .doc = "Who may see and do what.",
           .example = "[{name: analyst, read: [orders]}]",
           .support = Support::kLater},
          {.name = "alerts",
           .shape = List(In(AlertKeys())),
           .doc = "Whom to tell of what.",
           .example = "[{webhook: \"${env:ALERT_URL}\", on: [freshness]}]",
           .support = Support::kLater},
          {.name = "exposures",
           .shape = List(In(ExposureKeys())),
           .doc = "Who reads the warehouse.",
           .example = "[{name: weekly_sales, type: dashboard, depends_on: [orders]}]",
           .support = Support::kNoted},
      }};
  return object;
}

const std::vector<const Object*>& AllObjects() {
  static const auto all = [] {
    std::vector<const Object*> out;
    Collect(WarehouseKeys(), out);
    return out;
  }();
  return all;
}

}  // namespace nano::contract
