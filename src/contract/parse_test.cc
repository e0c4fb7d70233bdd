// SPDX-License-Identifier: Apache-2.0
#include "contract/parse.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "contract/render.h"

namespace nano::contract {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kTop = "nanohouse: 1\nwarehouse: shop\nsources:\n  - {name: cdc, debezium: {file: changes.jsonl}}\n";

/// "file:line:column code" of each finding.
std::vector<std::string> Said(const Parsed& parsed) {
  std::vector<std::string> out;
  for (const auto& f : parsed.findings) out.push_back(fmt::format("{}:{}:{} {}", f.place.in, f.place.at, f.place.column, f.code));
  return out;
}

Parsed Of(std::string text, std::string tables = {}) {
  std::vector<SourceFile> files{{"nanohouse.yaml", std::move(text)}};
  if (!tables.empty()) files.push_back({"tables/t.yaml", std::move(tables)});
  return Parse(std::move(files), ".");
}

/// Findings of one table's file beside a good warehouse.
Parsed OfTable(const std::string& yaml) { return Of(std::string(kTop), yaml); }

TEST(Parse, FillsTheContract) {
  const auto parsed = Of(R"y(nanohouse: 1
warehouse: shop
version: 1.4.0
domain: sales
storage:
  root: ./data
  format: {compression: snappy, target_file_size: 64MB}
  journal: {commit_every: 500ms, commit_bytes: 4MB}
  grace: 1h
  iceberg: {publish_every: 2m}
sources:
  - name: cdc
    debezium: {file: "-"}
  - name: marketing
    singer: {tap: tap-x, config: {start: "2024-01-01", n: 1.50, list: [1, true, null]}, select: [a], every: 15m, pip: "tap-x==1"}
)y",
                         R"y(tables:
  - name: orders
    source: {name: cdc, stream: public.orders}
    primary_key: id
    partition_by: [month(created_at), "bucket(16, id)"]
    sort_by: [customer]
    columns:
      - {name: id, data_type: bigint}
      - {name: customer, data_type: string, field: person.name, description: "Who", data_tests: [not_null, {accepted_values: {values: [a, 1]}}]}
      - {name: "a.b", data_type: "decimal(18,2)", field: [x, "y.z"], constraints: [not_null]}
      - {name: created_at, data_type: timestamptz}
  - {name: cdc2, source: cdc, mode: append, special_values: clamp, on_new_field: ignore, on_type_mismatch: "null"}
)y");
  ASSERT_THAT(Said(parsed), IsEmpty());
  const Contract& c = *parsed.contract;
  EXPECT_EQ(c.major(), 1);
  EXPECT_EQ(c.storage.local, "./data");
  EXPECT_EQ(c.storage.compression, "snappy");
  EXPECT_EQ(c.storage.target_file_bytes, 64 << 20);
  EXPECT_EQ(c.storage.commit_every_ms, 500);
  EXPECT_EQ(c.storage.commit_bytes, 4 << 20);
  EXPECT_EQ(c.storage.grace_seconds, 3600);
  EXPECT_EQ(c.storage.publish_every_seconds, 120);
  EXPECT_EQ(c.source("cdc")->kind, Source::Kind::kDebeziumFile);
  EXPECT_EQ(c.source("cdc")->file, "-");
  const Source& tap = *c.source("marketing");
  EXPECT_EQ(tap.kind, Source::Kind::kSingerTap);
  EXPECT_EQ(tap.tap_config.text(), R"({"start":"2024-01-01","n":1.50,"list":[1,true,null]})");
  const Table& orders = *c.table("orders");
  EXPECT_THAT(orders.primary_key, ElementsAre("id"));
  EXPECT_EQ(orders.mode, Mode::kUpsert);
  EXPECT_FALSE(orders.mode_given);
  EXPECT_EQ(orders.partition_by[0].transform, PartitionField::Transform::kMonth);
  EXPECT_EQ(orders.partition_by[1].buckets, 16);
  EXPECT_TRUE(orders.column("id")->not_null);
  EXPECT_FALSE(orders.column("created_at")->not_null);
  EXPECT_THAT(orders.column("customer")->field, ElementsAre("person", "name"));
  EXPECT_THAT(orders.column("a.b")->field, ElementsAre("x", "y.z"));
  EXPECT_EQ(orders.column("customer")->tests[1].arguments, R"({"values":["a",1]})");
  EXPECT_EQ(orders.place.in, "tables/t.yaml");
  EXPECT_EQ(orders.place.at, 2U);
  const Table& other = *c.table("cdc2");
  EXPECT_EQ(other.sources[0].stream, "cdc2");
  EXPECT_EQ(other.special_values, SpecialValues::kClamp);
  EXPECT_EQ(other.on_type_mismatch, OnTypeMismatch::kNull);
  EXPECT_TRUE(c.not_yet.empty());
}

