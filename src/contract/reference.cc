// SPDX-License-Identifier: Apache-2.0
#include "contract/diff.h"
#include "contract/finding.h"
#include "contract/functions.h"
#include "contract/keys.h"
#include "contract/published.h"

namespace nano::contract {
namespace {

using Form = Shape::Form;

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string Anchor(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c != '.') out += c;
  return out;
}

std::string Takes(const Shape& shape) {
  switch (shape.form) {
    case Form::kText: return std::string(RuleOf(shape.format).name) + (shape.references ? " (`${…}` may stand in it)" : "");
    case Form::kInteger: return "whole number";
    case Form::kNumber: return "number";
    case Form::kBoolean: return "true or false";
    case Form::kScalar: return "one value";
    case Form::kWords: {
      std::string out;
      for (const auto& word : shape.words)
        out += fmt::format("{}`{}`{}", out.empty() ? "" : ", ", word.text, word.support == Support::kLater ? " (not yet)" : "");
      return out;
    }
    case Form::kList: return "list of " + Takes(shape.parts[0]);
    case Form::kMap:
      return shape.parts[0].form == Form::kAny ? "mapping" + std::string(shape.references ? " (`${…}` may stand in it)" : "")
                                               : "mapping of names to " + Takes(shape.parts[0]);
    case Form::kObject: return fmt::format("[{}](#{})", shape.object->name, Anchor(shape.object->name));
    case Form::kEither: {
      std::string out;
      for (const auto& part : shape.parts) out += (out.empty() ? "" : "; or ") + Takes(part);
      return out;
    }
    case Form::kAny: return "anything";
  }
  return {};
}

void AppendWords(const Key& key, const Shape& shape, std::string& out) {
  bool any = false;
  for (const auto& word : shape.words) any = any || !word.doc.empty();
  if (any) {
    out += fmt::format("\n`{}`:\n\n", key.name);
    for (const auto& word : shape.words)
      out += fmt::format("- `{}`{}: {}\n", word.text, word.support == Support::kLater ? " (not yet)" : "", word.doc);
  }
  for (const auto& part : shape.parts) AppendWords(key, part, out);
}

void AppendObject(const Object& object, std::string& out) {
  out += fmt::format("\n### {}\n\n{} It is {}.\n", object.name, object.doc, object.where);
  if (object.one_of.size() > 1) {
    out += "\nExactly one of ";
    for (std::size_t i = 0; i < object.one_of.size(); ++i)
      out += fmt::format("{}`{}`", i == 0 ? "" : i + 1 == object.one_of.size() ? " and " : ", ", object.one_of[i]);
    out += " must be there.\n";
  }
  out += "\n| key | takes | default | meaning | example |\n|---|---|---|---|---|\n";
  for (const auto& key : object.keys) {
    const std::string fallback = key.required ? "must be there" : std::string(key.fallback);
    out += fmt::format("| `{}` | {} | {} | {}{} | `{}` |\n", key.name, Escaped(Takes(key.shape)), Escaped(fallback),
                       Escaped(key.doc), key.support == Support::kLater ? " *Not yet.*" : "", Escaped(key.example));
  }
  for (const auto& key : object.keys) AppendWords(key, key.shape, out);
}

constexpr std::string_view kIntroduction = R"md(# The schema language

<!-- Made by `nanohouse schema reference`; a test holds it against the program. -->

One language, in YAML, says everything about a warehouse. `nanohouse.yaml` stands in the warehouse's folder; every `*.yaml` and `*.yml`
under `sources/`, `tables/`, `models/` and `roles/` is joined with it, in any number of files and folders. `nanohouse check` reports every
mistake of every file in one run; `nanohouse schema json-schema` prints the JSON Schema with which editors complete and check
(`# yaml-language-server: $schema=schema.json` as a file's first line).

What is marked *not yet* is known, and `apply` refuses it with "not supported yet": nothing is silently ignored.

YAML is read as version 1.2 has it: `yes`, `no`, `on` and `off` are text, and a value that should be text but looks like a number
(`version: 1.4`) is a mistake, not a guess. Anchors and aliases work; merge keys (`<<`) do not. A key that stands twice is a mistake.

A smallest warehouse:

```yaml
nanohouse: 1
warehouse: shop
sources:
  - name: shop_cdc
    debezium: {file: changes.jsonl}
tables:
  - name: orders
    source: {name: shop_cdc, stream: public.orders}
```

## Keys
)md";

constexpr std::string_view kRules = R"md(
## Names

- Tables and models share one namespace. `build`, `nanohouse`, `journal` and `v` with a number are reserved, and so is every name that begins with `_`.
- A column's name may be anything but a name that begins with `_` or `$`: those are the warehouse's own, or keep Trino from opening the table. A source's
  field of such a name is taken with `field:`.
- Names that differ only by case are a mistake: Spark and Trino can't open such a table.
- Stream names are what the source calls them: `schema.table` for databases and Debezium (from the envelope's `source`, not the topic), the stream's name
  for Singer.

## Columns, fields and types

A table without `columns` takes all fields of its source, with inferred types. A column takes the field of its own name, or the one that `field` names:
`address.city` is a path into a nested record; where names hold points themselves, write a list: `[address, "zip.code"]`.

`source_type` says what the field is at the source. Without `expr`, the column must be able to hold it: `bigint` into `int` is a mistake, `int` into
`bigint` is not. Text may become anything, value by value ([types](types.md)). The columns of `primary_key` are `not_null` by themselves; a column of the
key that is declared `nullable` is a mistake, and so is one of a type that has no certain equality (float, double, json, list, struct, map).

## Partitions

| item | of | not of, and why |
|---|---|---|
| a column | boolean, int, bigint, decimal, string, uuid, date, time, timestamp, timestamptz | float and double (no exact partitions), json, binary, list, struct, map |
| `year(c)`, `month(c)`, `day(c)` | date, timestamp, timestamptz (in UTC) | |
| `hour(c)` | timestamp, timestamptz (in UTC) | date |
| `bucket(n, c)` | int, bigint, string, date, time, timestamp, timestamptz, binary | decimal, uuid, boolean, float, double: DuckLake and Iceberg hash them differently |

`month` means year and month, `day` the day, `hour` the hour of that day: one of them for a column. A column whose name is not plain stands in double quotes:
`month("created at")`.

## What a mode makes of each event

| event | `append` | `upsert`, `deletes: hard` |
|---|---|---|
| insert, snapshot row | a row | the key's row; one that is there is replaced |
| update | a row | the key's row is replaced; a value that was not sent stays as it was |
| delete | a row | the key's row is gone |
| key change | a row for each of its two events | the old key's row is gone, the new key's row is there |
| truncate | a row | all rows are gone |
| full snapshot again | its rows once more | rows are replaced, none is doubled |

An upsert table whose source has no key matches whole rows, one occurrence a change, where the source sends full images; where it sends none, it can only
append. The modes `replace` and `history`, and `deletes: soft` and `ignore`, come later.

## Expressions

`expr` is one SQL expression over the source's fields, as DuckDB reads it. `check` lets DuckDB bind it against the declared types (a field's type is the
`source_type` of the column that names it, else the `data_type` of a column that takes it as it is, else that of the expression's own column) and refuses

- a field whose type no column declares;
- anything that sees more than one row, or may give another value another time: aggregates, windows, queries, the clock, settings, random numbers, and
  every function that is not on the list below. Sessions run in UTC;
- a double on its way into a decimal: `amount / 100` is a double, `amount * 0.01` is exact; `1e-2` is a double, `0.01` a decimal;
- a result with more digits after the point than the column has (write `round(…, 2)`), or of a type that the column can't hold. Digits before the point
  are checked value by value; a result that is text may fill a column of any plain type, and is read as text from the source is
  (`nullif(temperature, 'NA')` into a decimal);
- HUGEINT and nanosecond types, which no table holds exactly.

A name that is a word of SQL (`at`, `order`) stands in double quotes.
)md";

}  // namespace

