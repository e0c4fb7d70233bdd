// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

#include "wire/debezium_fixture.h"

namespace nano::wire {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Kind = DebeziumEvent::Kind;

std::vector<DebeziumMessage> Split(std::string_view line) {
  auto messages = SplitDebeziumLine(line);
  EXPECT_TRUE(messages) << (messages ? "" : messages.error().message);
  return messages ? *std::move(messages) : std::vector<DebeziumMessage>{};
}

class DebeziumTest : public ::testing::Test {
 protected:
  DebeziumEvent Decode(const DebeziumMessage& message) {
    auto event = decoder_.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena_);
    EXPECT_TRUE(event) << (event ? "" : event.error().message);
    return event ? *std::move(event) : DebeziumEvent{};
  }
  DebeziumEvent DecodeText(std::string_view value, std::string_view topic = {}) {
    DebeziumMessage& message = kept_.emplace_back();
    message.value = value;
    message.topic = topic;
    return Decode(message);
  }
  std::string Refused(std::string_view value) {
    auto event = decoder_.Decode(value, true, {}, false, {}, {}, arena_);
    return event ? "decoded" : event.error().message;
  }
  /// The text of a value in a column of `type`; "NULL", "unchanged", or what is wrong with it.
  std::string Read(std::string_view type, std::string_view token, std::string_view source_type = {}) {
    return Read(type, DebeziumField{"v", token, nullptr}, source_type);
  }
  std::string Read(std::string_view type_text, const DebeziumField& field, std::string_view source_type = {}) {
    const DataType type = *ParseDataType(type_text);
    Cell cell;
    std::string reason;
    if (!ReadDebezium(type, field, source_type, Special::kQuarantine, arena_, cell, reason)) return "misfit: " + reason;
    return CellText(type, cell);
  }
  /// The same with a schema, as a message has it.
  std::string ReadWith(std::string_view schema, std::string_view type, std::string_view token, std::string_view source_type = {}) {
    const std::string value = fmt::format(R"({{"schema":{{"type":"struct","fields":[{}],"optional":false}},"payload":{{"v":{}}}}})", schema, token);
    DebeziumEvent event = DecodeText(value);
    if (event.after.size() != 1 || event.after[0].schema == nullptr) return "no schema";
    return Read(type, event.after[0], source_type);
  }
  static std::string Names(const std::vector<DebeziumField>& fields) {
    std::string names;
    for (const DebeziumField& field : fields) names += std::string(names.empty() ? "" : " ") + std::string(field.name);
    return names;
  }

  DebeziumDecoder decoder_;
  Arena arena_;
  std::deque<DebeziumMessage> kept_;
};

// Lines.

TEST_F(DebeziumTest, ABlankLineIsNoMessage) {
  EXPECT_THAT(Split(""), IsEmpty());
  EXPECT_THAT(Split(" \t\r\n"), IsEmpty());
}

TEST_F(DebeziumTest, AKcatLineGivesTheMessageAsItWasOnTheWire) {
  const auto messages = Split(
      R"({"topic":"srv.inv.t","partition":3,"offset":7,"tstype":"create","ts":1795486447390,"broker":1,"headers":["a","{\"x\":1}","b",null,"c","plain"],"key":"{\"id\": 1}","payload":"{\"v\":\"\\u00e9 \\\"q\\\"\"}"})");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].topic, "srv.inv.t");
  EXPECT_EQ(messages[0].partition, 3);
  EXPECT_EQ(messages[0].offset, 7);
  EXPECT_EQ(messages[0].timestamp_ms, 1795486447390);
  EXPECT_EQ(messages[0].key, R"({"id": 1})");
  EXPECT_EQ(messages[0].value, R"({"v":"\u00e9 \"q\""})");
  EXPECT_EQ(messages[0].headers, R"({"a":"{\"x\":1}","c":"plain"})");
}

TEST_F(DebeziumTest, AKcatNullIsATombstone) {
  const auto messages = Split(R"({"topic":"s.a.b","partition":0,"offset":1,"key":"{\"id\":1}","payload":null})");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_FALSE(messages[0].has_value);
  const DebeziumEvent event = Decode(messages[0]);
  EXPECT_EQ(event.kind, Kind::kTombstone);
  EXPECT_EQ(event.stream, "a.b");
  EXPECT_EQ(Names(event.key), "id");
}

TEST_F(DebeziumTest, AnHttpBodyMayBeAnArray) {
  const auto messages = Split(
      R"({"path":"/","headers":[["Authorization","Bearer secret"],["X-DEBEZIUM-__DEBEZIUM.CONTEXT.RUNID","eyJwYXlsb2FkIjoiciJ9"],["X-DEBEZIUM-__OP","c"]],"body":"[{\"a\":1}, {\"a\":2}]"})");
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].value, R"({"a":1})");
  EXPECT_EQ(messages[1].value, R"({"a":2})");
  EXPECT_EQ(messages[1].headers, R"({"__debezium.context.runId":"{\"payload\":\"r\"}","__op":"c"})");
}