TEST(Parse, TheWholeLanguageIsKnown) {
  ::setenv("NANO_TEST_URL", "x", 1);
  const auto parsed = Of(R"y(nanohouse: 1
warehouse: shop
version: 1.4.0
domain: sales
owner: {team: checkout, email: checkout@example.com}
description: Orders and customers of the web shop.
storage:
  root: ./data
  local: ./data
  catalog: sqlite:catalog.db
  format: {compression: zstd, target_file_size: 128MB}
  snapshots: {daily: "00:00", time_zone: UTC, keep: 30d}
  journal: {keep: 7d, base_image: true, commit_every: 1s, commit_bytes: 16MB}
  grace: 10m
  iceberg: off
serve:
  postgres: {listen: 127.0.0.1:5439}
  http: {listen: 127.0.0.1:8080}
  auth: {oidc: {issuer: https://id.example.com, audience: shop}}
sources:
  - name: shop_db
    postgres: {url: "${env:NANO_TEST_URL}", publication: nanohouse, streams: [public.*], max_wal: 20GB, on_slot_lost: heal}
  - name: shop_cdc
    debezium: {kafka: {brokers: localhost:9092, topics: ["srv.public.*"]}}
  - name: marketing
    singer: {tap: tap-spreadsheets, pip: "tap-spreadsheets==1.1.2", config: {a: 1}, select: [campaigns], every: 15m}
  - name: payments
    warehouse: {url: "postgresql://payments.example.com:5439", version: 2, tables: [payments]}
tables:
  - name: orders
    source: {name: shop_db, stream: public.orders}
    mode: upsert
    deletes: hard
    primary_key: [id]
    partition_by: [month(created_at)]
    sort_by: [customer_id]
    description: One row per order.
    on_new_field: quarantine
    on_type_mismatch: quarantine
    special_values: quarantine
    columns:
      - {name: id, data_type: bigint, constraints: [not_null]}
      - {name: customer_id, data_type: bigint, data_tests: [not_null, {relationships: {to: customers, field: id}}]}
      - {name: amount, data_type: "decimal(18,2)", field: amount_cents, source_type: bigint, expr: "amount_cents * 0.01"}
      - {name: status, data_type: string, data_tests: [{accepted_values: {values: [placed, shipped, completed, returned]}}]}
      - {name: email, data_type: string, classification: restricted, tags: [pii], policy: hash}
      - {name: created_at, data_type: timestamptz}
      - {name: net, data_type: "decimal(18,2)", field: amount_cents, expr: "round(amount_cents * 0.0081, 2)", was: amount, up: "round(amount * 0.81, 2)", down: "round(net * 1.234568, 2)"}
    backfill: [journal, previous, source]
    freshness: {warn_after: 5m, error_after: 1h}
    monitors: {volume: {min_per_hour: 10}, quarantine: {max_ratio: 0.001}}
    serve: {doors: [postgres, http, iceberg], endpoint: /orders}
  - {name: customers, source: {name: shop_db, stream: public.customers}}
  - {name: old, source: marketing, mode: history, deletes: soft}
policies:
  hash: {mask: hmac, key: "${env:NANO_TEST_URL}", key_version: 1, join_domain: email}
  last4: {mask: "'***' || right(value, 4)"}
  hidden: {deny: true}
roles:
  - name: analyst
    members: {groups: ["idp:sales-analysts"], users: [grafana]}
    read: [orders, customers, "models.*"]
    rows: {orders: "status IS DISTINCT FROM 'returned'"}
  - {name: fraud, members: {groups: ["idp:fraud"]}, read: [orders], unmask: [pii]}
  - {name: engineer, read: ["*"], read_journal: [shop_db], run: [marketing], manage: true}
  - {name: partner, read_files: [orders]}
alerts:
  - {webhook: "${env:NANO_TEST_URL}", on: [freshness, quarantine, slot, test]}
exposures:
  - {name: weekly_sales, type: dashboard, depends_on: [orders], owner: {team: finance}, uses_version: 1}
)y");
  for (const auto& f : parsed.findings) ADD_FAILURE() << f.place.at << ":" << f.place.column << " " << f.message << " | " << f.hint;
  std::vector<std::string> not_yet;
  for (const auto& item : parsed.contract->not_yet) not_yet.push_back(item.what);
  EXPECT_THAT(not_yet, ElementsAre("storage: snapshots", "serve: postgres", "serve: auth",
                                   "source.debezium: kafka", "source: warehouse", "column: classification",
                                   "column: policy", "column: was", "column: up", "column: down", "table: backfill", "table: serve",
                                   "policies", "roles", "alerts"));
  EXPECT_FALSE(parsed.contract->storage.publish);
  ASSERT_EQ(parsed.contract->table("orders")->column("amount")->inputs.size(), 1U);
  EXPECT_EQ(parsed.contract->table("orders")->column("amount")->inputs[0].field, "amount_cents");
}

struct Mistake {
  const char* name;
  const char* table;  ///< a file of tables
  const char* said;   ///< "line:column code"
  const char* hint;   ///< a part of it
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }
class MistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(MistakeTest, IsToldWithPlaceAndHint) {
  const auto parsed = OfTable(GetParam().table);
  std::vector<std::string> said;
  for (const auto& f : parsed.findings) said.push_back(fmt::format("{}:{} {}", f.place.at, f.place.column, f.code));
  EXPECT_THAT(said, ElementsAre(GetParam().said)) << (parsed.findings.empty() ? "" : parsed.findings[0].message);
  if (!parsed.findings.empty()) {
    EXPECT_THAT(parsed.findings[0].hint, HasSubstr(GetParam().hint));
    EXPECT_EQ(parsed.findings[0].place.in, "tables/t.yaml");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Every, MistakeTest,
    testing::Values(
        Mistake{"UnknownKey", "tables:\n  - {name: a, source: cdc, primry_key: [id]}", "2:28 unknown-key",
                "Did you mean `primary_key`?"},
        Mistake{"DbtWord", "tables:\n  - {name: a, source: cdc, unique_key: id}", "2:28 unknown-key", "Write `primary_key: [id]`."},
        Mistake{"DbtFile", "version: 2\nmodels:\n  - name: x\n", "1:1 dbt-file", "Remove `version: 2`"},
        Mistake{"WrongType", "tables:\n  - {name: a, source: cdc, columns: id}", "2:37 wrong-type", ""},
        Mistake{"NumberForText", "tables:\n  - {name: 5, source: cdc}", "2:12 wrong-type", "Put it in quotes: \"5\"."},
        Mistake{"NoValue", "tables:\n  - name:\n    source: cdc\n", "2:5 wrong-type", "Give it a value"},
        Mistake{"MissingKey", "tables:\n  - {name: a}", "2:5 missing-key",
                "Add it, such as `source: {name: shop_cdc, stream: public.orders}`."},
        Mistake{"BadWord", "tables:\n  - {name: a, source: cdc, mode: upsrt}", "2:34 bad-value", "Did you mean `upsert`?"},
        Mistake{"TwoKinds", "sources:\n  - {name: b, singer: {file: x}, debezium: {file: y}}", "2:5 one-of", "Keep one of them."},
        Mistake{"NoKind", "sources:\n  - {name: b}", "2:5 one-of", "Add one of them."},
        Mistake{"NoDoor", "sources:\n  - {name: b, debezium: {http: /x}}", "2:32 no-door", "`serve: {http:"},
        Mistake{"PathOfTheWarehouse", "serve: {http: {listen: 127.0.0.1:8080}}\nsources:\n  - {name: b, debezium: {http: /metrics}}", "3:32 posted-path", "/ingest/b"},
        Mistake{"TwoOnOnePath", "serve: {http: {listen: 127.0.0.1:8080}}\nsources:\n  - {name: b, debezium: {http: /x}}\n  - {name: c, debezium: {http: /x}}", "4:32 posted-path",
                "tables/t.yaml:3"},
        Mistake{"DuplicateTable", "tables:\n  - {name: a, source: cdc}\n  - {name: a, source: cdc}", "3:12 duplicate-name",
                "tables/t.yaml:2"},
        Mistake{"OnlyCase", "tables:\n  - {name: straße, source: cdc}\n  - {name: STRAßE, source: cdc}", "3:12 case-only",
                "tables/t.yaml:2"},
        Mistake{"OnlyCaseOfOtherLetters",
                "tables:\n  - {name: Žluť, source: cdc}\n  - {name: žlutЬ, source: cdc}\n  - {name: žluť, source: cdc}",
                "4:12 case-only", "tables/t.yaml:2"},
        Mistake{"DuplicateColumn",
                "tables:\n  - {name: a, source: cdc, columns: [{name: x, data_type: int}, {name: x, data_type: int}]}",
                "2:72 duplicate-name", "another name"},
        Mistake{"DuplicateKey", "tables:\n  - name: a\n    source: cdc\n    name: b\n", "4:5 duplicate-key", "Keep one of them."},
        Mistake{"TopInTwoFiles", "warehouse: other\n", "1:1 duplicate-key", "Keep one"},
        Mistake{"ReservedTable", "tables:\n  - {name: V12, source: cdc}", "2:12 reserved-name", "own"},
        Mistake{"ReservedColumn", "tables:\n  - {name: a, source: cdc, columns: [{name: _id, data_type: int}]}",
                "2:45 reserved-name", "`field: _id`"},
        Mistake{"ReplaceOfChanges", "tables:\n  - {name: a, source: cdc, mode: replace}", "2:34 mode", "mode: upsert"},
        Mistake{"HistorysOwnColumn", "tables:\n  - {name: a, source: cdc, mode: history, columns: [{name: valid_to, data_type: int}]}",
                "2:60 reserved-name", "another name"},
        Mistake{"DollarColumn", "tables:\n  - {name: a, source: cdc, columns: [{name: $path, data_type: int}]}",
                "2:45 reserved-name", "Trino"},
        Mistake{"UnknownSource", "tables:\n  - {name: a, source: {name: cdx}}", "2:30 unknown-name", "Did you mean `cdc`?"},
        Mistake{"UnknownKeyColumn", "tables:\n  - {name: a, source: cdc, primary_key: [it], columns: [{name: id, data_type: int}]}",
                "2:42 unknown-name", "Did you mean `id`?"},
        Mistake{"NullableKey",
                "tables:\n  - {name: a, source: cdc, primary_key: [id], columns: [{name: id, data_type: int, constraints: "
                "[nullable]}]}",
                "2:98 key-column", "Remove `nullable`"},
        Mistake{"DoubleKey", "tables:\n  - {name: a, source: cdc, primary_key: [id], columns: [{name: id, data_type: double}]}",
                "2:42 key-column", "beyond doubt"},
        Mistake{
            "NotNullAndNullable",
            "tables:\n  - {name: a, source: cdc, columns: [{name: id, data_type: int, constraints: [nullable, {type: not_null}]}]}",
            "2:78 constraint", "Keep one"},
        Mistake{"RelationshipToNothing",
                "tables:\n  - {name: a, source: cdc, columns: [{name: id, data_type: int, data_tests: [{relationships: {to: b, "
                "field: id}}]}]}",
                "2:99 unknown-name", ""},
        Mistake{"UnknownPolicy",
                "policies: {hash: {deny: true}}\ntables:\n  - {name: a, source: cdc, columns: [{name: id, data_type: int, policy: "
                "hsah}]}",
                "3:73 unknown-name", "`hash`"},
        Mistake{"RoleReadsNothing", "roles:\n  - {name: r, read: [nothing]}", "2:22 unknown-name", "Declare it"},
        Mistake{"ExposureOfNothing", "exposures:\n  - {name: r, depends_on: [nothing]}", "2:28 unknown-name", "Declare it"},
        Mistake{"UnknownType", "tables:\n  - {name: a, source: cdc, columns: [{name: id, data_type: hugeint}]}",
                "2:60 unknown-type", "The types are"},
        Mistake{"MisspeltType", "tables:\n  - {name: a, source: cdc, columns: [{name: id, data_type: bigit}]}", "2:60 unknown-type", "`bigint`"},
        Mistake{"TypeOfElsewhere", "tables:\n  - {name: a, source: cdc, columns: [{name: id, data_type: \"list<varchar>\"}]}", "2:60 unknown-type", "`string`"},
        Mistake{"NarrowType", "tables:\n  - {name: a, source: cdc, columns: [{name: id, data_type: int, source_type: bigint}]}",
                "2:60 type-mismatch", "wider"},
        Mistake{"NarrowScale",
                "tables:\n  - {name: a, source: cdc, columns: [{name: id, data_type: \"decimal(18,2)\", source_type: "
                "\"numeric(18,3)\"}]}",
                "2:60 type-mismatch", "wider"},
        Mistake{"BucketOfUuid",
                "tables:\n  - {name: a, source: cdc, partition_by: [\"bucket(4, n)\"], columns: [{name: n, data_type: boolean}]}",
                "2:43 partition", "reference"},
        Mistake{"BucketWithoutQuotes",
                "tables:\n  - {name: a, source: cdc, partition_by: [\"bucket(4\"], columns: [{name: n, data_type: int}]}", "2:43 partition", "quotes"},
        Mistake{"HourOfDate", "tables:\n  - {name: a, source: cdc, partition_by: [hour(n)], columns: [{name: n, data_type: date}]}",
                "2:43 partition", "reference"},
        Mistake{"TwoTimes",
                "tables:\n  - {name: a, source: cdc, partition_by: [year(n), month(n)], columns: [{name: n, data_type: date}]}",
                "2:52 partition", "finer"},
        Mistake{"NoTransform", "tables:\n  - {name: a, source: cdc, partition_by: [week(n)]}", "2:43 partition", "year, month"},
        Mistake{"BucketWithoutNumber", "tables:\n  - {name: a, source: cdc, partition_by: [bucket(n)]}", "2:43 partition",
                "bucket(16, id)"},
        Mistake{"SortByList", "tables:\n  - {name: a, source: cdc, sort_by: [n], columns: [{name: n, data_type: list<int>}]}",
                "2:38 sort-column", "plain type"},
        Mistake{"UnsetVariable", "sources:\n  - {name: b, singer: {tap: t, config: {k: \"${env:NANO_SURELY_UNSET}\"}}}",
                "2:44 secret", "Set NANO_SURELY_UNSET"},
        Mistake{"ReferenceInPath", "sources:\n  - {name: b, singer: {file: \"${env:X}\"}}", "2:30 bad-value",
                "Write the path itself"},
        Mistake{"NoYaml", "tables:\n  - {name: a, source: cdc\n", "3:1 not-yaml", ""},
        Mistake{"Tab", "tables:\n\t- {name: a}\n", "2:2 not-yaml", ""},
        Mistake{"NotUtf8", "tables: \xff\n", "1:9 not-utf8", "UTF-8"},
        Mistake{"SecondDocument", "tables: []\n---\ntables: []\n", "3:1 not-yaml", "file of its own"},
        Mistake{"AList", "- a\n", "1:1 wrong-type", "Write keys"},
        Mistake{"SelfReference", "tables: &a [*a]\n", "1:13 not-yaml", ""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Parse, TellsEveryMistakeOfEveryFileInOrder) {
  std::vector<SourceFile> files{{"tables/b.yaml", "tables:\n  - {name: b, source: nope}\n  - {nam: c, source: cdc}\n"},
                                {"nanohouse.yaml", "nanohouse: 2\nwarehouse: shop\nsources: [{name: cdc, debezium: {file: x}}]\n"},
                                {"tables/a.yaml", "tables: [\n"}};
  EXPECT_THAT(Said(Parse(files, ".")),
              ElementsAre("nanohouse.yaml:1:12 bad-value", "tables/a.yaml:2:1 not-yaml", "tables/b.yaml:2:23 unknown-name",
                          "tables/b.yaml:3:5 missing-key", "tables/b.yaml:3:6 unknown-key"));
}

TEST(Parse, AWarehouseWithoutItsFirstKeysIsToldSo) {
  EXPECT_THAT(Said(Of("tables: []\n")), ElementsAre("nanohouse.yaml:1:1 missing-key", "nanohouse.yaml:1:1 missing-key"));
}

TEST(Parse, ColumnsCountCharactersNotBytes) {
  const auto parsed = OfTable("tables:\n  - {name: \"žluťoučký\", source: nope}\n");
  EXPECT_THAT(Said(parsed), ElementsAre("tables/t.yaml:2:33 unknown-name"));
  EXPECT_EQ(parsed.findings[0].end.column, 37U);
}

TEST(Parse, WarnsOfTypesThatSomeEnginesCantRead) {
  const auto parsed = OfTable("tables:\n  - {name: a, source: cdc, columns: [{name: t, data_type: list<time>}]}\n");
  EXPECT_TRUE(parsed.ok());
  EXPECT_THAT(Said(parsed), ElementsAre("tables/t.yaml:2:59 not-everywhere"));
}

TEST(Parse, WarnsOfSecretsInPlainText) {
  const auto parsed = Of(fmt::format("{}{}", kTop, "  - {name: t, singer: {tap: t, config: {password: hunter2}}}\n"));
  EXPECT_TRUE(parsed.ok());
  EXPECT_THAT(Said(parsed), ElementsAre("nanohouse.yaml:5:41 plain-secret"));
}

TEST(Parse, ManyAliasesDoNotGrowWithoutBound) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i)
    bomb += fmt::format("a{}: &a{} [*a{}, *a{}, *a{}, *a{}, *a{}, *a{}, *a{}, *a{}]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1,
                        i - 1, i - 1, i - 1);
  EXPECT_FALSE(OfTable(bomb).ok());
}

TEST(Parse, DeepNestingIsRefused) {
  for (const char open : {'[', '{'}) EXPECT_FALSE(OfTable("tables: " + std::string(20'000, open)).ok());
  std::string dashes;
  for (int i = 0; i < 20'000; ++i) dashes += "- ";
  EXPECT_FALSE(OfTable(dashes).ok());
  std::string lines;
  for (int i = 0; i < 3'000; ++i) lines += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_FALSE(OfTable(lines).ok());
}

TEST(Parse, AnyBytesGiveFindingsAndNoHarm) {
  const std::string good = fmt::format(
      "{}storage: {{grace: 10m, iceberg: off, format: {{target_file_size: 1MB}}}}\ntables:\n- name: \"o\\u017e\"\n  source: "
      "[{{name: cdc, stream: 'x'}}]\n"
      "  primary_key: &k [id]\n  sort_by: *k\n  partition_by: [bucket(4, id), 'day(\"t t\")']\n  description: >-\n    folded\n    "
      "text\n  columns:\n"
      "  - {{name: id, data_type: bigint, source_type: 'numeric(18,0)', field: a.b, data_tests: [unique, {{relationships: {{to: o, "
      "field: id}}}}]}}\n"
      "  - {{name: \"t t\", data_type: 'map<string, struct<\"x y\": list<decimal(9,2)>>>', constraints: [{{type: not_null}}]}}\n"
      "policies: {{p: {{mask: x, key: '${{file:/dev/null}}'}}}}\nroles: [{{name: r, rows: {{o: 'true'}}}}]\n",
      kTop);
  std::uint64_t state = 88172645463325252ULL;
  const auto next = [&](std::size_t below) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return static_cast<std::size_t>(state % below);
  };
  static constexpr std::string_view kBits[] = {"\n",   "  ",   "- ", ": ",    "{",      "}", "[",    "]",  "\"", "'",
                                               "&a ",  "*a",   "*k", "!",     "!!str ", "|", ">",    "#",  "? ", "\t",
                                               "\xff", "\xc3", "%",  "---\n", "${",     ",", "<<: ", "\r", "0x", "."};
  std::size_t wrong = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (std::size_t n = 1 + next(4); n > 0; --n) {
      const std::size_t at = next(text.size());
      switch (next(4)) {
        case 0: text[at] = static_cast<char>(next(256)); break;
        case 1: text.erase(at, 1 + next(12)); break;
        case 2: text.insert(at, kBits[next(std::size(kBits))]); break;
        default: text.insert(next(text.size()), text.substr(at, next(60))); break;
      }
      if (text.empty()) text = "x";
    }
    const auto parsed = Parse({{"nanohouse.yaml", text}}, ".");
    wrong += parsed.ok() ? 0 : 1;
    for (const auto& finding : parsed.findings) {
      EXPECT_FALSE(finding.message.empty());
      EXPECT_GE(finding.place.at, 1U);
      EXPECT_GE(finding.place.column, 1U);
    }
    EXPECT_EQ(RenderText(parsed.findings, parsed.files, Colour::kOff).empty(), parsed.findings.empty());
    EXPECT_FALSE(RenderSarif(parsed.findings, "0").empty());
  }
  EXPECT_GT(wrong, 1500U);
}

TEST(Bundle, GivesTheSameContractWithoutItsFolder) {
  const auto parsed = Of(std::string(kTop), "tables:\n  - {name: a, source: cdc, columns: [{name: x, data_type: int}]}\n");
  ASSERT_TRUE(parsed.ok());
  const auto again = LoadBundle(parsed.contract->bundle, "/somewhere");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ((*again)->bundle, parsed.contract->bundle);
  EXPECT_EQ((*again)->tables[0].columns[0].name, "x");
  EXPECT_EQ((*again)->folder, "/somewhere");
}

TEST(Bundle, HoldsNoSecret) {
  ::setenv("NANO_TEST_SECRET", "hunter2hunter2", 1);
  const auto parsed =
      Of(fmt::format("{}{}", kTop, "  - {name: t, singer: {tap: t, config: {password: \"${env:NANO_TEST_SECRET}\"}}}\n"));
  ASSERT_THAT(Said(parsed), IsEmpty());
  EXPECT_THAT(parsed.contract->bundle, testing::Not(HasSubstr("hunter2")));
  ::unsetenv("NANO_TEST_SECRET");
  EXPECT_TRUE(LoadBundle(parsed.contract->bundle, ".").has_value());
}

TEST(Bundle, WhatIsNoneIsRefused) {
  for (const auto* text :
       {"", "{}", "[1]", "[{\"path\":1,\"text\":\"\"}]", "[{\"path\":\"nanohouse.yaml\",\"text\":\"nanohouse: 1\"}]"})
    EXPECT_EQ(LoadBundle(text, ".").error().code, Code::kCorrupt) << text;
}

class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "nano_contract_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  std::filesystem::path folder_;
};

TEST_F(FolderTest, FilesUnderTheFourFoldersAreJoined) {
  Write("nanohouse.yaml", "nanohouse: 1\nwarehouse: shop\n");
  Write("sources/deep/er/s.yml", "sources: [{name: s, singer: {file: x.jsonl}}]\n");
  Write("tables/t.yaml", "tables: [{name: t, source: s}]\n");
  Write("tables/.hidden.yaml", "nonsense: 1\n");
  Write("tables/empty.yaml", "# nothing yet\n");
  Write("models/daily.sql", "SELECT 1\n");
  Write("data/tables/x.yaml", "nonsense: 1\n");
  const auto parsed = Load(folder_);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_THAT(Said(*parsed), IsEmpty());
  EXPECT_EQ(parsed->contract->tables.size(), 1U);
  ASSERT_EQ(parsed->contract->not_yet.size(), 1U);
  EXPECT_EQ(parsed->contract->not_yet[0].what, "model: models/daily.sql");
}

TEST_F(FolderTest, WithoutNanohouseYamlThereIsNoWarehouse) {
  EXPECT_EQ(Load(folder_).error().code, Code::kNotFound);
  Write("nanohouse.yml", "nanohouse: 1\n");
  EXPECT_THAT(Load(folder_).error().hint, HasSubstr("Rename"));
}

TEST_F(FolderTest, AFileBesideTheFoldersIsWarnedOf) {
  Write("nanohouse.yaml", "nanohouse: 1\nwarehouse: shop\n");
  Write("orders.yaml", "tables: []\n");
  Write("compose.yaml", "services: {}\n");
  const auto parsed = Load(folder_);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_THAT(Said(*parsed), ElementsAre("orders.yaml:1:1 not-read"));
  EXPECT_TRUE(parsed->ok());
}

}  // namespace
}  // namespace nano::contract
