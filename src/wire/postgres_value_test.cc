// SPDX-License-Identifier: Apache-2.0
#include "wire/postgres_value.h"

#include <gtest/gtest.h>

#include "wire/debezium_fixture.h"
#include "wire/debezium_form.h"
#include "wire/postgres_envelope.h"

namespace nano::wire {
namespace {

/// Types by the oids that the tests give them.
PgTypes Types() {
  PgTypes types;
  const auto base = [&](std::uint32_t oid, const char* name) { types.Add(oid, {.name = name}); };
  for (const auto& [oid, name] : std::initializer_list<std::pair<std::uint32_t, const char*>>{
           {1, "int4"}, {2, "int8"}, {3, "text"}, {4, "numeric"}, {5, "bool"}, {6, "float8"}, {7, "money"}, {8, "bytea"}, {9, "jsonb"}, {10, "hstore"},
           {11, "date"}, {12, "timestamptz"}, {13, "bit"}, {14, "interval"}, {15, "int4range"}, {17, "timestamp"}})
    base(oid, name);
  types.Add(16, {.name = "box", .delimiter = ';'});
  types.Add(101, {.kind = PgType::Kind::kArray, .name = "_int4", .of = 1});
  types.Add(103, {.kind = PgType::Kind::kArray, .name = "_text", .of = 3});
  types.Add(116, {.kind = PgType::Kind::kArray, .name = "_box", .of = 16});
  types.Add(200, {.kind = PgType::Kind::kComposite, .name = "pair", .fields = {{"n", 1, -1}, {"t", 3, -1}, {"list", 103, -1}}});
  types.Add(201, {.kind = PgType::Kind::kArray, .name = "_pair", .of = 200});
  types.Add(300, {.kind = PgType::Kind::kDomain, .name = "price", .of = 4, .modifier = (10 << 16 | 2) + 4});
  return types;
}

/// What becomes of `text` of a column of that type, in a table's column of `type`; a misfit's reason in angle brackets.
std::string Lands(std::uint32_t oid, const std::string& type, const std::string& text, std::int32_t modifier = -1) {
  const auto schema = ParseConnectSchema(Types().FieldSchema("c", oid, modifier));
  EXPECT_TRUE(schema);
  const DataType wanted = *ParseDataType(type);
  Arena arena;
  Cell cell;
  std::string reason;
  if (!ReadDebezium(wanted, {"c", arena.Keep(Escape(text)), schema.get()}, "", Special::kQuarantine, arena, cell, reason)) return "<" + reason + ">";
  return CellText(wanted, cell);
}

std::string Inferred(std::uint32_t oid, std::int32_t modifier = -1) {
  const auto schema = ParseConnectSchema(Types().FieldSchema("c", oid, modifier));
  return ToString(InferDebezium({"c", "null", schema.get()}));
}

TEST(PostgresValue, TextStaysAsPostgresSpellsIt) {
  EXPECT_EQ(Lands(14, "string", "1 year 2 mons 3 days 04:05:06.789"), "1 year 2 mons 3 days 04:05:06.789");
  EXPECT_EQ(Lands(15, "string", "[1,10)"), "[1,10)");
  EXPECT_EQ(Lands(4, "string", "1.10"), "1.10");
  EXPECT_EQ(Lands(3, "string", "__debezium_unavailable_value"), "__debezium_unavailable_value");
}

TEST(PostgresValue, NumbersAreExact) {
  EXPECT_EQ(Lands(4, "decimal(10,2)", "12.50"), "12.50");
  EXPECT_EQ(Lands(4, "decimal(10,2)", "12.505"), "<has 3 digits after the point, the column 2>");
  EXPECT_EQ(Lands(4, "double", "NaN"), "NaN");
  EXPECT_EQ(Lands(6, "double", "-Infinity"), "-Infinity");
  EXPECT_EQ(Lands(7, "decimal(12,2)", "-$1,234.56"), "-1234.56");
  EXPECT_EQ(Lands(7, "string", "$0.01"), "0.01");
}

TEST(PostgresValue, BytesBitsAndBooleans) {
  EXPECT_EQ(Lands(8, "binary", "\\xff00"), "\\xff00");
  EXPECT_EQ(Lands(8, "string", "\\xff00"), "\\xff00");
  EXPECT_EQ(Lands(13, "boolean", "1", 1), "true");
  EXPECT_EQ(Lands(13, "string", "10101", 5), "10101");
  EXPECT_EQ(Lands(5, "string", "t"), "true");
  EXPECT_EQ(Lands(5, "boolean", "false"), "false");
}

TEST(PostgresValue, TimesOfEveryAge) {
  EXPECT_EQ(Lands(11, "date", "0044-03-15 BC"), "0044-03-15 BC");
  EXPECT_EQ(Lands(12, "timestamptz", "0044-03-15 00:00:00+00 BC"), "0044-03-15 00:00:00+00 BC");
  EXPECT_EQ(Lands(12, "timestamptz", "infinity"), "<is infinity>");
  EXPECT_EQ(Lands(17, "timestamp", "2024-02-29 12:34:56.789012"), "2024-02-29 12:34:56.789012");
}

TEST(PostgresValue, ArraysAreListsOrJson) {
  EXPECT_EQ(Lands(101, "list<int>", "{1,2,NULL,4}"), "[1,2,NULL,4]");
  EXPECT_EQ(Lands(101, "list<int>", "{}"), "[]");
  EXPECT_EQ(Lands(101, "list<int>", "[0:1]={7,8}"), "[7,8]");
  EXPECT_EQ(Lands(103, "list<string>", R"({"a","b,c",NULL,"q\"x","NULL",""})"), "[a,b,c,NULL,q\"x,NULL,]");
  EXPECT_EQ(Lands(103, "json", R"({"a","b,c",NULL,"q\"x"})"), R"(["a","b,c",null,"q\"x"])");
  EXPECT_EQ(Lands(101, "string", "{{1,2},{3,4}}"), "[[1,2],[3,4]]");
  EXPECT_EQ(Lands(101, "list<list<int>>", "{{1,2},{3,4}}"), "[[1,2],[3,4]]");
  EXPECT_EQ(Lands(101, "list<int>", "{{1,2},{3,4}}"), "<has more dimensions than the column's type>");
  EXPECT_EQ(Lands(116, "list<string>", "{(1,1),(0,0);(2,2),(1,1)}"), "[(1,1),(0,0),(2,2),(1,1)]");
}

TEST(PostgresValue, BrokenArraysAreMisfits) {
  for (const char* const text : {"", "1", "{", "{1", "{1,", "{1,}", "{1}x", "{\"", "{{1}", "{,1}", "[0:1]", "{1}}"})
    EXPECT_EQ(Lands(101, "list<int>", text).substr(0, 1), "<") << text;
}

TEST(PostgresValue, RowsAreStructsOrJson) {
  EXPECT_EQ(Lands(200, "struct<n: int, t: string, list: list<string>>", R"((1,"a ""b"" \\",{x}))"), R"({1,a "b" \,[x]})");
  EXPECT_EQ(Lands(200, "struct<n: int, t: string, list: list<string>>", "(,\"\",)"), "{NULL,,NULL}");
  EXPECT_EQ(Lands(200, "json", R"((1,"a,b","{x,""y z""}"))"), R"({"n":1,"t":"a,b","list":["x","y z"]})");
  EXPECT_EQ(Lands(200, "string", "(1,a,{x})"), "(1,a,{x})");
  EXPECT_EQ(Lands(201, "json", R"x({"(1,a,{x})",NULL})x"), R"([{"n":1,"t":"a","list":["x"]},null])");
}

TEST(PostgresValue, HstoreIsAMap) {
  EXPECT_EQ(Lands(10, "map<string,string>", R"("k1"=>"v1", "k\"2"=>NULL)"), "{k1:v1,k\"2:NULL}");
  EXPECT_EQ(Lands(10, "json", R"("k1"=>"v1", "k2"=>NULL)"), R"({"k1":"v1","k2":null})");
  EXPECT_EQ(Lands(10, "string", R"("k1"=>"v1")"), R"("k1"=>"v1")");
  EXPECT_EQ(Lands(10, "json", ""), "{}");
  EXPECT_EQ(Lands(10, "json", "\"a\"=>"), "<is no hstore>");
}

TEST(PostgresValue, JsonIsKept) {
  EXPECT_EQ(Lands(9, "json", R"({"a": 1.50})"), R"({"a": 1.50})");
  EXPECT_EQ(Lands(9, "string", R"({"a": 1.50})"), R"({"a": 1.50})");
  EXPECT_EQ(Lands(9, "struct<a: decimal(5,2)>", R"({"a": 1.50})"), "{1.50}");
}

TEST(PostgresValue, TypesAreInferred) {
  EXPECT_EQ(Inferred(4, (12 << 16 | 3) + 4), "decimal(12,3)");
  EXPECT_EQ(Inferred(4), "string");
  EXPECT_EQ(Inferred(300), "decimal(10,2)");
  EXPECT_EQ(Inferred(101), "list<int>");
  EXPECT_EQ(Inferred(12), "timestamptz");
  EXPECT_EQ(Inferred(13, 1), "boolean");
  EXPECT_EQ(Inferred(13, 8), "string");
  EXPECT_EQ(Inferred(9), "json");
  EXPECT_EQ(Inferred(200), "string");
  EXPECT_EQ(Inferred(999), "string");
}

// --- the envelope

PgValue Text(std::string_view text) { return {PgValue::Kind::kText, text}; }

class PostgresEnvelope : public testing::Test {
 protected:
  PgTable table_ = MakePgTable("shop", "Or\"ders", {{"id", 2, -1}, {"é\t", 3, -1}, {"total", 300, -1}, {"paid", 5, -1}, {"score", 6, -1}}, {"id"}, Types());
  std::string value_, key_;
  Arena arena_;
  DebeziumDecoder decoder_;

  DebeziumEvent Decode(const std::string& headers = "") {
    auto event = decoder_.Decode(value_, true, key_, !key_.empty(), headers, table_.stream, arena_);
    EXPECT_TRUE(event) << (event ? "" : event.error().message) << "\n" << value_;
    return event ? *event : DebeziumEvent{};
  }
};

TEST_F(PostgresEnvelope, IsReadAsDebeziumsIs) {
  const std::vector<PgValue> row = {Text("7"), Text("a\"\n\x01"), Text("1.50"), Text("t"), Text("NaN")};
  PgOrigin origin;
  origin.xid = 9;
  origin.commit = Lsn{100};
  origin.lsn = Lsn{90};
  origin.time = 1'700'000'000'000'000;
  WriteChange(table_, 'c', {}, false, row, origin, value_);
  ASSERT_TRUE(WriteKey(table_, row, key_));
  EXPECT_EQ(key_, R"({"id":7})");
  const DebeziumEvent event = Decode();
  EXPECT_EQ(event.op, 'c');
  EXPECT_EQ(event.stream, "shop.Or\"ders");
  EXPECT_EQ(event.transaction, "9");
  EXPECT_EQ(event.sequence_a, 100u);
  EXPECT_EQ(event.lsn, 90u);
  EXPECT_EQ(event.committed_at, origin.time);
  ASSERT_EQ(event.after.size(), 5u);
  EXPECT_EQ(event.after[1].name, "é\t");
  EXPECT_EQ(ToString(InferDebezium(event.after[2])), "decimal(10,2)");
  EXPECT_EQ(event.after[0].token, "7");
  EXPECT_EQ(event.after[3].token, "true");
  EXPECT_EQ(event.after[4].token, "\"NaN\"");
  ASSERT_EQ(event.key.size(), 1u);
  EXPECT_NE(event.key[0].schema, nullptr);
}

TEST_F(PostgresEnvelope, AValueThatWasNotSentIsNeverData) {
  const std::vector<PgValue> row = {Text("7"), {PgValue::Kind::kUnchanged, {}}, {}, {}, {}};
  WriteChange(table_, 'u', {}, false, row, {}, value_);
  const DebeziumEvent event = Decode();
  for (const char* const type : {"string", "json", "map<string,string>", "binary"}) {
    Cell cell;
    std::string reason;
    ASSERT_TRUE(ReadDebezium(*ParseDataType(type), event.after[1], "", Special::kQuarantine, arena_, cell, reason));
    EXPECT_EQ(cell.kind, Cell::Kind::kUnchanged);
    EXPECT_TRUE(cell.text.empty() && cell.children.empty());
  }
}

TEST_F(PostgresEnvelope, DeletesNameTheKeyAlone) {
  const std::vector<PgValue> row = {Text("7"), {}, {}, {}, {}};
  WriteChange(table_, 'd', row, true, {}, {}, value_);
  const DebeziumEvent event = Decode();
  EXPECT_EQ(event.op, 'd');
  ASSERT_EQ(event.before.size(), 1u);
  EXPECT_EQ(event.before[0].name, "id");
}

TEST_F(PostgresEnvelope, HalvesOfAKeyChangeNameEachOther) {
  const std::vector<PgValue> row = {Text("8"), {}, {}, {}, {}};
  WriteChange(table_, 'c', {}, false, row, {}, value_);
  const DebeziumEvent event = Decode(OldKeyHeader(R"({"id":7})"));
  ASSERT_TRUE(event.has_old_key);
  ASSERT_EQ(event.old_key.size(), 1u);
  EXPECT_EQ(event.old_key[0].token, "7");
  EXPECT_NE(event.old_key[0].schema, nullptr);
}

TEST_F(PostgresEnvelope, SaysWhatASnapshotIsAndWhatIsStillToCome) {
  PgOrigin origin;
  origin.snapshot = PgOrigin::Snapshot::kChunk;
  const std::vector<PgValue> row = {Text("8"), {}, {}, {}, {}};
  WriteChange(table_, 'r', {}, false, row, origin, value_);
  EXPECT_EQ(Decode().snapshot, "incremental");
  value_.clear();
  origin.snapshot = PgOrigin::Snapshot::kNone;
  origin.pending = true;
  WriteChange(table_, 't', {}, false, {}, origin, value_);
  const DebeziumEvent event = Decode();
  EXPECT_EQ(event.op, 't');
  EXPECT_TRUE(event.pending);
}

}  // namespace
}  // namespace nano::wire
