// SPDX-License-Identifier: Apache-2.0
#include "contract/keys.h"

#include <algorithm>
#include <array>
#include <regex>

namespace nano::contract {
namespace {

using Form = Shape::Form;

Shape Text(Format format = Format::kAny) { return {.form = Form::kText, .format = format}; }
/// Text that may hold `${env:X}`.
Shape Referring(Format format = Format::kUrl) { return {.form = Form::kText, .format = format, .references = true}; }
Shape Integer(std::int64_t least, std::int64_t most = INT64_MAX) { return {.form = Form::kInteger, .least = least, .most = most}; }
Shape Number() { return {.form = Form::kNumber}; }
Shape Boolean() { return {.form = Form::kBoolean}; }
Shape Scalar() { return {.form = Form::kScalar}; }
Shape Any() { return {.form = Form::kAny}; }
Shape Words(std::vector<Word> words) { return {.form = Form::kWords, .words = std::move(words)}; }
Shape List(Shape item) { return {.form = Form::kList, .parts = {std::move(item)}}; }
Shape Some(Shape item) { return {.form = Form::kList, .parts = {std::move(item)}, .not_empty = true}; }
Shape Map(Format keys, Shape value) { return {.form = Form::kMap, .format = keys, .parts = {std::move(value)}}; }
/// A mapping of free keys, in whose text references may stand.
Shape Free() { return {.form = Form::kMap, .format = Format::kAny, .references = true, .parts = {Any()}}; }
Shape In(const Object& object) { return {.form = Form::kObject, .object = &object}; }
Shape Either(std::vector<Shape> forms) { return {.form = Form::kEither, .parts = std::move(forms)}; }
Shape OneOrMore(Shape item) { return Either({item, Some(item)}); }

const Object& Owner() {
  static const Object object{
      .name = "owner", .where = "`owner`", .doc = "Who answers for it.",
      .keys = {
          {.name = "team", .shape = Text(), .doc = "The team.", .example = "checkout", .support = Support::kNoted},
          {.name = "name", .shape = Text(), .doc = "A person's name.", .example = "Ada Nowak", .support = Support::kNoted},
          {.name = "email", .shape = Text(), .doc = "Where to write to.", .example = "checkout@example.com", .support = Support::kNoted},
      }};
  return object;
}

Key OwnerKey() {
  return {.name = "owner", .shape = In(Owner()), .doc = "Who answers for it.", .example = "{team: checkout, email: checkout@example.com}",
          .support = Support::kNoted};
}
Key DescriptionKey(std::string_view example) {
  return {.name = "description", .shape = Text(), .doc = "What it is, for people; kept with the contract.", .example = example,
          .mistaken = {"doc", "comment"}};
}
Key TagsKey() {
  return {.name = "tags", .shape = Either({Text(Format::kLabel), List(Text(Format::kLabel))}), .doc = "Words to select by.", .example = "[pii]", .support = Support::kNoted,
          .mistaken = {"labels"}};
}

const Object& FormatKeys() {
  static const Object object{
      .name = "storage.format", .where = "`storage.format`", .doc = "How the tables' files are written.",
      .keys = {
          {.name = "compression",
           .shape = Words({{"zstd", "Small and quick to read."}, {"snappy", "Quicker to write, half as large again."}, {"gzip", "For old readers."},
                           {"lz4", "Quick; not every engine reads it."}, {"uncompressed", "As it is."}}),
           .fallback = "zstd", .doc = "The Parquet files' compression.", .example = "zstd", .mistaken = {"codec"}},
          {.name = "target_file_size", .shape = Text(Format::kBytes), .fallback = "128MB",
           .doc = "How large a table's files are to become.", .example = "128MB"},
      }};
  return object;
}

const Object& SnapshotKeys() {
  static const Object object{
      .name = "storage.snapshots", .where = "`storage.snapshots`, and `snapshots` of a table", .doc = "Full everyday snapshots that stay.",
      .keys = {
          {.name = "daily", .shape = Text(Format::kClock), .doc = "The time of day.", .example = "\"00:00\"", .support = Support::kLater},
          {.name = "time_zone", .shape = Text(Format::kLabel), .fallback = "UTC", .doc = "The zone of that time.", .example = "Europe/Prague", .support = Support::kLater},
          {.name = "keep", .shape = Text(Format::kDuration), .doc = "How long each stays.", .example = "30d", .support = Support::kLater},
      }};
  return object;
}

const Object& JournalKeys() {
  static const Object object{
      .name = "storage.journal", .where = "`storage.journal`", .doc = "The durable log of what the sources said.",
      .keys = {
          {.name = "keep", .shape = Text(Format::kDuration), .fallback = "everything", .doc = "How long messages stay before the base image takes their place.",
           .example = "7d", .support = Support::kLater, .mistaken = {"retention"}},
          {.name = "base_image", .shape = Boolean(), .fallback = "true", .doc = "Whether what is left of expired messages is kept.", .example = "true",
           .support = Support::kLater},
          {.name = "commit_every", .shape = Text(Format::kDuration), .fallback = "1s", .doc = "A batch is committed after this long.", .example = "1s"},
          {.name = "commit_bytes", .shape = Text(Format::kBytes), .fallback = "16MB", .doc = "A batch is committed when it is this large.", .example = "16MB"},
      }};
  return object;
}

const Object& IcebergKeys() {
  static const Object object{
      .name = "storage.iceberg", .where = "`storage.iceberg`", .doc = "Iceberg metadata for other engines.",
      .keys = {{.name = "publish_every", .shape = Text(Format::kDuration), .fallback = "30s", .doc = "How often metadata is written while the warehouse runs.",
                .example = "30s"}}};
  return object;
}

const Object& Storage() {
  static const Object object{
      .name = "storage", .where = "`storage`", .doc = "Where the warehouse keeps what it has, and how.",
      .keys = {
          {.name = "root", .shape = Text(Format::kPath), .fallback = "./data", .doc = "The folder of tables and published metadata, from the warehouse's own, or `s3://bucket/prefix`.",
           .example = "./data", .mistaken = {"path", "location"}},
          {.name = "local", .shape = Text(Format::kPath), .fallback = "`root`", .doc = "The folder of journal, catalog and index; it must be on a real disk.", .example = "./data"},
          {.name = "catalog", .shape = Text(Format::kCatalog), .fallback = "sqlite:catalog.db", .doc = "The lake's catalog: a SQLite file under `local`, or a PostgreSQL database.",
           .example = "sqlite:catalog.db"},
          {.name = "format", .shape = In(FormatKeys()), .doc = "How the tables' files are written.", .example = "{compression: zstd, target_file_size: 128MB}"},
          {.name = "snapshots", .shape = In(SnapshotKeys()), .doc = "Full everyday snapshots that stay.", .example = "{daily: \"00:00\", time_zone: UTC, keep: 30d}",
           .support = Support::kLater},
          {.name = "journal", .shape = In(JournalKeys()), .doc = "The durable log of what the sources said.", .example = "{commit_every: 1s, commit_bytes: 16MB}"},
          {.name = "grace", .shape = Text(Format::kDuration), .fallback = "10m", .doc = "How long files outlive their last use, and so how long a reader may hold a cut.", .example = "10m"},
          {.name = "iceberg", .shape = Either({Words({{"off", "Publish nothing."}}), In(IcebergKeys())}), .fallback = "{publish_every: 30s}",
           .doc = "Iceberg metadata for other engines, or `off`.", .example = "{publish_every: 30s}"},
      }};
  return object;
}

const Object& PostgresServer() {
  static const Object object{.name = "serve.postgres", .where = "`serve.postgres`", .doc = "The PostgreSQL door.",
      .keys = {{.name = "listen", .shape = Text(Format::kListen), .required = true, .doc = "Address and port.", .example = "127.0.0.1:5439", .support = Support::kLater}}};
  return object;
}
const Object& HttpServer() {
  static const Object object{.name = "serve.http", .where = "`serve.http`", .doc = "The HTTP door: API, web UI, metrics, Iceberg REST catalog.",
      .keys = {{.name = "listen", .shape = Text(Format::kListen), .required = true, .doc = "Address and port.", .example = "127.0.0.1:8080", .support = Support::kLater}}};
  return object;
}
const Object& Oidc() {
  static const Object object{.name = "serve.auth.oidc", .where = "`serve.auth.oidc`", .doc = "An OpenID Connect provider.",
      .keys = {{.name = "issuer", .shape = Referring(), .required = true, .doc = "The provider's URL.", .example = "https://id.example.com", .support = Support::kLater},
               {.name = "audience", .shape = Text(Format::kLabel), .required = true, .doc = "For whom its tokens must be.", .example = "shop", .support = Support::kLater}}};
  return object;
}
const Object& Auth() {
  static const Object object{.name = "serve.auth", .where = "`serve.auth`", .doc = "How users prove who they are.",
      .keys = {{.name = "oidc", .shape = In(Oidc()), .doc = "An OpenID Connect provider.", .example = "{issuer: \"https://id.example.com\", audience: shop}", .support = Support::kLater}}};
  return object;
}
const Object& Serve() {
  static const Object object{.name = "serve", .where = "`serve`", .doc = "The doors through which the warehouse is read.",
      .keys = {{.name = "postgres", .shape = In(PostgresServer()), .doc = "The PostgreSQL door.", .example = "{listen: \"127.0.0.1:5439\"}", .support = Support::kLater},
               {.name = "http", .shape = In(HttpServer()), .doc = "The HTTP door.", .example = "{listen: \"127.0.0.1:8080\"}", .support = Support::kLater},
               {.name = "auth", .shape = In(Auth()), .doc = "How users prove who they are.", .example = "{oidc: {issuer: \"https://id.example.com\", audience: shop}}", .support = Support::kLater}}};
  return object;
}

const Object& PostgresSource() {
  static const Object object{.name = "source.postgres", .where = "`postgres` of a source", .doc = "A PostgreSQL database's own logical replication.",
      .keys = {
          {.name = "url", .shape = Referring(), .required = true, .doc = "The database.", .example = "\"${env:SHOP_DB_URL}\"", .support = Support::kLater},
          {.name = "publication", .shape = Text(Format::kLabel), .fallback = "nanohouse", .doc = "The publication to read.", .example = "nanohouse", .support = Support::kLater},
          {.name = "slot", .shape = Text(Format::kLabel), .doc = "The replication slot; made where there is none.", .example = "nanohouse_shop", .support = Support::kLater},
          {.name = "streams", .shape = List(Text(Format::kLabel)), .doc = "The tables to read, `*` for any.", .example = "[public.*]", .support = Support::kLater, .mistaken = {"tables"}},
          {.name = "max_wal", .shape = Text(Format::kBytes), .doc = "How much log the slot may hold back.", .example = "20GB", .support = Support::kLater},
          {.name = "on_slot_lost", .shape = Words({{"heal", "Compare and repair.", Support::kLater}, {"resync", "Read everything anew.", Support::kLater}, {"fail", "Stop and say so.", Support::kLater}}),
           .fallback = "fail", .doc = "What to do when the database dropped the slot.", .example = "heal", .support = Support::kLater},
      }};
  return object;
}

const Object& KafkaKeys() {
  static const Object object{.name = "source.debezium.kafka", .where = "`debezium.kafka` of a source", .doc = "Topics of a Kafka cluster.",
      .keys = {
          {.name = "brokers", .shape = Either({Referring(), List(Referring())}), .required = true, .doc = "Where the cluster is.", .example = "localhost:9092", .support = Support::kLater},
          {.name = "topics", .shape = Some(Text(Format::kLabel)), .required = true, .doc = "The topics to read, `*` for any.", .example = "[\"srv.public.*\"]", .support = Support::kLater},
          {.name = "registry", .shape = Referring(), .doc = "A schema registry, for Avro.", .example = "http://localhost:8081", .support = Support::kLater},
          {.name = "config", .shape = Free(), .doc = "Settings of librdkafka.", .example = "{security.protocol: ssl}", .support = Support::kLater},
      }};
  return object;
}
const Object& ServerKeys() {
  static const Object object{.name = "source.debezium.server", .where = "`debezium.server` of a source", .doc = "A Debezium Server that the warehouse runs.",
      .keys = {{.name = "home", .shape = Text(Format::kPath), .required = true, .doc = "Where it is installed.", .example = "/opt/debezium-server", .support = Support::kLater},
               {.name = "config", .shape = Free(), .required = true, .doc = "Its properties.", .example = "{debezium.source.database.password: \"${env:PW}\"}", .support = Support::kLater}}};
  return object;
}
const Object& Debezium() {
  static const Object object{.name = "source.debezium", .where = "`debezium` of a source", .doc = "Debezium's change events.",
      .keys = {
          {.name = "file", .shape = Text(Format::kPath), .doc = "A file of messages, one a line, from the warehouse's folder; `-` is standard input.", .example = "changes.jsonl", .mistaken = {"path"}},
          {.name = "kafka", .shape = In(KafkaKeys()), .doc = "Topics of a Kafka cluster.", .example = "{brokers: \"localhost:9092\", topics: [\"srv.public.*\"]}", .support = Support::kLater},
          {.name = "http", .shape = Text(Format::kHttpPath), .doc = "A path on which Debezium Server's HTTP sink posts.", .example = "/ingest/shop_cdc", .support = Support::kLater},
          {.name = "server", .shape = In(ServerKeys()), .doc = "A Debezium Server that the warehouse runs.",
           .example = "{home: /opt/debezium-server, config: {debezium.source.topic.prefix: srv}}", .support = Support::kLater},
      },
      .one_of = {"file", "kafka", "http", "server"}};
  return object;
}

const Object& Singer() {
  static const Object object{.name = "source.singer", .where = "`singer` of a source", .doc = "A Singer tap, or what one wrote.",
      .keys = {
          {.name = "tap", .shape = Text(Format::kPath), .doc = "The program to run.", .example = "tap-spreadsheets", .mistaken = {"command", "executable"}},
          {.name = "file", .shape = Text(Format::kPath), .doc = "A file of Singer messages, from the warehouse's folder; `-` is standard input.", .example = "stream.jsonl", .mistaken = {"path"}},
          {.name = "arguments", .shape = List(Text()), .doc = "More arguments for the tap.", .example = "[--verbose]", .mistaken = {"args"}},
          {.name = "pip", .shape = Text(Format::kLabel), .doc = "The package that has the tap, for people; it is not installed unasked.", .example = "\"tap-spreadsheets==1.1.2\"", .support = Support::kNoted},
          {.name = "config", .shape = Free(), .doc = "The tap's configuration, passed on as JSON.", .example = "{start_date: \"2024-01-01\", token: \"${env:TOKEN}\"}"},
          {.name = "catalog", .shape = Text(Format::kPath), .doc = "A catalog file; without one the tap is asked to discover.", .example = "catalog.json"},
          {.name = "select", .shape = List(Text(Format::kLabel)), .fallback = "what the tap selects", .doc = "The streams to read.", .example = "[campaigns]", .mistaken = {"streams", "tables"}},
          {.name = "environment", .shape = Map(Format::kLabel, Referring(Format::kAny)), .doc = "Environment variables of the tap.", .example = "{TZ: UTC}", .mistaken = {"env"}},
          {.name = "every", .shape = Text(Format::kDuration), .doc = "How often `run` starts the tap.", .example = "15m", .support = Support::kNoted, .mistaken = {"schedule", "interval"}},
      },
      .one_of = {"tap", "file"}};
  return object;
}

const Object& OtherWarehouse() {
  static const Object object{.name = "source.warehouse", .where = "`warehouse` of a source", .doc = "Tables of another nano warehouse.",
      .keys = {{.name = "url", .shape = Referring(), .required = true, .doc = "Its PostgreSQL door.", .example = "\"postgresql://payments.example.com:5439\"", .support = Support::kLater},
               {.name = "version", .shape = Integer(0, 1'000'000), .doc = "The major version to read.", .example = "2", .support = Support::kLater},
               {.name = "tables", .shape = List(Text(Format::kName)), .required = true, .doc = "The tables to read.", .example = "[payments]", .support = Support::kLater}}};
  return object;
}

const Object& Source() {
  static const Object object{.name = "source", .where = "an item of `sources`", .doc = "Where data comes from: a name, and one of the kinds.",
      .keys = {
          {.name = "name", .shape = Text(Format::kWarehouseName), .required = true, .doc = "Its name; `journal.<name>` shows what it said.", .example = "shop_cdc"},
          {.name = "debezium", .shape = In(Debezium()), .doc = "Debezium's change events.", .example = "{file: changes.jsonl}", .mistaken = {"kafka", "cdc"}},
          {.name = "singer", .shape = In(Singer()), .doc = "A Singer tap, or what one wrote.", .example = "{file: stream.jsonl}", .mistaken = {"tap"}},
          {.name = "postgres", .shape = In(PostgresSource()), .doc = "A PostgreSQL database's own logical replication.",
           .example = "{url: \"${env:SHOP_DB_URL}\", streams: [public.*]}", .support = Support::kLater, .mistaken = {"postgresql"}},
          {.name = "warehouse", .shape = In(OtherWarehouse()), .doc = "Tables of another nano warehouse.",
           .example = "{url: \"postgresql://payments.example.com:5439\", version: 2, tables: [payments]}", .support = Support::kLater},
          DescriptionKey("The shop's database."), OwnerKey(), TagsKey(),
      },
      .one_of = {"debezium", "singer", "postgres", "warehouse"}};
  return object;
}

const Object& TableSourceKeys() {
  static const Object object{.name = "table.source", .where = "`source` of a table, or an item of it", .doc = "The stream that fills the table.",
      .keys = {{.name = "name", .shape = Text(Format::kWarehouseName), .required = true, .doc = "A source's name.", .example = "shop_cdc", .mistaken = {"source"}},
               {.name = "stream", .shape = Text(Format::kLabel), .fallback = "the table's name", .doc = "The stream's name, as the source calls it.", .example = "public.orders",
                .mistaken = {"table", "topic"}}}};
  return object;
}

std::vector<Key> TestConfiguration() {
  return {
      {.name = "name", .shape = Text(Format::kLabel), .doc = "The test's own name.", .example = "orders_have_customers", .support = Support::kNoted},
      {.name = "severity", .shape = Words({{"error", "A failure fails the run.", Support::kNoted}, {"warn", "A failure is only told.", Support::kNoted}}), .fallback = "error",
       .doc = "What a failure means.", .example = "warn", .support = Support::kNoted},
      {.name = "where", .shape = Text(Format::kSql), .doc = "A condition: which rows are tested.", .example = "\"status <> 'returned'\"", .support = Support::kNoted},
  };
}
std::vector<Key> With(std::vector<Key> keys, std::vector<Key> more) {
  keys.insert(keys.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return keys;
}
const Object& PlainTest() {
  static const Object object{.name = "data_tests.not_null", .where = "`not_null` or `unique` of a column's `data_tests`", .doc = "A test without values of its own.", .keys = TestConfiguration()};
  return object;
}
const Object& AcceptedValues() {
  static const Object object{.name = "data_tests.accepted_values", .where = "`accepted_values` of a column's `data_tests`", .doc = "The column has only these values.",
      .keys = With({{.name = "values", .shape = Some(Scalar()), .required = true, .doc = "The values.", .example = "[placed, shipped]", .support = Support::kNoted},
                    {.name = "quote", .shape = Boolean(), .fallback = "true", .doc = "Whether they are text.", .example = "false", .support = Support::kNoted}}, TestConfiguration())};
  return object;
}
const Object& Relationships() {
  static const Object object{.name = "data_tests.relationships", .where = "`relationships` of a column's `data_tests`", .doc = "Each value is one of another table's column.",
      .keys = With({{.name = "to", .shape = Text(Format::kName), .required = true, .doc = "The other table or model.", .example = "customers", .support = Support::kNoted},
                    {.name = "field", .shape = Text(Format::kName), .required = true, .doc = "Its column.", .example = "id", .support = Support::kNoted}}, TestConfiguration())};
  return object;
}
const Object& ColumnTest() {
  static const Object object{.name = "data_tests", .where = "an item of a column's `data_tests`", .doc = "A test of the column, as in dbt; `test` runs it.",
      .keys = {{.name = "not_null", .shape = In(PlainTest()), .doc = "No value is NULL.", .example = "{severity: warn}", .support = Support::kNoted},
               {.name = "unique", .shape = In(PlainTest()), .doc = "No value is there twice.", .example = "{severity: warn}", .support = Support::kNoted},
               {.name = "accepted_values", .shape = In(AcceptedValues()), .doc = "The column has only these values.", .example = "{values: [placed, shipped]}", .support = Support::kNoted},
               {.name = "relationships", .shape = In(Relationships()), .doc = "Each value is one of another table's column.", .example = "{to: customers, field: id}", .support = Support::kNoted}},
      .one_of = {"not_null", "unique", "accepted_values", "relationships"}};
  return object;
}
const Object& UniqueColumns() {
  static const Object object{.name = "table.data_tests.unique", .where = "`unique` of a table's `data_tests`", .doc = "No combination of these columns is there twice.",
      .keys = With({{.name = "columns", .shape = Some(Text(Format::kName)), .required = true, .doc = "The columns.", .example = "[order_id, line]", .support = Support::kNoted}}, TestConfiguration())};
  return object;
}
const Object& TableTest() {
  static const Object object{.name = "table.data_tests", .where = "an item of a table's `data_tests`", .doc = "A test of the whole table.",
      .keys = {{.name = "unique", .shape = In(UniqueColumns()), .doc = "No combination of these columns is there twice.", .example = "{columns: [order_id, line]}", .support = Support::kNoted}},
      .one_of = {"unique"}};
  return object;
}
Key ColumnTestsKey() {
  return {.name = "data_tests",
          .shape = List(Either({Words({{"not_null", "No value is NULL.", Support::kNoted}, {"unique", "No value is there twice.", Support::kNoted}}), In(ColumnTest())})),
          .doc = "Tests of the column, as in dbt.", .example = "[not_null, {relationships: {to: customers, field: id}}]", .support = Support::kNoted, .mistaken = {"tests"}};
}

std::vector<Word> ConstraintWords() {
  return {{"not_null", "A row without a value goes to quarantine; the column is NOT NULL."}, {"nullable", "The column may be NULL, as it may without a constraint."}};
}
const Object& Constraint() {
  static const Object object{.name = "constraints", .where = "an item of a column's `constraints`", .doc = "A constraint in dbt's long form.",
      .keys = {{.name = "type", .shape = Words(ConstraintWords()), .required = true, .doc = "The constraint.", .example = "not_null"}}};
  return object;
}

Key ClassificationKey() {
  return {.name = "classification", .shape = Text(Format::kLabel), .doc = "How sensitive it is; without a policy it is hidden.", .example = "restricted", .support = Support::kLater};
}

const Object& ColumnKeys() {
  static const Object object{.name = "column", .where = "an item of `columns`", .doc = "A column of the table: its type, and where its values come from.",
      .keys = {
          {.name = "name", .shape = Text(Format::kName), .required = true, .doc = "Its name.", .example = "amount"},
          {.name = "data_type", .shape = Text(Format::kDataType), .required = true, .doc = "Its type ([types](types.md)).", .example = "\"decimal(18,2)\"", .mistaken = {"type", "dtype"}},
          {.name = "field", .shape = OneOrMore(Text(Format::kLabel)), .fallback = "the column's name",
           .doc = "The source's field: a path such as `address.city`, or a list of names where they hold points.", .example = "amount_cents", .mistaken = {"path", "source_field"}},
          {.name = "source_type", .shape = Text(Format::kLabel), .doc = "The field's type at the source: one of the language, or the source's own.", .example = "bigint"},
          {.name = "expr", .shape = Text(Format::kSql), .doc = "SQL over the source's fields that makes the value.", .example = "\"amount_cents * 0.01\"", .mistaken = {"expression", "sql"}},
          {.name = "constraints", .shape = List(Either({Words(ConstraintWords()), In(Constraint())})), .doc = "What every value must be.", .example = "[not_null]", .mistaken = {"nullable", "required", "not_null"}},
          DescriptionKey("What the customer pays."),
          TagsKey(),
          ColumnTestsKey(),
          ClassificationKey(),
          {.name = "policy", .shape = Text(Format::kLabel), .doc = "How those see it who may not see it plain: one of `policies`.", .example = "hash", .support = Support::kLater, .mistaken = {"mask", "masking"}},
          {.name = "was", .shape = Text(Format::kName), .doc = "The column of the old version that it comes from.", .example = "amount", .support = Support::kLater, .mistaken = {"renamed_from"}},
          {.name = "up", .shape = Text(Format::kSql), .doc = "SQL over the old version's columns.", .example = "\"round(amount * 0.81, 2)\"", .support = Support::kLater},
          {.name = "down", .shape = Text(Format::kSql), .doc = "SQL over the new version's columns that gives the old one's value.", .example = "\"round(net * 1.234568, 2)\"", .support = Support::kLater},
      }};
  return object;
}

const Object& Freshness() {
  static const Object object{.name = "freshness", .where = "`freshness` of a table or model", .doc = "How old the newest row may be.",
      .keys = {{.name = "warn_after", .shape = Text(Format::kDuration), .doc = "Warn after this long.", .example = "5m", .support = Support::kNoted},
               {.name = "error_after", .shape = Text(Format::kDuration), .doc = "Fail after this long.", .example = "1h", .support = Support::kNoted}}};
  return object;
}
const Object& Volume() {
  static const Object object{.name = "monitors.volume", .where = "`monitors.volume`", .doc = "How many rows are expected.",
      .keys = {{.name = "min_per_hour", .shape = Integer(0), .doc = "At least this many rows an hour.", .example = "10", .support = Support::kNoted},
               {.name = "max_per_hour", .shape = Integer(0), .doc = "At most this many rows an hour.", .example = "100000", .support = Support::kNoted}}};
  return object;
}
const Object& QuarantineMonitor() {
  static const Object object{.name = "monitors.quarantine", .where = "`monitors.quarantine`", .doc = "How much may go to quarantine.",
      .keys = {{.name = "max_ratio", .shape = Number(), .doc = "The share of rows, from 0 to 1.", .example = "0.001", .support = Support::kNoted}}};
  return object;
}
const Object& Monitors() {
  static const Object object{.name = "monitors", .where = "`monitors` of a table", .doc = "What is watched while the warehouse runs.",
      .keys = {{.name = "volume", .shape = In(Volume()), .doc = "How many rows are expected.", .example = "{min_per_hour: 10}", .support = Support::kNoted},
               {.name = "quarantine", .shape = In(QuarantineMonitor()), .doc = "How much may go to quarantine.", .example = "{max_ratio: 0.001}", .support = Support::kNoted}}};
  return object;
}
const Object& TableServe() {
  static const Object object{.name = "table.serve", .where = "`serve` of a table or model", .doc = "How it is served.",
      .keys = {{.name = "doors", .shape = List(Words({{"postgres", "", Support::kLater}, {"http", "", Support::kLater}, {"iceberg", "", Support::kLater}})), .doc = "Through which doors.",
                .example = "[postgres, http]", .support = Support::kLater},
               {.name = "endpoint", .shape = Text(Format::kHttpPath), .doc = "Its path in the HTTP API.", .example = "/orders", .support = Support::kLater}}};
  return object;
}

const Object& TableKeys() {
  static const Object object{.name = "table", .where = "an item of `tables`", .doc = "A table that a stream fills.",
      .keys = {
          {.name = "name", .shape = Text(Format::kName), .required = true, .doc = "Its name, as it is queried.", .example = "orders"},
          {.name = "source", .shape = Either({Text(Format::kWarehouseName), In(TableSourceKeys()), Some(In(TableSourceKeys()))}), .required = true,
           .doc = "The stream that fills it, a source whose stream has the table's name, or a list of shards.", .example = "{name: shop_cdc, stream: public.orders}", .mistaken = {"from", "sources"}},
          {.name = "mode",
           .shape = Words({{"append", "Every event becomes a row."}, {"upsert", "The last event of a key is its row."},
                           {"replace", "Each full load takes the place of the one before.", Support::kLater}, {"history", "Every state of a key, with the times it held.", Support::kLater}}),
           .fallback = "upsert where there is a key, else append", .doc = "What an event does to the table.", .example = "upsert", .mistaken = {"materialized", "write_mode", "load_method"}},
          {.name = "deletes",
           .shape = Words({{"hard", "A deleted row is gone."}, {"soft", "It stays, with `_deleted_at`.", Support::kLater}, {"ignore", "It stays as it was.", Support::kLater}}),
           .fallback = "hard", .doc = "What a delete at the source does.", .example = "hard"},
          {.name = "primary_key", .shape = OneOrMore(Text(Format::kName)), .fallback = "the source's key", .doc = "The columns that tell rows apart; they are not NULL.", .example = "[id]",
           .mistaken = {"unique_key", "key", "keys", "key_properties"}},
          {.name = "partition_by", .shape = OneOrMore(Text(Format::kPartition)), .doc = "How files are divided: a column, or year, month, day, hour or bucket(n, …) of one.",
           .example = "[month(created_at)]", .mistaken = {"partitioned_by", "partitions"}},
          {.name = "sort_by", .shape = OneOrMore(Text(Format::kName)), .doc = "The columns by which rows are sorted within a file.", .example = "[customer_id]", .mistaken = {"order_by", "cluster_by"}},
          {.name = "on_new_field",
           .shape = Words({{"quarantine", "The row lands, the field is kept aside."}, {"append_new_columns", "The table gets a column."}, {"ignore", "Nothing; the journal still has it."}, {"fail", "The source stops."}}),
           .fallback = "quarantine", .doc = "What to do with a field that is not in the source's schema as recorded at apply.", .example = "append_new_columns", .mistaken = {"on_schema_change"}},
          {.name = "on_type_mismatch",
           .shape = Words({{"quarantine", "The row goes to quarantine."}, {"null", "The value becomes NULL."}, {"fail", "The source stops."}}),
           .fallback = "quarantine", .doc = "What to do with a value that its column can't hold exactly.", .example = "quarantine"},
          {.name = "special_values",
           .shape = Words({{"quarantine", "The row goes to quarantine."}, {"null", "The value becomes NULL."}, {"clamp", "It becomes the nearest value that the type has; NaN becomes NULL."}}),
           .fallback = "quarantine", .doc = "What to do with infinity, NaN and 24:00 where the type has none.", .example = "clamp"},
          {.name = "columns", .shape = Some(In(ColumnKeys())), .fallback = "all fields of the source, with inferred types", .doc = "Its columns.", .example = "[{name: id, data_type: bigint}]", .mistaken = {"fields"}},
          DescriptionKey("One row per order."),
          OwnerKey(),
          TagsKey(),
          ClassificationKey(),
          {.name = "target_file_size", .shape = Text(Format::kBytes), .fallback = "`storage.format.target_file_size`", .doc = "How large its files are to become.", .example = "64MB"},
          {.name = "data_tests", .shape = List(In(TableTest())), .doc = "Tests of the whole table.", .example = "[{unique: {columns: [order_id, line]}}]", .support = Support::kNoted, .mistaken = {"tests"}},
          {.name = "freshness", .shape = In(Freshness()), .doc = "How old the newest row may be.", .example = "{warn_after: 5m, error_after: 1h}", .support = Support::kNoted},
          {.name = "monitors", .shape = In(Monitors()), .doc = "What is watched while the warehouse runs.", .example = "{volume: {min_per_hour: 10}}", .support = Support::kNoted},
          {.name = "snapshots", .shape = In(SnapshotKeys()), .doc = "Full everyday snapshots of this table.", .example = "{daily: \"00:00\", keep: 30d}", .support = Support::kLater},
          {.name = "backfill", .shape = List(Words({{"journal", "", Support::kLater}, {"previous", "", Support::kLater}, {"source", "", Support::kLater}})),
           .doc = "Where a new version looks for the past, in order.", .example = "[journal, previous, source]", .support = Support::kLater},
          {.name = "serve", .shape = In(TableServe()), .doc = "How it is served.", .example = "{doors: [postgres, http], endpoint: /orders}", .support = Support::kLater},
      }};
  return object;
}

const Object& ModelColumn() {
  static const Object object{.name = "model.column", .where = "an item of a model's `columns`", .doc = "A column of a model.",
      .keys = {{.name = "name", .shape = Text(Format::kName), .required = true, .doc = "Its name.", .example = "revenue", .support = Support::kLater},
               {.name = "data_type", .shape = Text(Format::kDataType), .doc = "Its type.", .example = "\"decimal(38,2)\"", .support = Support::kLater},
               DescriptionKey("The day's revenue."), TagsKey(), ColumnTestsKey(), ClassificationKey(),
               {.name = "policy", .shape = Text(Format::kLabel), .doc = "One of `policies`.", .example = "hash", .support = Support::kLater}}};
  return object;
}
const Object& Model() {
  static const Object object{.name = "model", .where = "an item of `models`", .doc = "What is said about a model beside its SQL in `models/<name>.sql`.",
      .keys = {{.name = "name", .shape = Text(Format::kName), .required = true, .doc = "Its name: that of the SQL file.", .example = "daily_revenue", .support = Support::kLater},
               {.name = "materialized", .shape = Words({{"view", "", Support::kLater}, {"table", "", Support::kLater}, {"incremental", "", Support::kLater}}), .fallback = "table", .doc = "How it is kept.",
                .example = "table", .support = Support::kLater},
               {.name = "config", .shape = Free(), .doc = "Its configuration, as in dbt.", .example = "{materialized: table}", .support = Support::kLater},
               {.name = "columns", .shape = List(In(ModelColumn())), .doc = "Its columns.", .example = "[{name: revenue}]", .support = Support::kLater},
               {.name = "freshness", .shape = In(Freshness()), .doc = "How old it may be.", .example = "{warn_after: 1h}", .support = Support::kLater},
               {.name = "serve", .shape = In(TableServe()), .doc = "How it is served.", .example = "{doors: [postgres]}", .support = Support::kLater},
               DescriptionKey("Revenue a day."), OwnerKey(), TagsKey()}};
  return object;
}

const Object& Policy() {
  static const Object object{.name = "policy", .where = "a value of `policies`", .doc = "How those see a column who may not see it plain.",
      .keys = {{.name = "mask", .shape = Text(Format::kSql), .doc = "`hmac`, or SQL over `value`.", .example = "hmac", .support = Support::kLater},
               {.name = "deny", .shape = Boolean(), .doc = "The column is not there at all.", .example = "true", .support = Support::kLater},
               {.name = "key", .shape = Referring(Format::kAny), .doc = "The key of the HMAC: a reference.", .example = "\"${file:/run/secrets/pii}\"", .support = Support::kLater},
               {.name = "key_version", .shape = Integer(0, 1'000'000), .doc = "The key's number.", .example = "1", .support = Support::kLater},
               {.name = "join_domain", .shape = Text(Format::kLabel), .doc = "Columns of one domain have equal masks for equal values.", .example = "email", .support = Support::kLater}},
      .one_of = {"mask", "deny"}};
  return object;
}
const Object& Members() {
  static const Object object{.name = "role.members", .where = "`members` of a role", .doc = "Who has the role.",
      .keys = {{.name = "groups", .shape = List(Text(Format::kLabel)), .doc = "Groups of the identity provider.", .example = "[\"idp:sales-analysts\"]", .support = Support::kLater},
               {.name = "users", .shape = List(Text(Format::kLabel)), .doc = "Users.", .example = "[grafana]", .support = Support::kLater}}};
  return object;
}
const Object& Role() {
  static const Object object{.name = "role", .where = "an item of `roles`", .doc = "Who may see and do what.",
      .keys = {{.name = "name", .shape = Text(Format::kWarehouseName), .required = true, .doc = "Its name.", .example = "analyst", .support = Support::kLater},
               {.name = "members", .shape = In(Members()), .doc = "Who has the role.", .example = "{groups: [\"idp:sales-analysts\"], users: [grafana]}", .support = Support::kLater},
               {.name = "read", .shape = List(Text(Format::kLabel)), .doc = "Tables and models, `*` for any.", .example = "[orders, \"models.*\"]", .support = Support::kLater},
               {.name = "read_files", .shape = List(Text(Format::kLabel)), .doc = "Tables whose files may be read, through Iceberg.", .example = "[orders]", .support = Support::kLater},
               {.name = "read_journal", .shape = List(Text(Format::kLabel)), .doc = "Sources whose journal may be read.", .example = "[shop_cdc]", .support = Support::kLater},
               {.name = "rows", .shape = Map(Format::kName, Text(Format::kSql)), .doc = "By table, a condition: the rows that are seen.", .example = "{orders: \"status IS DISTINCT FROM 'returned'\"}", .support = Support::kLater},
               {.name = "unmask", .shape = List(Text(Format::kLabel)), .doc = "What is seen plain: a tag, a classification or `table.column`.", .example = "[pii]", .support = Support::kLater},
               {.name = "run", .shape = List(Text(Format::kLabel)), .doc = "Sources that may be started.", .example = "[marketing]", .support = Support::kLater},
               {.name = "manage", .shape = Boolean(), .fallback = "false", .doc = "Whether the warehouse may be changed.", .example = "true", .support = Support::kLater},
               DescriptionKey("Who looks at sales.")}};
  return object;
}
const Object& Alert() {
  static const Object object{.name = "alert", .where = "an item of `alerts`", .doc = "Whom to tell of what.",
      .keys = {{.name = "webhook", .shape = Referring(), .required = true, .doc = "Where to post.", .example = "\"${env:ALERT_URL}\"", .support = Support::kLater},
               {.name = "on", .shape = List(Words({{"freshness", "", Support::kLater}, {"quarantine", "", Support::kLater}, {"slot", "", Support::kLater}, {"test", "", Support::kLater}, {"volume", "", Support::kLater}})),
                .fallback = "everything", .doc = "What is told.", .example = "[freshness, quarantine]", .support = Support::kLater}}};
  return object;
}
const Object& Exposure() {
  static const Object object{.name = "exposure", .where = "an item of `exposures`", .doc = "A reader of the warehouse, as in dbt: who must be told before something breaks.",
      .keys = {{.name = "name", .shape = Text(Format::kLabel), .required = true, .doc = "Its name.", .example = "weekly_sales", .support = Support::kNoted},
               {.name = "type", .shape = Words({{"dashboard", "", Support::kNoted}, {"notebook", "", Support::kNoted}, {"analysis", "", Support::kNoted}, {"ml", "", Support::kNoted}, {"application", "", Support::kNoted}}),
                .doc = "What it is.", .example = "dashboard", .support = Support::kNoted},
               {.name = "depends_on", .shape = List(Text(Format::kName)), .required = true, .doc = "The tables and models that it reads.", .example = "[orders]", .support = Support::kNoted},
               {.name = "uses_version", .shape = Integer(0, 1'000'000), .doc = "The major version that it reads.", .example = "1", .support = Support::kNoted},
               {.name = "url", .shape = Text(Format::kLabel), .doc = "Where it is.", .example = "https://bi.example.com/sales", .support = Support::kNoted},
               {.name = "maturity", .shape = Words({{"high", "", Support::kNoted}, {"medium", "", Support::kNoted}, {"low", "", Support::kNoted}}), .doc = "How far it is relied on.", .example = "high", .support = Support::kNoted},
               DescriptionKey("The Monday report."), OwnerKey(), TagsKey()}};
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
    {Format::kWarehouseName, "plain name", R"(^[A-Za-z_][A-Za-z0-9_-]*$)", "a name of letters, digits, `_` and `-` that begins with a letter"},
    {Format::kDuration, "duration", R"(^[0-9]{1,6}(ms|s|m|h|d)$)", "a number and ms, s, m, h or d, such as 10m"},
    {Format::kBytes, "size", R"(^[1-9][0-9]{0,5}(B|KB|MB|GB|TB)$)", "a number and B, KB, MB, GB or TB, such as 128MB"},
    {Format::kClock, "time of day", R"(^([01][0-9]|2[0-3]):[0-5][0-9]$)", "a time of day, such as \"00:00\""},
    {Format::kVersion, "version", R"(^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$)", "a version of three numbers, such as 1.4.0"},
    {Format::kDataType, "type", R"(^\s*[A-Za-z][\s\S]*$)", "a type, such as bigint or decimal(18,2)"},
    {Format::kPath, "path", R"(^(?!.*\$\{)[^\x00-\x1f\x7f]+$)", "a path, without ${…}"},
    {Format::kPartition, "partition", R"(^[^\x00-\x1f\x7f]+$)", "a column, or year, month, day, hour or bucket(n, …) of one"},
    {Format::kSql, "SQL", R"(^[\s\S]*\S[\s\S]*$)", "SQL"},
    {Format::kListen, "address", R"(^[^\s]+:[0-9]{1,5}$)", "an address and a port, such as 127.0.0.1:8080"},
    {Format::kHttpPath, "URL path", R"(^/[^\s]*$)", "a path that begins with /"},
    {Format::kCatalog, "catalog", R"(^(sqlite:[^\x00-\x1f\x7f]+|postgres(ql)?://[^\s]+)$)", "sqlite:<file>, or postgresql://…"},
    {Format::kUrl, "URL", R"(^[^\x00-\x1f\x7f]+$)", "a URL, or a reference such as ${env:NAME}"},
}};

std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

const FormatRule& RuleOf(Format format) {
  for (const auto& rule : kFormats)
    if (rule.format == format) return rule;
  return kFormats[0];
}

bool Matches(Format format, std::string_view text) {
  if (format == Format::kAny) return true;
  if (format == Format::kSql || format == Format::kDataType) {   // of any length: judged by those that read it
    const auto first = text.find_first_not_of(" \t\r\n\f\v");
    if (first == std::string_view::npos) return false;
    return format == Format::kSql || (static_cast<unsigned char>(text[first]) < 0x80 && std::isalpha(static_cast<unsigned char>(text[first])));
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
  static const Object object{.name = "warehouse", .where = "the top of `nanohouse.yaml`, and of the files under `sources/`, `tables/`, `models/` and `roles/`",
      .doc = "One warehouse. Every file may hold every key; lists and `policies` of all files are joined, any other key stands in one of them.",
      .keys = {
          {.name = "nanohouse", .shape = Integer(1, 1), .required = true, .doc = "The version of this language.", .example = "1"},
          {.name = "warehouse", .shape = Text(Format::kWarehouseName), .required = true, .doc = "The warehouse's name.", .example = "shop"},
          {.name = "version", .shape = Text(Format::kVersion), .fallback = "1.0.0", .doc = "The contract's version; its major number is the live version, so 1.4.0 is `v1`.", .example = "1.4.0"},
          {.name = "domain", .shape = Text(), .doc = "The data domain.", .example = "sales", .support = Support::kNoted},
          OwnerKey(),
          DescriptionKey("Orders and customers of the web shop."),
          {.name = "storage", .shape = In(Storage()), .doc = "Where the warehouse keeps what it has, and how.", .example = "{root: ./data}"},
          {.name = "serve", .shape = In(Serve()), .doc = "The doors through which the warehouse is read.", .example = "{postgres: {listen: \"127.0.0.1:5439\"}}", .support = Support::kLater},
          {.name = "sources", .shape = List(In(Source())), .doc = "Where data comes from.", .example = "[{name: shop_cdc, debezium: {file: changes.jsonl}}]"},
          {.name = "tables", .shape = List(In(TableKeys())), .doc = "The tables that streams fill.", .example = "[{name: orders, source: {name: shop_cdc, stream: public.orders}}]"},
          {.name = "models", .shape = List(In(Model())), .doc = "What is said about models beside their SQL.", .example = "[{name: daily_revenue}]", .support = Support::kLater},
          {.name = "policies", .shape = Map(Format::kLabel, In(Policy())), .doc = "Named treatments of a column.", .example = "{hidden: {deny: true}}", .support = Support::kLater},
          {.name = "roles", .shape = List(In(Role())), .doc = "Who may see and do what.", .example = "[{name: analyst, read: [orders]}]", .support = Support::kLater},
          {.name = "alerts", .shape = List(In(Alert())), .doc = "Whom to tell of what.", .example = "[{webhook: \"${env:ALERT_URL}\", on: [freshness]}]", .support = Support::kLater},
          {.name = "exposures", .shape = List(In(Exposure())), .doc = "Who reads the warehouse.", .example = "[{name: weekly_sales, type: dashboard, depends_on: [orders]}]", .support = Support::kNoted},
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
