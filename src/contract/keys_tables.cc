// SPDX-License-Identifier: Apache-2.0
// Tables and models: columns, tests, monitors.
#include "contract/declare.h"

#include <iterator>

namespace nano::contract {
namespace {

const Object& TableSourceKeys() {
  static const Object object{.name = "table.source",
                             .where = "`source` of a table, or an item of it",
                             .doc = "The stream that fills the table.",
                             .keys = {{.name = "name",
                                       .shape = Text(Format::kWarehouseName),
                                       .required = true,
                                       .doc = "A source's name.",
                                       .example = "shop_cdc",
                                       .mistaken = {"source"}},
                                      {.name = "stream",
                                       .shape = Text(Format::kLabel),
                                       .fallback = "the table's name",
                                       .doc = "The stream's name, as the source calls it.",
                                       .example = "public.orders",
                                       .mistaken = {"table", "topic"}}}};
  return object;
}

std::vector<Key> TestConfiguration() {
  return {
      {.name = "name",
       .shape = Text(Format::kLabel),
       .doc = "The test's own name.",
       .example = "orders_have_customers",
       .support = Support::kNoted},
      {.name = "severity",
       .shape =
           Words({{"error", "A failure fails the run.", Support::kNoted}, {"warn", "A failure is only told.", Support::kNoted}}),
       .fallback = "error",
       .doc = "What a failure means.",
       .example = "warn",
       .support = Support::kNoted},
      {.name = "where",
       .shape = Text(Format::kSql),
       .doc = "A condition: which rows are tested.",
       .example = "\"status <> 'returned'\"",
       .support = Support::kNoted},
  };
}

std::vector<Key> With(std::vector<Key> keys, std::vector<Key> more) {
  keys.insert(keys.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return keys;
}

const Object& PlainTest() {
  static const Object object{.name = "data_tests.not_null",
                             .where = "`not_null` or `unique` of a column's `data_tests`",
                             .doc = "A test without values of its own.",
                             .keys = TestConfiguration()};
  return object;
}

const Object& AcceptedValues() {
  static const Object object{.name = "data_tests.accepted_values",
                             .where = "`accepted_values` of a column's `data_tests`",
                             .doc = "The column has only these values.",
                             .keys = With({{.name = "values",
                                            .shape = Some(Scalar()),
                                            .required = true,
                                            .doc = "The values.",
                                            .example = "[placed, shipped]",
                                            .support = Support::kNoted},
                                           {.name = "quote",
                                            .shape = Boolean(),
                                            .fallback = "true",
                                            .doc = "Whether they are text.",
                                            .example = "false",
                                            .support = Support::kNoted}},
                                          TestConfiguration())};
  return object;
}

const Object& Relationships() {
  static const Object object{.name = "data_tests.relationships",
                             .where = "`relationships` of a column's `data_tests`",
                             .doc = "Each value is one of another table's column.",
                             .keys = With({{.name = "to",
                                            .shape = Text(Format::kName),
                                            .required = true,
                                            .doc = "The other table or model.",
                                            .example = "customers",
                                            .support = Support::kNoted},
                                           {.name = "field",
                                            .shape = Text(Format::kName),
                                            .required = true,
                                            .doc = "Its column.",
                                            .example = "id",
                                            .support = Support::kNoted}},
                                          TestConfiguration())};
  return object;
}

const Object& ColumnTest() {
  static const Object object{.name = "data_tests",
                             .where = "an item of a column's `data_tests`",
                             .doc = "A test of the column, as in dbt; `test` runs it.",
                             .keys = {{.name = "not_null",
                                       .shape = In(PlainTest()),
                                       .doc = "No value is NULL.",
                                       .example = "{severity: warn}",
                                       .support = Support::kNoted},
                                      {.name = "unique",
                                       .shape = In(PlainTest()),
                                       .doc = "No value is there twice.",
                                       .example = "{severity: warn}",
                                       .support = Support::kNoted},
                                      {.name = "accepted_values",
                                       .shape = In(AcceptedValues()),
                                       .doc = "The column has only these values.",
                                       .example = "{values: [placed, shipped]}",
                                       .support = Support::kNoted},
                                      {.name = "relationships",
                                       .shape = In(Relationships()),
                                       .doc = "Each value is one of another table's column.",
                                       .example = "{to: customers, field: id}",
                                       .support = Support::kNoted}},
                             .one_of = {"not_null", "unique", "accepted_values", "relationships"}};
  return object;
}

const Object& UniqueColumns() {
  static const Object object{.name = "table.data_tests.unique",
                             .where = "`unique` of a table's `data_tests`",
                             .doc = "No combination of these columns is there twice.",
                             .keys = With({{.name = "columns",
                                            .shape = Some(Text(Format::kName)),
                                            .required = true,
                                            .doc = "The columns.",
                                            .example = "[order_id, line]",
                                            .support = Support::kNoted}},
                                          TestConfiguration())};
  return object;
}

const Object& TableTest() {
  static const Object object{.name = "table.data_tests",
                             .where = "an item of a table's `data_tests`",
                             .doc = "A test of the whole table.",
                             .keys = {{.name = "unique",
                                       .shape = In(UniqueColumns()),
                                       .doc = "No combination of these columns is there twice.",
                                       .example = "{columns: [order_id, line]}",
                                       .support = Support::kNoted}},
                             .one_of = {"unique"}};
  return object;
}

Key ColumnTestsKey() {
  return {.name = "data_tests",
          .shape = List(Either(
              {Words({{"not_null", "No value is NULL.", Support::kNoted}, {"unique", "No value is there twice.", Support::kNoted}}),
               In(ColumnTest())})),
          .doc = "Tests of the column, as in dbt.",
          .example = "[not_null, {relationships: {to: customers, field: id}}]",
          .support = Support::kNoted,
          .mistaken = {"tests"}};
}

std::vector<Word> ConstraintWords() {
  return {{"not_null", "A row without a value goes to quarantine; the column is NOT NULL."},
          {"nullable", "The column may be NULL, as it may without a constraint."}};
}

const Object& Constraint() {
  static const Object object{
      .name = "constraints",
      .where = "an item of a column's `constraints`",
      .doc = "A constraint in dbt's long form.",
      .keys = {
          {.name = "type", .shape = Words(ConstraintWords()), .required = true, .doc = "The constraint.", .example = "not_null"}}};
  return object;
}

Key ClassificationKey() {
  return {.name = "classification",
          .shape = Text(Format::kLabel),
          .doc = "How sensitive it is; without a policy it is hidden.",
          .example = "restricted",
          .support = Support::kLater};
}

const Object& ColumnKeys() {
  static const Object object{
      .name = "column",
      .where = "an item of `columns`",
      .doc = "A column of the table: its type, and where its values come from.",
      .keys = {
          {.name = "name", .shape = Text(Format::kName), .required = true, .doc = "Its name.", .example = "amount"},
          {.name = "data_type",
           .shape = Text(Format::kDataType),
           .required = true,
           .doc = "Its type ([types](types.md)).",
           .example = "\"decimal(18,2)\"",
           .mistaken = {"type", "dtype"}},
          {.name = "field",
           .shape = OneOrMore(Text(Format::kLabel)),
           .fallback = "the column's name",
           .doc = "The source's field: a path such as `address.city`, or a list of names where they hold points.",
           .example = "amount_cents",
           .mistaken = {"path", "source_field"}},
          {.name = "source_type",
           .shape = Text(Format::kLabel),
           .doc = "The field's type at the source: one of the language, or the source's own.",
           .example = "bigint"},
          {.name = "expr",
           .shape = Text(Format::kSql),
           .doc = "SQL over the source's fields that makes the value.",
           .example = "\"amount_cents * 0.01\"",
           .mistaken = {"expression", "sql"}},
          {.name = "constraints",
           .shape = List(Either({Words(ConstraintWords()), In(Constraint())})),
           .doc = "What every value must be.",
           .example = "[not_null]",
           .mistaken = {"nullable", "required", "not_null"}},
          DescriptionKey("What the customer pays."),
          TagsKey(),
          ColumnTestsKey(),
          ClassificationKey(),
          {.name = "policy",
           .shape = Text(Format::kLabel),
           .doc = "How those see it who may not see it plain: one of `policies`.",
           .example = "hash",
           .support = Support::kLater,
           .mistaken = {"mask", "masking"}},
          {.name = "was",
           .shape = Text(Format::kName),
           .doc = "The column of the old version that it comes from.",
           .example = "amount",
           .support = Support::kLater,
           .mistaken = {"renamed_from"}},
          {.name = "up",
           .shape = Text(Format::kSql),
           .doc = "SQL over the old version's columns.",
           .example = "\"round(amount * 0.81, 2)\"",
           .support = Support::kLater},
          {.name = "down",
           .shape = Text(Format::kSql),
           .doc = "SQL over the new version's columns that gives the old one's value.",
           .example = "\"round(net * 1.234568, 2)\"",
           .support = Support::kLater},
      }};
  return object;
}

const Object& Freshness() {
  static const Object object{.name = "freshness",
                             .where = "`freshness` of a table or model",
                             .doc = "How old the newest row may be.",
                             .keys = {{.name = "warn_after",
                                       .shape = Text(Format::kDuration),
                                       .doc = "Warn after this long.",
                                       .example = "5m",
                                       .support = Support::kNoted},
                                      {.name = "error_after",
                                       .shape = Text(Format::kDuration),
                                       .doc = "Fail after this long.",
                                       .example = "1h",
                                       .support = Support::kNoted}}};
  return object;
}

const Object& Volume() {
  static const Object object{.name = "monitors.volume",
                             .where = "`monitors.volume`",
                             .doc = "How many rows are expected.",
                             .keys = {{.name = "min_per_hour",
                                       .shape = Integer(0),
                                       .doc = "At least this many rows an hour.",
                                       .example = "10",
                                       .support = Support::kNoted},
                                      {.name = "max_per_hour",
                                       .shape = Integer(0),
                                       .doc = "At most this many rows an hour.",
                                       .example = "100000",
                                       .support = Support::kNoted}}};
  return object;
}

const Object& QuarantineMonitor() {
  static const Object object{.name = "monitors.quarantine",
                             .where = "`monitors.quarantine`",
                             .doc = "How much may go to quarantine.",
                             .keys = {{.name = "max_ratio",
                                       .shape = Number(),
                                       .doc = "The share of rows, from 0 to 1.",
                                       .example = "0.001",
                                       .support = Support::kNoted}}};
  return object;
}

const Object& Monitors() {
  static const Object object{.name = "monitors",
                             .where = "`monitors` of a table",
                             .doc = "What is watched while the warehouse runs.",
                             .keys = {{.name = "volume",
                                       .shape = In(Volume()),
                                       .doc = "How many rows are expected.",
                                       .example = "{min_per_hour: 10}",
                                       .support = Support::kNoted},
                                      {.name = "quarantine",
                                       .shape = In(QuarantineMonitor()),
                                       .doc = "How much may go to quarantine.",
                                       .example = "{max_ratio: 0.001}",
                                       .support = Support::kNoted}}};
  return object;
}

const Object& ModelColumn() {
  static const Object object{.name = "model.column",
                             .where = "an item of a model's `columns`",
                             .doc = "A column of a model.",
                             .keys = {{.name = "name",
                                       .shape = Text(Format::kName),
                                       .required = true,
                                       .doc = "Its name.",
                                       .example = "revenue",
                                       .support = Support::kLater},
                                      {.name = "data_type",
                                       .shape = Text(Format::kDataType),
                                       .doc = "Its type.",
                                       .example = "\"decimal(38,2)\"",
                                       .support = Support::kLater},
                                      DescriptionKey("The day's revenue."),
                                      TagsKey(),
                                      ColumnTestsKey(),
                                      ClassificationKey(),
                                      {.name = "policy",
                                       .shape = Text(Format::kLabel),
                                       .doc = "One of `policies`.",
                                       .example = "hash",
                                       .support = Support::kLater}}};
  return object;
}

}  // namespace

const Object& TableKeys() {
  static const Object object{
      .name = "table",
      .where = "an item of `tables`",
      .doc = "A table that a stream fills.",
      .keys = {
          {.name = "name",
           .shape = Text(Format::kName),
           .required = true,
           .doc = "Its name, as it is queried.",
           .example = "orders"},
          {.name = "source",
           .shape = Either({Text(Format::kWarehouseName), In(TableSourceKeys()), Some(In(TableSourceKeys()))}),
           .required = true,
           .doc = "The stream that fills it, a source whose stream has the table's name, or a list of shards.",
           .example = "{name: shop_cdc, stream: public.orders}",
           .mistaken = {"from", "sources"}},
          {.name = "mode",
           .shape = Words({{"append", "Every event becomes a row."},
                           {"upsert", "The last event of a key is its row."},
                           {"replace", "Each full load takes the place of the one before, once it is complete."},
                           {"history", "Every state of a key, with the times it held: `valid_from`, `valid_to`."}}),
           .fallback = "upsert where there is a key, else append",
           .doc = "What an event does to the table ([modes](modes.md)).",
           .example = "upsert",
           .mistaken = {"materialized", "write_mode", "load_method"}},
          {.name = "deletes",
           .shape = Words({{"hard", "A deleted row is gone."},
                           {"soft", "It stays, with `_deleted_at`."},
                           {"ignore", "It stays as it was."}}),
           .fallback = "hard",
           .doc = "What a delete at the source does ([modes](modes.md)).",
           .example = "hard"},
          {.name = "primary_key",
           .shape = OneOrMore(Text(Format::kName)),
           .fallback = "the source's key",
           .doc = "The columns that tell rows apart; they are not NULL.",
           .example = "[id]",
           .mistaken = {"unique_key", "key", "keys", "key_properties"}},
          {.name = "partition_by",
           .shape = OneOrMore(Text(Format::kPartition)),
           .doc = "How files are divided: a column, or year, month, day, hour or bucket(n, …) of one.",
           .example = "[month(created_at)]",
           .mistaken = {"partitioned_by", "partitions"}},
          {.name = "sort_by",
           .shape = OneOrMore(Text(Format::kName)),
           .doc = "The columns by which rows are sorted within a file.",
           .example = "[customer_id]",
           .mistaken = {"order_by", "cluster_by"}},
          {.name = "on_new_field",
           .shape = Words({{"quarantine", "The row lands, the field is kept aside."},
                           {"append_new_columns", "The table gets a column."},
                           {"ignore", "Nothing; the journal still has it."},
                           {"fail", "The source stops."}}),
           .fallback = "quarantine",
           .doc = "What to do with a field that is not in the source's schema as recorded at apply.",
           .example = "append_new_columns",
           .mistaken = {"on_schema_change"}},
          {.name = "on_type_mismatch",
           .shape = Words(
               {{"quarantine", "The row goes to quarantine."}, {"null", "The value becomes NULL."}, {"fail", "The source stops."}}),
           .fallback = "quarantine",
           .doc = "What to do with a value that its column can't hold exactly.",
           .example = "quarantine"},
          {.name = "special_values",
           .shape = Words({{"quarantine", "The row goes to quarantine."},
                           {"null", "The value becomes NULL."},
                           {"clamp", "It becomes the nearest value that the type has; NaN becomes NULL."}}),
           .fallback = "quarantine",
           .doc = "What to do with infinity, NaN and 24:00 where the type has none.",
           .example = "clamp"},
          {.name = "columns",
           .shape = Some(In(ColumnKeys())),
           .fallback = "all fields of the source, with inferred types",
           .doc = "Its columns.",
           .example = "[{name: id, data_type: bigint}]",
           .mistaken = {"fields"}},
          DescriptionKey("One row per order."),
          OwnerKey(),
          TagsKey(),
          ClassificationKey(),
          {.name = "target_file_size",
           .shape = Text(Format::kBytes),
           .fallback = "`storage.format.target_file_size`",
           .doc = "How large its files are to become.",
           .example = "64MB"},
          {.name = "data_tests",
           .shape = List(In(TableTest())),
           .doc = "Tests of the whole table.",
           .example = "[{unique: {columns: [order_id, line]}}]",
           .support = Support::kNoted,
           .mistaken = {"tests"}},
          {.name = "freshness",
           .shape = In(Freshness()),
           .doc = "How old the newest row may be.",
           .example = "{warn_after: 5m, error_after: 1h}",
           .support = Support::kNoted},
          {.name = "monitors",
           .shape = In(Monitors()),
           .doc = "What is watched while the warehouse runs.",
           .example = "{volume: {min_per_hour: 10}}",
           .support = Support::kNoted},
          {.name = "snapshots",
           .shape = In(SnapshotKeys()),
           .doc = "Full everyday snapshots of this table.",
           .example = "{daily: \"00:00\", keep: 30d}",
           .support = Support::kLater},
          {.name = "backfill",
           .shape =
               List(Words({{"journal", "", Support::kLater}, {"previous", "", Support::kLater}, {"source", "", Support::kLater}})),
           .doc = "Where a new version looks for the past, in order.",
           .example = "[journal, previous, source]",
           .support = Support::kLater},
          {.name = "serve",
           .shape = In(TableServeKeys()),
           .doc = "How it is served.",
           .example = "{doors: [postgres, http], endpoint: /orders}",
           .support = Support::kLater},
      }};
  return object;
}

const Object& ModelKeys() {
  static const Object object{
      .name = "model",
      .where = "an item of `models`",
      .doc = "What is said about a model beside its SQL in `models/<name>.sql`.",
      .keys = {
          {.name = "name",
           .shape = Text(Format::kName),
           .required = true,
           .doc = "Its name: that of the SQL file.",
           .example = "daily_revenue",
           .support = Support::kLater},
          {.name = "materialized",
           .shape = Words({{"view", "", Support::kLater}, {"table", "", Support::kLater}, {"incremental", "", Support::kLater}}),
           .fallback = "table",
           .doc = "How it is kept.",
           .example = "table",
           .support = Support::kLater},
          {.name = "config",
           .shape = Free(),
           .doc = "Its configuration, as in dbt.",
           .example = "{materialized: table}",
           .support = Support::kLater},
          {.name = "columns",
           .shape = List(In(ModelColumn())),
           .doc = "Its columns.",
           .example = "[{name: revenue}]",
           .support = Support::kLater},
          {.name = "freshness",
           .shape = In(Freshness()),
           .doc = "How old it may be.",
           .example = "{warn_after: 1h}",
           .support = Support::kLater},
          {.name = "serve",
           .shape = In(TableServeKeys()),
           .doc = "How it is served.",
           .example = "{doors: [postgres]}",
           .support = Support::kLater},
          DescriptionKey("Revenue a day."),
          OwnerKey(),
          TagsKey()}};
  return object;
}

}  // namespace nano::contract