TEST_F(DebeziumTest, APostIsWhatItsCaptureSays) {
  const std::vector<std::pair<std::string, std::string>> headers{
      {"Authorization", "Bearer secret"}, {"X-DEBEZIUM-__DEBEZIUM.CONTEXT.RUNID", "eyJwYXlsb2FkIjoiciJ9"}, {"x-debezium-__op", "c"}};
  const auto one = SplitDebeziumPost(headers, " {\"a\":1}\n"), many = SplitDebeziumPost(headers, R"([{"a":1}, {"a":2}])");
  ASSERT_TRUE(one && many);
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(one->at(0).value, R"({"a":1})");
  EXPECT_EQ(one->at(0).headers, R"({"__debezium.context.runId":"{\"payload\":\"r\"}","__op":"c"})");
  ASSERT_EQ(many->size(), 2u);
  EXPECT_EQ(many->at(1).value, R"({"a":2})");
  EXPECT_EQ(SplitDebeziumPost({}, " ")->size(), 0u);
  for (const auto& [body, why] : std::vector<std::pair<std::string, std::string>>{
           {"{\"a\":", "the body is no JSON"}, {"{} {}", "the body is no JSON"}, {"\xff", "the body is not valid UTF-8"}, {"[{},7]", "message 2 of the body is no object"}}) {
    const auto refused = SplitDebeziumPost({}, body);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().message, why);
  }
}

TEST_F(DebeziumTest, AnArrayOfAnyFormIsTakenApart) {
  const auto messages = Split(R"([{"a":1},{"topic":"t","partition":0,"offset":0,"payload":"{}"},{"headers":[],"body":"{\"b\":2}"}])");
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].value, R"({"a":1})");
  EXPECT_EQ(messages[1].value, "{}");
  EXPECT_EQ(messages[2].value, R"({"b":2})");
}

TEST_F(DebeziumTest, ARowWithColumnsLikeATransportsIsARow) {
  const auto messages = Split(R"({"topic":"t","partition":0,"payload":"p","price":1})");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].topic, "");
  EXPECT_THAT(messages[0].value, StartsWith(R"({"topic")"));
}

TEST_F(DebeziumTest, LinesThatAreNoMessagesSaySo) {
  EXPECT_FALSE(SplitDebeziumLine("hello"));
  EXPECT_FALSE(SplitDebeziumLine("12"));
  EXPECT_FALSE(SplitDebeziumLine("{\"a\":1"));
  EXPECT_FALSE(SplitDebeziumLine("{\"a\":\"\xff\"}"));
  EXPECT_FALSE(SplitDebeziumLine("[1,2]"));
}

// The facts of real messages, in the order of their list.

TEST_F(DebeziumTest, Fact1AnUnchangedToastValueIsThePlaceholder) {
  EXPECT_EQ(Read("string", R"("__debezium_unavailable_value")"), "unchanged");
  for (const DebeziumMessage& message : Capture("kafka-string-noschemas")) {
    const DebeziumEvent event = Decode(message);
    if (event.kind != Kind::kChange || event.op != 'u' || event.stream != "inv.all_types") continue;
    if (Value(event.after, "id").token != "1") continue;
    EXPECT_EQ(Read("string", Value(event.after, "c_big")), "unchanged");
    EXPECT_EQ(Read("int", Value(event.after, "c_int")), "2147483646");
    return;
  }
  FAIL() << "no such update";
}

TEST_F(DebeziumTest, Fact2AKeyChangeIsADeleteAndACreateThatKnowEachOther) {
  for (const char* capture : {"kafka-precise-schemas", "kafka-string-noschemas", "http-string-noschemas"}) {
    DebeziumEvent gone, come;
    const std::vector<DebeziumMessage> messages = Capture(capture);
    for (const DebeziumMessage& message : messages) {
      DebeziumEvent event = Decode(message);
      if (event.kind != Kind::kChange || event.stream != "inv.all_types") continue;
      if (event.has_new_key) gone = event;
      if (event.has_old_key) come = event;
    }
    ASSERT_EQ(gone.op, 'd') << capture;
    ASSERT_EQ(come.op, 'c') << capture;
    EXPECT_EQ(gone.lsn, come.lsn);
    EXPECT_EQ(Value(gone.before, "id").token, "101");
    EXPECT_EQ(Value(gone.new_key, "id").token, "201");
    EXPECT_EQ(Value(come.old_key, "id").token, "101");
    EXPECT_EQ(Value(come.after, "id").token, "201");
  }
}

TEST_F(DebeziumTest, Fact3ADeleteUnderDefaultIdentityHasNulls) {
  for (const DebeziumMessage& message : Capture("kafka-precise-schemas")) {
    const DebeziumEvent event = Decode(message);
    if (event.op != 'd' || event.stream != "inv.all_types") continue;
    EXPECT_TRUE(event.has_before);
    EXPECT_FALSE(event.has_after);
    EXPECT_EQ(event.before.size(), 43u);
    EXPECT_EQ(Value(event.before, "c_text").token, "null");
    return;
  }
  FAIL() << "no delete";
}

TEST_F(DebeziumTest, Fact4TombstonesComeOnKafkaWithTheKey) {
  int with_key = 0, without = 0;
  for (const DebeziumMessage& message : Capture("kafka-precise-schemas")) {
    const DebeziumEvent event = Decode(message);
    if (event.kind != Kind::kTombstone) continue;
    (event.key.empty() ? without : with_key) += 1;
    if (event.stream == "inv.all_types") {
      EXPECT_EQ(Value(event.key, "id").schema->type, "int64");
    }
  }
  EXPECT_GT(with_key, 0);
  EXPECT_GT(without, 0);
}