std::string SchemaReferenceMarkdown() {
  std::string out(kIntroduction);
  for (const Object* const object : AllObjects()) AppendObject(*object, out);
  out += "\n## Formats\n\n| format | what it takes |\n|---|---|\n";
  for (int i = 0; i <= static_cast<int>(Format::kUrl); ++i)
    if (const auto& rule = RuleOf(static_cast<Format>(i)); rule.format != Format::kAny)
      out += fmt::format("| {} | {} |\n", rule.name, Escaped(rule.says));
  out +=
      "\nA size counts in powers of 1024: 1KB is 1024 bytes. `${env:NAME}` is an environment variable, `${file:/path}` a file's "
      "content without its last line\n"
      "break; they are resolved where the value is used, never printed, never stored.\n";
  out += kRules;
  out += "\nThe functions and operators that an expression may use:\n\n";
  std::string line;
  for (const auto function : ImmutableFunctions()) {
    const std::string word = fmt::format("`{}` ", function);
    if (line.size() + word.size() > 140) {
      line.back() = '\n';
      out += line;
      line.clear();
    }
    line += word;
  }
  if (!line.empty()) line.back() = '\n';
  out += line;
  out +=
      "\nBesides, `CASE`, `CAST`, `TRY_CAST`, `COALESCE`, comparisons, `AND`, `OR`, `NOT`, `IN`, `BETWEEN`, `IS NULL`, lambdas of "
      "list functions, `[…]` and `{…}`.\n";
  out +=
      "\n## What a change does\n\n`plan` names each change with its row of this table.\n\n| class | row | change "
      "|\n|---|---|---|\n";
  for (const auto& rule : ChangeRules())
    out += fmt::format("| {} | `{}` | {} |\n", ClassName(rule.change_class), rule.id, rule.says);
  out +=
      "\nAn additive change is made in place by `apply`. A rewrite keeps the columns but makes rows or files anew; a breaking "
      "change needs a new major version:\n"
      "this release refuses both, naming the change and its place. A forbidden one is no change of the contract.\n";
  out +=
      "\n## What `check` reports\n\nThe code of each finding stands in `check --json` and in SARIF.\n\n| code | meaning "
      "|\n|---|---|\n";
  for (const auto& rule : Rules()) out += fmt::format("| `{}` | {} |\n", rule.code, Escaped(rule.says));
  return out;
}

}  // namespace nano::contract
