// SPDX-License-Identifier: Apache-2.0
/// The forms and converter modes that were captured with Debezium's engine (test/captures/debezium/recipe): what each
/// message is, and what is sent of values that did not change.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "wire/debezium.h"
#include "wire/debezium_fixture.h"

namespace nano::wire {
namespace {

using Kind = DebeziumEvent::Kind;

class DebeziumVariantsTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    messages_ = Capture(GetParam());
    for (const DebeziumMessage& message : messages_) {
      auto event = decoder_.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena_);
      ASSERT_TRUE(event) << event.error().message << ": " << message.value.substr(0, 300);
      events_.push_back(*std::move(event));
    }
  }
  bool Is(std::string_view part) const { return std::string_view(GetParam()).find(part) != std::string_view::npos; }
  std::string Read(std::string_view type_text, const DebeziumField& field, std::string_view source_type = {}) {
    const DataType type = *ParseDataType(type_text);
    Cell cell;
    std::string reason;
    if (!ReadDebezium(type, field, source_type, Special::kQuarantine, arena_, cell, reason)) return "misfit: " + reason;
    return CellText(type, cell);
  }

  std::vector<DebeziumMessage> messages_;
  std::vector<DebeziumEvent> events_;
  DebeziumDecoder decoder_;
  Arena arena_;
};