TEST_F(DebeziumTest, Fact5ATruncateHasNoImagesAndNoKey) {
  int truncates = 0;
  for (const char* capture : {"kafka-precise-schemas", "http-string-noschemas", "tx-http-string-noschemas-txmeta"})
    for (const DebeziumMessage& message : Capture(capture)) {
      const DebeziumEvent event = Decode(message);
      if (event.op != 't') continue;
      ++truncates;
      EXPECT_EQ(event.kind, Kind::kChange);
      EXPECT_THAT(event.stream, AnyOf("inv.trunc_me", "inv.trunc_child", "tx.trunc_a", "tx.trunc_b"));
      EXPECT_FALSE(event.has_before || event.has_after || !event.key.empty());
    }
  EXPECT_GE(truncates, 6);
}

TEST_F(DebeziumTest, Fact6NumericsInBothModes) {
  constexpr std::string_view kDecimal =
      R"({"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"v"})";
  constexpr std::string_view kFree =
      R"({"type":"struct","fields":[{"type":"int32","optional":false,"field":"scale"},{"type":"bytes","optional":false,"field":"value"}],"optional":true,"name":"io.debezium.data.VariableScaleDecimal","version":1,"field":"v"})";
  EXPECT_EQ(ReadWith(kDecimal, "decimal(10,2)", R"("SZYC0g==")"), "12345678.90");
  EXPECT_EQ(ReadWith(kDecimal, "decimal(18,4)", R"("SZYC0g==")"), "12345678.9000");
  EXPECT_EQ(ReadWith(kDecimal, "decimal(18,1)", R"("SZYC0g==")"), "12345678.9");
  EXPECT_THAT(ReadWith(kDecimal, "decimal(18,1)", R"("ZQ==")"), StartsWith("misfit"));
  EXPECT_THAT(ReadWith(kDecimal, "decimal(3,2)", R"("SZYC0g==")"), StartsWith("misfit"));
  EXPECT_EQ(ReadWith(kDecimal, "string", R"("/w==")"), "-0.01");
  EXPECT_EQ(ReadWith(kFree, "string", R"({"scale":35,"value":"PIE/ZjbZhPJZW2o3KlPQ"})"), "3.14159265358979323846264338327950288");
  EXPECT_EQ(ReadWith(kFree, "decimal(38,0)", R"({"scale":0,"value":"ZA=="})"), "100");
  EXPECT_EQ(ReadWith(kFree, "string", R"({"scale":-3,"value":"ZA=="})"), "100000");
  EXPECT_EQ(Read("decimal(10,2)", R"("12345678.90")"), "12345678.90");
  EXPECT_EQ(Read("string", R"("NAN")", "numeric"), "NaN");
  EXPECT_EQ(Read("double", R"("POSITIVE_INFINITY")", "numeric"), "Infinity");
  EXPECT_EQ(Read("double", R"("NEGATIVE_INFINITY")"), "-Infinity");
  EXPECT_THAT(Read("decimal(10,2)", R"("NAN")"), StartsWith("misfit"));
  EXPECT_THAT(Read("decimal(10,2)", R"("SZYC0g==")"), HasSubstr("decimal.handling.mode"));
}

TEST_F(DebeziumTest, Fact7InfinityAndBcDates) {
  EXPECT_EQ(Read("string", "-622191234", "date"), "infinity");       // snapshot
  EXPECT_EQ(Read("string", "-2147472692", "date"), "infinity");      // stream
  EXPECT_EQ(Read("string", "-625821272", "date"), "-infinity");
  EXPECT_EQ(Read("string", "-2147472691", "date"), "-infinity");
  EXPECT_EQ(Read("string", "9223372036825200000", "timestamp"), "infinity");
  EXPECT_EQ(Read("string", "-9223372036832400", "timestamp(3)"), "-infinity");
  EXPECT_THAT(Read("date", "-622191234"), StartsWith("misfit"));
  EXPECT_THAT(Read("timestamp", "9223372036825200000"), StartsWith("misfit"));
  EXPECT_THAT(Read("timestamptz", R"("infinity")"), StartsWith("misfit"));
  EXPECT_EQ(Read("date", "-735160"), "0044-03-15 BC");
  EXPECT_EQ(Read("timestamp", "-63517824000000000"), "0044-03-15 00:00:00 BC");
  EXPECT_EQ(Read("timestamptz", R"("-0043-03-15T00:00:00.000000Z")"), "0044-03-15 00:00:00+00 BC");
}

