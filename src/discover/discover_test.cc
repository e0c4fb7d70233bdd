// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/parse.h"
#include "discover/key_guess.h"
#include "discover/proposal_yaml.h"
#include "discover/streams.h"
#include "wire/cell.h"
#include "wire/debezium.h"

namespace nano::discover {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

DataType Type(const char* text) { return *ParseDataType(text); }

TEST(WiderTest, HoldsBoth) {
  EXPECT_EQ(Wider(Type("int"), Type("bigint")), Type("bigint"));
  EXPECT_EQ(Wider(Type("decimal(5,2)"), Type("decimal(6,1)")), Type("decimal(7,2)"));
  EXPECT_EQ(Wider(Type("bigint"), Type("decimal(5,2)")), Type("decimal(21,2)"));
  EXPECT_EQ(Wider(Type("float"), Type("double")), Type("double"));
  EXPECT_EQ(Wider(Type("bigint"), Type("double")), Type("string"));
  EXPECT_EQ(Wider(Type("date"), Type("list<int>")), Type("json"));
}

TEST(SeenStreamTest, AValueThatDoesNotFitWidens) {
  SeenStream stream;
  stream.Declare("n", Type("bigint"));
  const auto see = [&](const char* token) {
    Arena arena;
    stream.See("n", token, wire::InferDebezium({"n", token, nullptr}), [&](const DataType& type, std::string& reason) {
      wire::Cell cell;
      return wire::ReadJson(type, token, wire::Special::kQuarantine, arena, cell, reason);
    });
    return ToString(stream.fields[0].type);
  };
  EXPECT_EQ(see("null"), "bigint");
  EXPECT_EQ(see("12"), "bigint");
  EXPECT_EQ(see("\"12\""), "bigint");
  EXPECT_EQ(see("\"twelve\""), "string");
  EXPECT_EQ(see("{\"a\":1}"), "string");
  EXPECT_EQ(stream.fields[0].widened_by, "is not an integer");
}

SeenStream Stream(const std::string& name, const std::vector<std::string>& fields) {
  SeenStream stream;
  stream.name = name;
  for (const auto& field : fields) stream.Declare(field, Type("bigint"));
  return stream;
}

TEST(ProposeTest, NamesAreThoseThatCheckTakes) {
  const Proposal proposal = Propose({Stream("public.Orders", {"id", "ID", "_id", "$a"}), Stream("audit.orders", {"id"}), Stream("journal", {"id"}),
                                     Stream("2026", {"id"})},
                                    {"stock"});
  std::vector<std::string> names;
  for (const auto& table : proposal.tables) names.push_back(table.name);
  EXPECT_THAT(names, ElementsAre("orders", "audit_orders", "t_journal", "t_2026"));
  const std::string yaml = "nanohouse: 1\nwarehouse: w\n" + SourcesYaml({"s", "singer: {file: x.jsonl}", ""}) + TablesYaml({"s", "", ""}, proposal);
  const auto parsed = contract::Parse({{"nanohouse.yaml", yaml}}, ".");
  EXPECT_THAT(parsed.findings, IsEmpty()) << yaml;
  EXPECT_EQ(parsed.contract->tables[0].columns[2].field, std::vector<std::string>{"_id"});
}

TEST(ProposeTest, AKeyThatSomeRecordsLackIsNone) {
  SeenStream stream = Stream("a", {"id"});
  stream.key = {"id"};
  EXPECT_THAT(Propose({stream}, {}).tables[0].key, ElementsAre("id"));
  stream.key_is_null = true;
  const Proposal without = Propose({stream}, {});
  EXPECT_THAT(without.tables[0].key, IsEmpty());
  EXPECT_THAT(TablesYaml({"s", "", ""}, without), HasSubstr("mode: append"));
}

TEST(PartsTest, EqualFieldsAndANumberAtTheEnd) {
  const auto parts = [](const std::vector<SeenStream>& streams) { return PartsOfOne(Propose(streams, {}).tables); };
  EXPECT_THAT(parts({Stream("public.parted_2025", {"id", "at"}), Stream("public.parted_2026", {"at", "id"}), Stream("public.other_1", {"id"})}),
              ElementsAre(ElementsAre("public.parted_2025", "public.parted_2026")));
  EXPECT_THAT(parts({Stream("events_p1", {"id"}), Stream("events_p2", {"id"})}), ElementsAre(ElementsAre("events_p1", "events_p2")));
  EXPECT_THAT(parts({Stream("log_2025", {"id"}), Stream("log_2026", {"id", "at"}), Stream("utf8", {"id"}), Stream("utf16", {"id"})}), IsEmpty());
}

TEST(KeyGuessTest, IsNeededWhereAChangeNamesNoWholeRow) {
  KeyGuess whole;
  whole.Created({{"id", "1"}, {"a", "2"}});
  whole.Deleted({{"id", "1"}, {"a", "2"}});
  EXPECT_FALSE(whole.needed());
  KeyGuess partial;
  partial.Created({{"id", "1"}, {"a", "2"}});
  partial.Deleted({{"id", "1"}, {"a", "null"}});
  EXPECT_TRUE(partial.needed());
  KeyGuess none;
  none.Updated({}, {{"id", "1"}});
  EXPECT_TRUE(none.needed());
}

TEST(KeyGuessTest, TheFirstAndShortestThatTellsRowsApart) {
  KeyGuess guess;
  guess.Created({{"region", "1"}, {"id", "1"}, {"line", "1"}, {"note", "null"}});
  guess.Created({{"region", "1"}, {"id", "1"}, {"line", "2"}, {"note", "null"}});
  guess.Created({{"region", "1"}, {"id", "2"}, {"line", "1"}, {"note", "7"}});
  EXPECT_THAT(guess.Find(), ElementsAre("id", "line"));
  guess.Deleted({{"region", "null"}, {"id", "2"}, {"line", "1"}, {"note", "null"}});
  guess.Created({{"region", "1"}, {"id", "2"}, {"line", "1"}, {"note", "null"}});
  EXPECT_THAT(guess.Find(), ElementsAre("id", "line"));
  guess.Created({{"region", "1"}, {"id", "2"}, {"line", "1"}, {"note", "null"}});
  EXPECT_THAT(guess.Find(), IsEmpty());
}

TEST(YamlTextTest, IsQuotedWhereYamlWouldTakeItForSomethingElse) {
  EXPECT_EQ(YamlText("orders"), "orders");
  EXPECT_EQ(YamlText("public.orders-2"), "public.orders-2");
  for (const char* text : {"no", "Yes", "null", "12", "a b", "a: b", "-", "", "decimal(18,2)", "ü"}) EXPECT_EQ(YamlText(text), wire::Escape(text));
}

TEST(CatalogTest, KeysTypesAndDescriptionsAreTaken) {
  const auto seen = ReadSingerCatalog(R"({"streams":[{"tap_stream_id":"public-b","stream":"b","metadata":[{"breadcrumb":[],"metadata":{"table-key-properties":["z"]}}],
    "schema":{"type":"object","description":"All b.","properties":{"z":{"type":"integer","description":"The \"number\"."},"a":{"type":["null","string"],"format":"date"}}}}]})");
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->streams.size(), 1U);
  const SeenStream& stream = seen->streams[0];
  EXPECT_EQ(stream.name, "public-b");
  EXPECT_EQ(stream.description, "All b.");
  EXPECT_THAT(stream.key, ElementsAre("z"));
  EXPECT_EQ(stream.fields[0].name, "z");
  EXPECT_EQ(stream.fields[0].description, "The \"number\".");
  EXPECT_EQ(ToString(stream.fields[1].type), "date");
  EXPECT_FALSE(ReadSingerCatalog("[]"));
  EXPECT_FALSE(ReadSingerCatalog("{\"streams\":[}"));
}

}  // namespace
}  // namespace nano::discover