TEST_P(DebeziumVariantsTest, EveryMessageIsKnownForWhatItIs) {
  std::map<char, int> ops;
  std::map<std::string, int> streams;
  int tombstones = 0, logical = 0;
  for (const DebeziumEvent& event : events_) {
    ASSERT_NE(event.kind, Kind::kOther);
    tombstones += event.kind == Kind::kTombstone;
    logical += event.kind == Kind::kLogicalMessage;
    if (event.kind != Kind::kChange) continue;
    ++ops[event.op];
    ++streams[std::string(event.stream)];
    EXPECT_EQ(event.unwrapped, Is("unwrap"));
    EXPECT_TRUE(event.op == 't' || event.has_before || event.has_after);
    if (!Is("unwrap")) { EXPECT_GT(event.committed_at, 1'795'000'000'000'000); }
    if (!event.unwrapped && event.op != 'r') { EXPECT_TRUE(event.sequence_b && event.lsn == event.sequence_b && !event.transaction.empty()); }
    if (Is("unwrap-fields")) { EXPECT_TRUE(event.lsn && event.committed_at > 0 && !event.transaction.empty()); }
    if (Is("-tx-") && event.op != 'r') { EXPECT_TRUE(event.total_order); }
    EXPECT_EQ(event.run_id.empty(), Is("cloudevents") || Is("http")) << event.op;
  }
  const int deletes = ops['d'];
  EXPECT_EQ(deletes, 24);
  EXPECT_EQ(tombstones, Is("cloudevents") || Is("http") ? 0 : deletes);
  EXPECT_EQ(logical, Is("cloudevents") ? 0 : 2);   // that converter has no form for them
  EXPECT_EQ(ops['t'], Is("unwrap") ? 0 : 2);
  if (!Is("unwrap-noschemas")) {
    EXPECT_EQ(ops['r'], 39);
    EXPECT_GT(ops['c'], 50);
    EXPECT_GT(ops['u'], 20);
  }
  // Without add.fields=table an unwrapped row only has its topic's cleaned name.
  EXPECT_TRUE(streams.contains(Is("unwrap-noschemas") ? "inv.Weird_Table" : "inv.Weird Table"));
  EXPECT_TRUE(streams.contains("inv.all_types"));
}

TEST_P(DebeziumVariantsTest, AnUnchangedValueIsKnownWhereItIsMarked) {
  // What stands out of line and was not touched: marked, or null, which nothing can tell from a NULL.
  const bool texts = Is("iso") || Is("connecttime") || Is("nanoseconds");     // binary.handling.mode other than bytes
  int updates = 0;
  for (const DebeziumEvent& event : events_) {
    if (event.stream != "inv.toasted" || (event.op != 'u' && event.op != 'c')) continue;
    if (Value(event.after, "n").token != "2") continue;                       // the snapshot, of an unwrapped row
    ++updates;
    const auto read = [&](const char* type, const char* column) { return Read(type, Value(event.after, column)); };
    for (const char* column : {"t", "x", "j", "jb"}) EXPECT_EQ(read("string", column), "unchanged") << column;
    for (const char* column : {"j", "jb"}) EXPECT_EQ(read("json", column), "unchanged") << column;
    for (const char* type : {"string", "json", "map<string,string>"}) EXPECT_EQ(read(type, "h"), "unchanged") << type;
    EXPECT_EQ(read("list<string>", "text_a"), "unchanged");
    EXPECT_EQ(read("list<string>", "varchar_a"), "unchanged");
    EXPECT_EQ(read("list<json>", "jsonb_a"), "unchanged");
    EXPECT_EQ(read("list<int>", "int_a"), "unchanged");
    EXPECT_EQ(read("list<bigint>", "big_a"), "unchanged");
    EXPECT_EQ(read("list<uuid>", "uuid_a"), "unchanged");
    EXPECT_EQ(read("list<date>", "date_a"), Is("iso") || Is("connecttime") ? "NULL" : "unchanged");
    EXPECT_EQ(read("decimal(38,0)", "num"), Is("iso") || Is("nanoseconds") ? "NULL" : "unchanged");
    EXPECT_EQ(read("binary", "b"), Is("iso") || !texts ? "unchanged" : "NULL");
    EXPECT_EQ(read("list<binary>", "bytea_a"), texts ? "NULL" : "unchanged");
    for (const char* column : {"vb", "e", "num_a", "f8_a", "bool_a", "ts_a", "tstz_a"}) EXPECT_EQ(read("string", column), "NULL") << column;
  }
  EXPECT_EQ(updates, 2);
}

TEST_P(DebeziumVariantsTest, InfinityIsKnownInEveryMode) {
  std::set<std::string> seen;
  for (const DebeziumEvent& event : events_) {
    if (event.stream != "inv.all_types" || event.after.empty()) continue;
    const std::string id(Value(event.after, "id").token);
    const bool plus = id == "5" || id == "105", minus = id == "6" || id == "106";
    if (!plus && !minus) continue;
    seen.insert(id);
    const std::string expected = plus ? "infinity" : "-infinity";
    const auto read = [&](const char* column, const char* source_type) { return Read("string", Value(event.after, column), source_type); };
    EXPECT_EQ(read("c_date", "date"), expected) << id;
    EXPECT_EQ(read("c_ts", Is("nanoseconds") ? "timestamp(9)" : Is("connecttime") ? "timestamp(3)" : "timestamp"), expected) << id;
    EXPECT_EQ(read("c_tstz", "timestamptz"), expected) << id;
  }
  EXPECT_EQ(seen.size(), 4u);
}

TEST_P(DebeziumVariantsTest, TypesAreInferredTheSameInEveryMessageOfATable) {
  if (Is("noschemas")) return;
  for (const DebeziumEvent& event : events_) {
    if (event.stream != "inv.all_types") continue;
    for (const DebeziumField& field : event.op == 'd' ? event.before : event.after) {
      ASSERT_NE(field.schema, nullptr) << field.name;
      const std::string type = ToString(InferDebezium(field));
      if (field.name == "c_date") { EXPECT_EQ(type, "date"); }
      if (field.name == "c_ts" || field.name == "c_ts3") { EXPECT_EQ(type, "timestamp"); }
      if (field.name == "c_tstz") { EXPECT_EQ(type, "timestamptz"); }
      if (field.name == "c_hstore") { EXPECT_EQ(type, Is("iso") ? "map<string, string>" : "json"); }
      // Whatever type is inferred takes every value, but the times that it has none for.
      const std::string got = Read(type, field);
      const bool special = field.name == "c_date" || field.name.starts_with("c_ts");
      EXPECT_TRUE(!got.starts_with("misfit") || special) << field.name << " " << got;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Captures, DebeziumVariantsTest,
                         ::testing::Values("iso-double", "iso-double-noschemas", "connecttime", "connecttime-noschemas", "nanoseconds",
                                           "nanoseconds-noschemas", "microtime", "microtime-noschemas", "unwrap-noschemas", "unwrap-fields",
                                           "unwrap-fields-noschemas", "cloudevents", "cloudevents-noschemas", "cloudevents-tx-noschemas",
                                           "http-batch-noschemas"),
                         [](const auto& of) {
                           std::string name = of.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace nano::wire
