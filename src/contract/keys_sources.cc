// SPDX-License-Identifier: Apache-2.0
// Where data comes from: `sources` and their kinds.
#include "contract/declare.h"

namespace nano::contract {
namespace {

const Object& PostgresSource() {
  static const Object object{.name = "source.postgres",
                             .where = "`postgres` of a source",
                             .doc = "A PostgreSQL database's own logical replication.",
                             .keys = {
                                 {.name = "url",
                                  .shape = Referring(),
                                  .required = true,
                                  .doc = "The database.",
                                  .example = "\"${env:SHOP_DB_URL}\""},
                                 {.name = "publication",
                                  .shape = Text(Format::kLabel),
                                  .fallback = "nanohouse",
                                  .doc = "The publication to read; made where there is none.",
                                  .example = "nanohouse"},
                                 {.name = "slot",
                                  .shape = Text(Format::kLabel),
                                  .fallback = "nanohouse_<warehouse>_<source>",
                                  .doc = "The replication slot; made where there is none.",
                                  .example = "nanohouse_shop"},
                                 {.name = "streams",
                                  .shape = List(Text(Format::kLabel)),
                                  .fallback = "those that tables of the warehouse name",
                                  .doc = "More tables to keep in the journal, `*` for any.",
                                  .example = "[public.*]",
                                  .mistaken = {"tables"}},
                                 {.name = "max_wal",
                                  .shape = Text(Format::kBytes),
                                  .doc = "How much log the slot may hold back; `run` drops it above, before the database's disk is full.",
                                  .example = "20GB"},
                                 {.name = "on_slot_lost",
                                  .shape = Words({{"heal", "Make a new slot, read all tables once more and write what differs."},
                                                  {"resync", "The same, and replace all rows."},
                                                  {"fail", "Stop and say so."}}),
                                  .fallback = "fail",
                                  .doc = "What to do when changes can't come any more: the slot is gone or invalid, or the database is an older one.",
                                  .example = "heal"},
                             }};
  return object;
}

const Object& KafkaKeys() {
  static const Object object{.name = "source.debezium.kafka",
                             .where = "`debezium.kafka` of a source",
                             .doc = "Topics of a Kafka cluster.",
                             .keys = {
                                 {.name = "brokers",
                                  .shape = Either({Referring(), List(Referring())}),
                                  .required = true,
                                  .doc = "Where the cluster is.",
                                  .example = "localhost:9092",
                                  .support = Support::kLater},
                                 {.name = "topics",
                                  .shape = Some(Text(Format::kLabel)),
                                  .required = true,
                                  .doc = "The topics to read, `*` for any.",
                                  .example = "[\"srv.public.*\"]",
                                  .support = Support::kLater},
                                 {.name = "registry",
                                  .shape = Referring(),
                                  .doc = "A schema registry, for Avro.",
                                  .example = "http://localhost:8081",
                                  .support = Support::kLater},
                                 {.name = "config",
                                  .shape = Free(),
                                  .doc = "Settings of librdkafka.",
                                  .example = "{security.protocol: ssl}",
                                  .support = Support::kLater},
                             }};
  return object;
}

const Object& ServerKeys() {
  static const Object object{.name = "source.debezium.server",
                             .where = "`debezium.server` of a source",
                             .doc = "A Debezium Server that the warehouse runs.",
                             .keys = {{.name = "home",
                                       .shape = Text(Format::kPath),
                                       .required = true,
                                       .doc = "Where it is installed.",
                                       .example = "/opt/debezium-server",
                                       .support = Support::kLater},
                                      {.name = "config",
                                       .shape = Free(),
                                       .required = true,
                                       .doc = "Its properties.",
                                       .example = "{debezium.source.database.password: \"${env:PW}\"}",
                                       .support = Support::kLater}}};
  return object;
}

const Object& Debezium() {
  static const Object object{.name = "source.debezium",
                             .where = "`debezium` of a source",
                             .doc = "Debezium's change events.",
                             .keys =
                                 {
                                     {.name = "file",
                                      .shape = Text(Format::kPath),
                                      .doc = "A file of messages, one a line, from the warehouse's folder; `-` is standard input.",
                                      .example = "changes.jsonl",
                                      .mistaken = {"path"}},
                                     {.name = "kafka",
                                      .shape = In(KafkaKeys()),
                                      .doc = "Topics of a Kafka cluster.",
                                      .example = "{brokers: \"localhost:9092\", topics: [\"srv.public.*\"]}",
                                      .support = Support::kLater},
                                     {.name = "http",
                                      .shape = Text(Format::kHttpPath),
                                      .doc = "A path of the HTTP door (`serve.http`) on which Debezium Server's HTTP sink posts, while `nanohouse run` runs.",
                                      .example = "/ingest/shop_cdc"},
                                     {.name = "server",
                                      .shape = In(ServerKeys()),
                                      .doc = "A Debezium Server that the warehouse runs.",
                                      .example = "{home: /opt/debezium-server, config: {debezium.source.topic.prefix: srv}}",
                                      .support = Support::kLater},
                                 },
                             .one_of = {"file", "kafka", "http", "server"}};
  return object;
}

const Object& Singer() {
  static const Object object{.name = "source.singer",
                             .where = "`singer` of a source",
                             .doc = "A Singer tap, or what one wrote.",
                             .keys =
                                 {
                                     {.name = "tap",
                                      .shape = Text(Format::kPath),
                                      .doc = "The program to run.",
                                      .example = "tap-spreadsheets",
                                      .mistaken = {"command", "executable"}},
                                     {.name = "file",
                                      .shape = Text(Format::kPath),
                                      .doc = "A file of Singer messages, from the warehouse's folder; `-` is standard input.",
                                      .example = "stream.jsonl",
                                      .mistaken = {"path"}},
                                     {.name = "arguments",
                                      .shape = List(Text()),
                                      .doc = "More arguments for the tap.",
                                      .example = "[--verbose]",
                                      .mistaken = {"args"}},
                                     {.name = "pip",
                                      .shape = Text(Format::kLabel),
                                      .doc = "The package that has the tap, for people; it is not installed unasked.",
                                      .example = "\"tap-spreadsheets==1.1.2\"",
                                      .support = Support::kNoted},
                                     {.name = "config",
                                      .shape = Free(),
                                      .doc = "The tap's configuration, passed on as JSON.",
                                      .example = "{start_date: \"2024-01-01\", token: \"${env:TOKEN}\"}"},
                                     {.name = "catalog",
                                      .shape = Text(Format::kPath),
                                      .doc = "A catalog file; without one the tap is asked to discover.",
                                      .example = "catalog.json"},
                                     {.name = "select",
                                      .shape = List(Text(Format::kLabel)),
                                      .fallback = "what the tap selects",
                                      .doc = "The streams to read.",
                                      .example = "[campaigns]",
                                      .mistaken = {"streams", "tables"}},
                                     {.name = "environment",
                                      .shape = Map(Format::kLabel, Referring(Format::kAny)),
                                      .doc = "Environment variables of the tap.",
                                      .example = "{TZ: UTC}",
                                      .mistaken = {"env"}},
                                     {.name = "every",
                                      .shape = Text(Format::kDuration),
                                      .doc = "How often `run` starts the tap, counted from one start to the next; without it, once.",
                                      .example = "15m",
                                      .mistaken = {"schedule", "interval"}},
                                 },
                             .one_of = {"tap", "file"}};
  return object;
}

const Object& OtherWarehouse() {
  static const Object object{.name = "source.warehouse",
                             .where = "`warehouse` of a source",
                             .doc = "Tables of another nano warehouse.",
                             .keys = {{.name = "url",
                                       .shape = Referring(),
                                       .required = true,
                                       .doc = "Its PostgreSQL door.",
                                       .example = "\"postgresql://payments.example.com:5439\"",
                                       .support = Support::kLater},
                                      {.name = "version",
                                       .shape = Integer(0, 1'000'000),
                                       .doc = "The major version to read.",
                                       .example = "2",
                                       .support = Support::kLater},
                                      {.name = "tables",
                                       .shape = List(Text(Format::kName)),
                                       .required = true,
                                       .doc = "The tables to read.",
                                       .example = "[payments]",
                                       .support = Support::kLater}}};
  return object;
}

}  // namespace

const Object& SourceKeys() {
  static const Object object{
      .name = "source",
      .where = "an item of `sources`",
      .doc = "Where data comes from: a name, and one of the kinds.",
      .keys =
          {
              {.name = "name",
               .shape = Text(Format::kWarehouseName),
               .required = true,
               .doc = "Its name; `journal.<name>` shows what it said.",
               .example = "shop_cdc"},
              {.name = "debezium",
               .shape = In(Debezium()),
               .doc = "Debezium's change events.",
               .example = "{file: changes.jsonl}",
               .mistaken = {"kafka", "cdc"}},
              {.name = "singer",
               .shape = In(Singer()),
               .doc = "A Singer tap, or what one wrote.",
               .example = "{file: stream.jsonl}",
               .mistaken = {"tap"}},
              {.name = "postgres",
               .shape = In(PostgresSource()),
               .doc = "A PostgreSQL database's own logical replication.",
               .example = "{url: \"${env:SHOP_DB_URL}\", streams: [public.*]}",
               .mistaken = {"postgresql"}},
              {.name = "warehouse",
               .shape = In(OtherWarehouse()),
               .doc = "Tables of another nano warehouse.",
               .example = "{url: \"postgresql://payments.example.com:5439\", version: 2, tables: [payments]}",
               .support = Support::kLater},
              DescriptionKey("The shop's database."),
              OwnerKey(),
              TagsKey(),
          },
      .one_of = {"debezium", "singer", "postgres", "warehouse"}};
  return object;
}

}  // namespace nano::contract