TEST_F(DebeziumTest, Fact8TimesWithoutSchemaAreTakenWhereTheyAreOneThingOnly) {
  EXPECT_EQ(Read("timestamp", "1709210096789012"), "2024-02-29 12:34:56.789012");
  EXPECT_THAT(Read("timestamp", "1709210096789"), HasSubstr("source_type: timestamp(3)"));
  EXPECT_THAT(Read("timestamptz", "1709210096789"), HasSubstr("no time zone"));
  EXPECT_THAT(Read("timestamptz", "1709210096789", "timestamp(3)"), HasSubstr("no time zone"));
  EXPECT_EQ(Read("timestamp", "1709210096789", "timestamp(3)"), "2024-02-29 12:34:56.789");
  EXPECT_EQ(Read("timestamp", "1709210096789", "timestamp(6)"), "1970-01-20 18:46:50.096789");
  EXPECT_EQ(Read("string", R"("P1Y2M3DT4H5M6.789S")", "interval"), "1 year 2 mons 3 days 04:05:06.789");
  EXPECT_EQ(Read("string", R"("P0Y-1M1DT0H0M-1S")", "interval"), "-1 mons +1 day -00:00:01");
  EXPECT_EQ(Read("string", R"("P0Y0M0DT0H0M0S")", "interval"), "00:00:00");
  EXPECT_EQ(Read("timestamp", "1709210096789012000", "timestamp(9)"), "2024-02-29 12:34:56.789012");
  EXPECT_THAT(Read("timestamp", "1709210096789012001", "timestamp(9)"), StartsWith("misfit"));
  EXPECT_THAT(Read("timestamp", "9223372036825200"), HasSubstr("source_type: timestamp(3)"));
  EXPECT_EQ(Read("timestamp", "0"), "1970-01-01 00:00:00");
  EXPECT_EQ(Read("time", "45296789012"), "12:34:56.789012");
  EXPECT_THAT(Read("time", "45296789"), HasSubstr("source_type: time(3)"));
  EXPECT_EQ(Read("time", "45296789", "time(3)"), "12:34:56.789");
  EXPECT_EQ(Read("time", "45296789", "time(3) without time zone"), "12:34:56.789");
  EXPECT_EQ(Read("time", "45296789", "io.debezium.time.Time"), "12:34:56.789");
  EXPECT_EQ(Read("time", "0"), "00:00:00");
  EXPECT_THAT(Read("time", "86400000000"), StartsWith("misfit"));
  EXPECT_EQ(Read("string", "86400000000", "time"), "24:00:00");
  EXPECT_EQ(Read("date", "19782"), "2024-02-29");
}

TEST_F(DebeziumTest, Fact8SchemasTellTheUnit) {
  const auto schema = [](std::string_view type, std::string_view name) {
    return fmt::format(R"({{"type":"{}","optional":true,"name":"{}","version":1,"field":"v"}})", type, name);
  };
  EXPECT_EQ(ReadWith(schema("int64", "io.debezium.time.Timestamp"), "timestamp", "1709210096789"), "2024-02-29 12:34:56.789");
  EXPECT_EQ(ReadWith(schema("int64", "io.debezium.time.Timestamp"), "timestamp", "1709210096789", "timestamp"), "2024-02-29 12:34:56.789");
  EXPECT_EQ(ReadWith(schema("int64", "io.debezium.time.MicroTimestamp"), "timestamp", "1709210096789"), "1970-01-20 18:46:50.096789");
  EXPECT_EQ(ReadWith(schema("int64", "io.debezium.time.NanoTimestamp"), "timestamp", "1709210096789012000"), "2024-02-29 12:34:56.789012");
  EXPECT_EQ(ReadWith(schema("int64", "org.apache.kafka.connect.data.Timestamp"), "timestamp", "1709210096789"), "2024-02-29 12:34:56.789");
  EXPECT_EQ(ReadWith(schema("int32", "org.apache.kafka.connect.data.Time"), "time", "45296789"), "12:34:56.789");
  EXPECT_EQ(ReadWith(schema("int32", "org.apache.kafka.connect.data.Date"), "date", "19782"), "2024-02-29");
  EXPECT_EQ(ReadWith(schema("int64", "io.debezium.time.NanoTime"), "time", "45296789012000"), "12:34:56.789012");
  EXPECT_EQ(ReadWith(schema("int64", "io.debezium.time.MicroTime"), "string", "100000"), "00:00:00.1");
  EXPECT_EQ(ReadWith(schema("int64", "io.debezium.time.MicroTimestamp"), "bigint", "1709210096789012"), "1709210096789012");
  EXPECT_EQ(ReadWith(schema("int32", "io.debezium.time.Year"), "int", "2024"), "2024");
}

TEST_F(DebeziumTest, Fact9WhatComesCutIsReadAsItCame) {
  EXPECT_EQ(Read("list<int>", "[null,null]"), "[NULL,NULL]");        // of {{1,2},{3,4}}
  EXPECT_EQ(Read("bigint", "37091106789000", "interval"), "37091106789000");
  EXPECT_EQ(Read("string", R"("192.168.1.10/24")"), "192.168.1.10/24");
  EXPECT_EQ(Read("json", R"("{\"a\": 1,  \"b\":[1,2,{\"c\":null}]}")"), R"({"a": 1,  "b":[1,2,{"c":null}]})");
  EXPECT_EQ(Read("json", R"("null")"), "null");
  EXPECT_EQ(Read("json", "null"), "NULL");
}

TEST_F(DebeziumTest, Fact10GeneratedColumnsAreInTheSnapshotOnly) {
  std::string snapshot, stream;
  for (const DebeziumMessage& message : Capture("kafka-string-noschemas")) {
    const DebeziumEvent event = Decode(message);
    if (event.stream == "inv.Weird Table") (event.op == 'r' ? snapshot : stream) = Names(event.after);
  }
  EXPECT_EQ(snapshot, "Id Mixed Case naïve-col gen");
  EXPECT_EQ(stream, "Id Mixed Case naïve-col");
}

TEST_F(DebeziumTest, Fact11ADroppedKeyMakesKeylessEvents) {
  int keyless = 0, keyed = 0;
  for (const DebeziumMessage& message : Capture("kafka-string-noschemas")) {
    const DebeziumEvent event = Decode(message);
    if (event.stream != "inv.evolve" || event.kind != Kind::kChange) continue;
    ++(message.has_key ? keyed : keyless);
    EXPECT_EQ(event.key.empty(), !message.has_key);
  }
  EXPECT_GT(keyed, 0);
  EXPECT_GT(keyless, 0);
}

TEST_F(DebeziumTest, Fact12TheSourceKnowsTheTablesNameTheTopicDoesNot) {
  for (const DebeziumMessage& message : Capture("kafka-string-noschemas")) {
    if (message.topic != "srv.inv.Weird_Table" || !message.has_value) continue;
    EXPECT_EQ(Decode(message).stream, "inv.Weird Table");
    return;
  }
  FAIL() << "no such topic";
}

TEST_F(DebeziumTest, Fact13HttpMessagesHaveNoKeyAndNoTopic) {
  for (const char* capture : {"http-string-noschemas", "http-precise-schemas"})
    for (const DebeziumMessage& message : Capture(capture)) {
      EXPECT_FALSE(message.has_key);
      EXPECT_EQ(message.topic, "");
      const DebeziumEvent event = Decode(message);
      if (event.kind != Kind::kChange) continue;
      EXPECT_THAT(event.run_id, StartsWith("01a20b5"));
      EXPECT_THAT(event.stream, StartsWith("inv."));
    }
}

TEST_F(DebeziumTest, Fact14And15ReplaysComeUnderAnotherRunId) {
  std::set<std::string> runs;
  for (const DebeziumMessage& message : Capture("tx-http-string-noschemas-txmeta")) {
    const DebeziumEvent event = Decode(message);
    if (event.kind == Kind::kChange) runs.insert(std::string(event.run_id));
  }
  EXPECT_GE(runs.size(), 2u);
}

TEST_F(DebeziumTest, Fact15TheSequenceIsTwoNumbersAndTransactionsAreTold) {
  int begins = 0, ends = 0, changes = 0;
  for (const char* capture : {"tx-kafka-precise-schemas-txmeta", "tx-http-string-noschemas-txmeta"})
    for (const DebeziumMessage& message : Capture(capture)) {
      const DebeziumEvent event = Decode(message);
      if (event.kind == Kind::kBegin || event.kind == Kind::kEnd) {
        ++(event.kind == Kind::kBegin ? begins : ends);
        EXPECT_EQ(event.event_count.has_value(), event.kind == Kind::kEnd);
        EXPECT_TRUE(event.lsn);
        EXPECT_GT(event.committed_at, 1'700'000'000'000'000);
        EXPECT_THAT(event.transaction, StartsWith("5"));
        EXPECT_THAT(event.transaction, ::testing::Not(HasSubstr(":")));
      } else if (event.kind == Kind::kChange && event.op != 'r') {
        ++changes;
        EXPECT_EQ(event.sequence_b, event.lsn);
        EXPECT_TRUE(event.total_order);
        EXPECT_FALSE(event.transaction.empty());
        EXPECT_EQ(event.snapshot, "false");
      } else if (event.op == 'r') {
        EXPECT_FALSE(event.sequence_a);
        EXPECT_TRUE(event.sequence_b);
        EXPECT_FALSE(event.total_order);
      }
    }
  EXPECT_GT(begins, 0);
  EXPECT_GT(ends, 0);
  EXPECT_GT(changes, 20);
}

TEST_F(DebeziumTest, Fact16PlaceholdersOfBytesArraysAndJson) {
  EXPECT_EQ(Read("binary", R"("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")"), "unchanged");
  EXPECT_EQ(Read("binary", R"("5f5f646562657a69756d5f756e617661696c61626c655f76616c7565")"), "unchanged");
  EXPECT_EQ(Read("list<string>", R"(["__debezium_unavailable_value"])"), "unchanged");
  EXPECT_EQ(Read("list<string>", R"(["__debezium_unavailable_value","x"])"), "[__debezium_unavailable_value,x]");
  EXPECT_EQ(Read("json", R"("__debezium_unavailable_value")"), "unchanged");
  EXPECT_EQ(Read("json", R"("\"__debezium_unavailable_value\"")"), R"("__debezium_unavailable_value")");
  EXPECT_EQ(Read("struct<a: string>", R"({"a":"__debezium_unavailable_value"})"), "{__debezium_unavailable_value}");
  // What it is where it is data.
  const auto data = [&](std::string_view type_text, std::string_view token) {
    const DataType type = *ParseDataType(type_text);
    Cell cell;
    std::string reason;
    EXPECT_TRUE(ReadDebezium(type, DebeziumField{"v", token, nullptr}, {}, Special::kQuarantine, arena_, cell, reason));
    EXPECT_EQ(cell.kind, Cell::Kind::kUnchanged);
    cell.kind = Cell::Kind::kValue;
    return CellText(type, cell);
  };
  EXPECT_EQ(data("string", R"("__debezium_unavailable_value")"), "__debezium_unavailable_value");
  EXPECT_EQ(data("string", R"("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")"), "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==");
  EXPECT_EQ(data("binary", R"("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")"), "\\x5f5f646562657a69756d5f756e617661696c61626c655f76616c7565");
  EXPECT_EQ(data("list<string>", R"(["__debezium_unavailable_value"])"), "[__debezium_unavailable_value]");
  bool seen = false;
  for (const DebeziumMessage& message : Capture("tx-http-string-noschemas-txmeta")) {
    const DebeziumEvent event = Decode(message);
    if (event.stream != "tx.toast" || event.op != 'u' || Value(event.after, "bin").token != "\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"") continue;
    seen = true;
    EXPECT_EQ(Read("binary", Value(event.after, "bin")), "unchanged");
  }
  EXPECT_TRUE(seen);
}

// Other messages.

TEST_F(DebeziumTest, MessagesThatMoveNoRow) {
  EXPECT_EQ(DecodeText(R"({"ts_ms":1})", "__debezium-heartbeat.srv").kind, Kind::kHeartbeat);
  EXPECT_EQ(DecodeText(R"({"ts_ms":1})").kind, Kind::kHeartbeat);
  EXPECT_EQ(DecodeText(R"({"ts_ms":1})", "srv.inv.clock").kind, Kind::kChange);
  EXPECT_EQ(DecodeText(R"x({"source":{"connector":"mysql"},"databaseName":"d","ddl":"CREATE TABLE t (id int)","tableChanges":[]})x").kind,
            Kind::kSchemaChange);
  int messages = 0;
  for (const DebeziumMessage& message : Capture("kafka-precise-schemas"))
    messages += Decode(message).kind == Kind::kLogicalMessage;
  EXPECT_EQ(messages, 2);
}

TEST_F(DebeziumTest, OtherConnectorsNameTheirStreamsByDatabase) {
  const DebeziumEvent event = DecodeText(
      R"({"before":null,"after":{"id":1},"op":"c","source":{"connector":"mysql","db":"shop","table":"orders","ts_ms":5},"transaction":{"id":"3e11fa47:23","total_order":1}})");
  EXPECT_EQ(event.stream, "shop.orders");
  EXPECT_EQ(event.committed_at, 5000);
  EXPECT_EQ(event.transaction, "3e11fa47:23");
  EXPECT_EQ(event.total_order, 1u);
}

TEST_F(DebeziumTest, AnOutlineLeadsToTheSameRows) {
  std::size_t outlined = 0, with_schema = 0;
  for (const char* const name : {"kafka-string-noschemas", "http-string-noschemas", "tx-http-string-noschemas-txmeta", "kafka-precise-schemas", "tx-kafka-precise-schemas-txmeta",
                                 "unwrap-noschemas", "cloudevents-noschemas"}) {
    DebeziumEvent rows;   // used again, as landing does
    for (const DebeziumMessage& message : Capture(name)) {
      const auto seen = decoder_.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena_, DebeziumDecoder::Reading::kOutline);
      ASSERT_TRUE(seen);
      const DebeziumOutline outline = OutlineOf(*seen, message.value);
      if (outline.op == '\0') continue;
      ++outlined;
      const DebeziumEvent whole = Decode(message);
      ASSERT_TRUE(decoder_.DecodeRows({}, message.value, outline, message.key, message.has_key, whole.stream, arena_, rows)) << message.value;
      EXPECT_EQ(std::tie(rows.kind, rows.op, rows.stream, rows.has_before, rows.has_after), std::tie(whole.kind, whole.op, whole.stream, whole.has_before, whole.has_after));
      EXPECT_EQ(std::tuple(whole.partial, whole.pending, whole.has_old_key, whole.has_new_key, SnapshotOf(whole)), std::tuple(false, false, false, false, ""));
      if (message.value.starts_with("{\"schema\":{")) {   // as the journal keeps it
        const std::size_t payload = message.value.find(",\"payload\":");
        DebeziumEvent split;
        ASSERT_TRUE(decoder_.DecodeRows(std::string_view(message.value).substr(0, payload), std::string_view(message.value).substr(payload), outline, message.key,
                                        message.has_key, whole.stream, arena_, split));
        ++with_schema;
        ASSERT_EQ(split.after.size(), rows.after.size());
        for (std::size_t n = 0; n < rows.after.size(); ++n) EXPECT_EQ(split.after[n].schema, rows.after[n].schema);
      }
      const auto cells = [](const std::vector<DebeziumField>& fields) {
        std::string text;
        for (const auto& field : fields) text += fmt::format("{}={} {}\n", field.name, field.token, field.schema == nullptr ? "" : field.schema->type + field.schema->name);
        return text;
      };
      EXPECT_EQ(cells(rows.before), cells(whole.before));
      EXPECT_EQ(cells(rows.after), cells(whole.after));
      EXPECT_EQ(cells(rows.key), cells(whole.key));
    }
  }
  EXPECT_GT(outlined, 100u);
  EXPECT_GT(with_schema, 50u);
}

TEST_F(DebeziumTest, ARowThatIsNoJsonIsLeftToTheWholeReading) {
  const std::string value = R"({"before":null,"after":{"id":1,"x":tru},"source":{"connector":"postgresql","schema":"s","table":"t","lsn":1},"op":"c"})";
  const auto seen = decoder_.Decode(value, true, {}, false, {}, {}, arena_, DebeziumDecoder::Reading::kOutline);
  ASSERT_TRUE(seen);
  const DebeziumOutline outline = OutlineOf(*seen, value);
  ASSERT_EQ(outline.op, 'c');
  DebeziumEvent rows;
  EXPECT_FALSE(decoder_.DecodeRows({}, value, outline, {}, false, "s.t", arena_, rows));
  EXPECT_EQ(Refused(value), "the message is no JSON");
}

TEST_F(DebeziumTest, OfANameThatComesTwiceTheLastCounts) {
  const DebeziumEvent event = DecodeText(R"({"a":1,"b":2,"\u0061":3,"a":4})");
  EXPECT_EQ(Names(event.after), "b a");
  EXPECT_EQ(Value(event.after, "a").token, "4");
}

TEST_F(DebeziumTest, BareNanAndInfinityAreTaken) {
  const DebeziumEvent event = DecodeText(R"({"a":NaN,"b":-Infinity,"c":Infinity})");
  EXPECT_EQ(Read("double", Value(event.after, "a")), "NaN");
  EXPECT_EQ(Read("double", Value(event.after, "b")), "-Infinity");
  EXPECT_THAT(Read("bigint", Value(event.after, "c")), StartsWith("misfit"));
}

TEST_F(DebeziumTest, AnUnwrappedRowIsToldByWhatWasAddedToIt) {
  const DebeziumEvent plain = DecodeText(R"({"id":1,"v":"x"})", "srv.inv.t");
  EXPECT_TRUE(plain.unwrapped);
  EXPECT_EQ(plain.op, 'u');
  EXPECT_EQ(plain.stream, "inv.t");
  const DebeziumEvent gone = DecodeText(R"({"id":1,"v":null,"__deleted":"true"})", "srv.inv.t");
  EXPECT_EQ(gone.op, 'd');
  EXPECT_EQ(Names(gone.before), "id v");
  const DebeziumEvent rich = DecodeText(
      R"({"id":1,"__deleted":"false","__op":"c","__table":"Weird Table","__lsn":47,"__source_ts_ms":9,"__mine":1})", "srv.inv.Weird_Table");
  EXPECT_EQ(rich.op, 'c');
  EXPECT_EQ(rich.stream, "inv.Weird Table");
  EXPECT_EQ(rich.lsn, 47u);
  EXPECT_EQ(rich.committed_at, 9000);
  EXPECT_EQ(Names(rich.after), "id __mine");
}

TEST_F(DebeziumTest, AddedHeadersTellTheSame) {
  DebeziumMessage message;
  message.value = R"({"id":1})";
  message.topic = "srv.inv.t_x";
  message.headers = R"({"__op":"{\"schema\":{\"type\":\"string\",\"optional\":false},\"payload\":\"d\"}","__schema":"inv","__table":"t x"})";
  const DebeziumEvent event = Decode(message);
  EXPECT_EQ(event.op, 'd');
  EXPECT_EQ(event.stream, "inv.t x");
}

TEST_F(DebeziumTest, GarbageIsRefusedWithAReason) {
  EXPECT_THAT(Refused("hello"), HasSubstr("no JSON"));
  EXPECT_THAT(Refused("[1]"), HasSubstr("no object"));
  EXPECT_THAT(Refused("{\"a\":\"\xff\"}"), HasSubstr("UTF-8"));
  EXPECT_THAT(Refused(R"({"\ud800":1})"), HasSubstr("escape"));
  EXPECT_THAT(Refused(R"({"before":null,"after":null,"op":"u","source":{}})"), HasSubstr("no after"));
  EXPECT_THAT(Refused(std::string(100'000, '[')), HasSubstr("no JSON"));
  EXPECT_THAT(Refused(""), HasSubstr("no JSON"));
  EXPECT_THAT(Refused(R"({"specversion":"1.0","iodebeziumop":"c","data_base64":"AA=="})"), HasSubstr("no data"));
}

TEST_F(DebeziumTest, SchemasAreParsedOnceAndOutliveManyOthers) {
  const auto message = [](int i) {
    return fmt::format(R"({{"schema":{{"type":"struct","fields":[{{"type":"int32","optional":true,"name":"io.debezium.time.Date","field":"v{}"}}]}},"payload":{{"v{}":1}}}})", i, i);
  };
  const DebeziumEvent first = DecodeText(message(0));
  for (int i = 1; i < 1000; ++i) {
    (void)DecodeText(message(i));
    decoder_.Trim();
  }
  const DebeziumEvent again = DecodeText(message(0));
  EXPECT_EQ(first.after[0].schema, again.after[0].schema);
  EXPECT_EQ(Read("date", first.after[0]), "1970-01-02");
}

// Values.

TEST_F(DebeziumTest, BytesInEveryMode) {
  EXPECT_EQ(Read("binary", R"("3q2+7wD/")"), "\\xdeadbeef00ff");
  EXPECT_EQ(Read("binary", R"("3q2-7wD_")"), "\\xdeadbeef00ff");
  EXPECT_EQ(Read("binary", R"("")"), "\\x");
  EXPECT_THAT(Read("binary", R"("deadbeef00ff")"), HasSubstr("source_type: hex"));
  EXPECT_EQ(Read("binary", R"("deadbeef00ff")", "hex"), "\\xdeadbeef00ff");
  EXPECT_EQ(Read("binary", R"("deadbeef00ff")", "bytea"), "\\x75e69d6de79fd347df");
  EXPECT_EQ(Read("binary", R"("deadbeef00")"), "\\xdeadbeef00");
  EXPECT_EQ(Read("string", R"("3q2+7wD/")", "bytea"), "\\xdeadbeef00ff");
  EXPECT_THAT(Read("binary", R"("not base64!")"), StartsWith("misfit"));
}

TEST_F(DebeziumTest, BitsHstoreAndPointsInPostgresSpelling) {
  EXPECT_EQ(Read("string", R"("FQ==")", "bit(5)"), "10101");
  EXPECT_EQ(Read("string", R"("")", "bit(5)"), "00000");
  EXPECT_EQ(Read("string", R"("/w8=")", "bit varying(12)"), "111111111111");
  EXPECT_EQ(Read("string", R"("Bg==")", "varbit(12)"), "110");
  EXPECT_EQ(Read("string", "true", "bit(1)"), "1");
  EXPECT_EQ(Read("boolean", "false", "bit(1)"), "false");
  EXPECT_EQ(Read("string", R"("{\"k1\":\"v1\",\"k2\":null}")", "hstore"), R"("k1"=>"v1", "k2"=>NULL)");
  EXPECT_EQ(Read("map<string,string>", R"("{\"k1\":\"v1\",\"k2\":null}")"), "{k1:v1,k2:NULL}");
  EXPECT_EQ(Read("map<string,string>", R"({"k1":"v1","k2":null})"), "{k1:v1,k2:NULL}");
  EXPECT_EQ(Read("map<string,int>", R"({"a":1,"b":2,"\u0061":3})"), "{a:3,b:2}");
  EXPECT_EQ(Read("map<int,string>", R"([[1,"x"],[2,null]])"), "{1:x,2:NULL}");
  EXPECT_EQ(Read("string", R"({"x":10000000000.0,"y":1e-10,"wkb":"","srid":null})", "point"), "(10000000000,1e-10)");
  EXPECT_EQ(Read("string", R"({"x":0.0,"y":1.0E15,"wkb":"","srid":null})", "point"), "(0,1e+15)");
}

TEST_F(DebeziumTest, NestedValuesTakeTheFormsOfTheirSchemas) {
  constexpr std::string_view kDates = R"({"type":"array","items":{"type":"int32","optional":true,"name":"io.debezium.time.Date"},"optional":true,"field":"v"})";
  EXPECT_EQ(ReadWith(kDates, "list<date>", "[0,null,1]"), "[1970-01-01,NULL,1970-01-02]");
  EXPECT_EQ(ReadWith(kDates, "json", "[0,null,1]"), R"(["1970-01-01",null,"1970-01-02"])");
  EXPECT_EQ(Read("list<timestamp>", "[1709210096789]", "timestamp(3)[]"), "[2024-02-29 12:34:56.789]");
  EXPECT_EQ(Read("struct<a: int, b: date>", R"({"b":1,"a":7})"), "{7,1970-01-02}");
  EXPECT_THAT(Read("struct<a: int>", R"({"a":7,"x":1})"), StartsWith("misfit"));
  EXPECT_THAT(Read("list<int>", "7"), StartsWith("misfit"));
  EXPECT_THAT(Read("list<int>", "{}"), StartsWith("misfit"));
}

TEST_F(DebeziumTest, TypesAreInferredFromSchemasAndTokens) {
  std::map<std::string, std::string> types;
  for (const DebeziumMessage& message : Capture("kafka-precise-schemas")) {
    const DebeziumEvent event = Decode(message);
    if (event.stream != "inv.all_types" || event.op != 'r') continue;
    for (const DebeziumField& field : event.after) types[std::string(field.name)] = ToString(InferDebezium(field));
    break;
  }
  EXPECT_EQ(types["id"], "bigint");
  EXPECT_EQ(types["c_smallint"], "int");
  EXPECT_EQ(types["c_num_10_2"], "decimal(10,2)");
  EXPECT_EQ(types["c_num_free"], "string");
  EXPECT_EQ(types["c_money"], "decimal(38,2)");
  EXPECT_EQ(types["c_real"], "float");
  EXPECT_EQ(types["c_bytea"], "binary");
  EXPECT_EQ(types["c_date"], "date");
  EXPECT_EQ(types["c_time"], "string");
  EXPECT_EQ(types["c_ts3"], "timestamp");
  EXPECT_EQ(types["c_tstz"], "timestamptz");
  EXPECT_EQ(types["c_uuid"], "string");
  EXPECT_EQ(types["c_json"], "json");
  EXPECT_EQ(types["c_num_arr"], "list<decimal(8,3)>");
  EXPECT_EQ(types["c_bits"], "string");
  EXPECT_EQ(types["c_point"], "json");
  EXPECT_EQ(ToString(InferDebezium({"v", "12", nullptr})), "bigint");
  EXPECT_EQ(ToString(InferDebezium({"v", "1.5", nullptr})), "double");
  EXPECT_EQ(ToString(InferDebezium({"v", "\"x\"", nullptr})), "string");
  EXPECT_EQ(ToString(InferDebezium({"v", "true", nullptr})), "boolean");
  EXPECT_EQ(ToString(InferDebezium({"v", "{}", nullptr})), "json");
}

}  // namespace
}  // namespace nano::wire
