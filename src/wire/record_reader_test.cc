// SPDX-License-Identifier: Apache-2.0
#include "wire/record_reader.h"

#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "wire/singer.h"

namespace nano::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A reader of text fields, and what it gave for a record: one word a field, then what was odd.
class RecordReaderTest : public ::testing::Test {
 protected:
  void Fields(std::vector<std::pair<FieldPath, std::string>> fields, const std::vector<FieldPath>& ignored = {}) {
    std::vector<FieldSpec> specs;
    for (auto& [path, type] : fields) specs.push_back({path, *ParseDataType(type)});
    reader_.emplace(std::move(specs), Special::kQuarantine, ignored);
  }

  std::vector<std::string> Read(std::string_view text) {
    std::vector<Cell> cells(reader_->fields().size());
    std::vector<RecordReader::Misfit> misfits;
    std::vector<RecordReader::Unknown> unknown;
    std::vector<std::string> out;
    if (!reader_->Read(text, arena_, cells, misfits, unknown)) return {"broken"};
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const Cell& cell = cells[i];
      out.push_back(cell.kind == Cell::Kind::kAbsent ? "absent" : cell.kind == Cell::Kind::kNull ? "null"
                    : reader_->fields()[i].type.kind == TypeKind::kInt ? std::to_string(cell.i32) : std::string(cell.text));
    }
    for (const auto& misfit : misfits) out.push_back(fmt::format("{} {}: {}", misfit.field, misfit.reason, misfit.token));
    for (const auto& [name, token] : unknown) out.push_back(fmt::format("{}={}", name, token));
    return out;
  }

  std::optional<RecordReader> reader_;
  Arena arena_;
};

TEST_F(RecordReaderTest, MembersAreFoundInAnyOrder) {
  Fields({{{"a"}, "int"}, {{"b"}, "string"}, {{"c"}, "string"}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Read(R"({"a":1,"b":"x","c":"y"})"), ElementsAre("1", "x", "y"));
    EXPECT_THAT(Read(R"({"c": "y\n", "a" : 2 , "b":null} and more)"), ElementsAre("2", "null", "y\n"));
    EXPECT_EQ(reader_->rest(), " and more");
    EXPECT_THAT(Read(R"({"b":12.50})"), ElementsAre("absent", "12.50", "absent"));
    EXPECT_THAT(Read("{ }"), ElementsAre("absent", "absent", "absent"));
  }
}

TEST_F(RecordReaderTest, NamesMayBeAnything) {
  Fields({{{"Weird \"x\""}, "int"}, {{"ž.y"}, "int"}, {{""}, "int"}, {{"A"}, "int"}, {{"a"}, "int"}});
  EXPECT_THAT(Read(R"({"Weird \"x\"":1,"\u017e.y":2,"":3,"a":5,"A":4})"), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(Read(R"({"ž.y":2,"\u0061":6})"), ElementsAre("absent", "2", "absent", "absent", "6"));
}

TEST_F(RecordReaderTest, PathsLeadIntoObjects) {
  Fields({{{"a", "x"}, "int"}, {{"a", "y", "z"}, "string"}, {{"a"}, "json"}, {{"b"}, "int"}, {{"b"}, "string"}});
  EXPECT_THAT(Read(R"({"a":{"x":1,"y":{"z":"t","n":[1]}, "m":2},"b":7})"),
              ElementsAre("1", "t", R"({"x":1,"y":{"z":"t","n":[1]}, "m":2})", "7", "7", "a.y.n=[1]", "a.m=2"));
  EXPECT_THAT(Read(R"({"a":null})"), ElementsAre("null", "null", "null", "absent", "absent"));
  EXPECT_THAT(Read(R"({"a":5})"), ElementsAre("null", "null", "5", "absent", "absent", "0 lies in what is not an object: 5",
                                               "1 lies in what is not an object: 5"));
  EXPECT_THAT(Read(R"({"a":{"y":{}}})"), ElementsAre("absent", "absent", R"({"y":{}})", "absent", "absent"));
}

TEST_F(RecordReaderTest, MisfitsAndNewFieldsAreTold) {
  Fields({{{"a"}, "int"}, {{"b"}, "json"}}, {{"old"}, {"in", "old"}});
  EXPECT_THAT(Read(R"({"a":"x","b":[NaN],"new":{"p":1},"old":1,"in":{"old":2,"new":3}})"),
              ElementsAre("null", "null", R"(0 is not an integer: "x")", "1 is not JSON: [NaN]", R"(new={"p":1})", "in.new=3"));
  EXPECT_THAT(Read(R"({"a":NaN})"), ElementsAre("null", "absent", "0 is NaN: NaN"));
}

TEST_F(RecordReaderTest, OfARepeatedMemberTheLastCounts) {
  Fields({{{"a"}, "int"}, {{"b", "x"}, "int"}, {{"b", "y"}, "int"}});
  EXPECT_THAT(Read(R"({"a":"bad","a":2,"\u0061":3})"), ElementsAre("3", "absent", "absent"));
  EXPECT_THAT(Read(R"({"b":{"x":"bad"},"b":{"y":2}})"), ElementsAre("absent", "absent", "2"));
}

TEST_F(RecordReaderTest, AMapOfEndlessNamesIsSurvived) {
  Fields({{{"a"}, "int"}});
  for (int i = 0; i < 100; ++i) {
    std::string record = "{";
    for (int k = 0; k < 100; ++k) record += fmt::format("\"n{}\":{},", i * 100 + k, k);
    const auto out = Read(record + "\"a\":5}");
    ASSERT_EQ(out.size(), 101u);
    EXPECT_EQ(out[0], "5");
    EXPECT_EQ(out[100], fmt::format("n{}=99", i * 100 + 99));
  }
}

TEST_F(RecordReaderTest, WhatIsNoObjectIsBroken) {
  Fields({{{"a"}, "int"}, {{"b", "x"}, "string"}});
  for (const char* text : {"", "[]", "{", "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\":01}", "{\"b\":{\"x\":\"", "{\"b\":{",
                           "{\"b\":{\"x\":\"y\"}", "{\"zz\":[}", "{\"a\":\"\n\"}"})
    EXPECT_THAT(Read(text), ElementsAre("broken")) << text;
}

TEST_F(RecordReaderTest, EveryCutIsSurvived) {
  Fields({{{"a"}, "decimal(9,2)"}, {{"b", "x"}, "string"}, {{"b", "l"}, "list<int>"}, {{"d"}, "timestamptz"}});
  const std::string whole = R"({"a":1.5e1,"b":{"x":"\ud83d\ude00é","l":[1,2]},"d":"2024-01-01T00:00:00Z","n":NaN})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THAT(Read({bytes.data(), bytes.size()}), ElementsAre("broken")) << size;
  }
  EXPECT_EQ(Read(whole).size(), 5u);
}

/// Real records, read by their own schemas: all fit, but for what the schema itself says wrongly.
TEST(Captures, RecordsFitTheirSchemas) {
  std::map<std::string, RecordReader> readers;
  std::set<std::string> odd;
  std::size_t records = 0;
  Arena arena;
  for (const char* name : {"ppw.short", "tap-postgres-meltano.short", "tap-rest", "ml-tap-csv", "tap-fake-people", "quirks"}) {
    std::ifstream file(fmt::format("{}/test/captures/singer/{}.jsonl", NANO_SOURCE_DIR, name));
    ASSERT_TRUE(file) << name;
    for (std::string text; std::getline(file, text);) {
      const SingerMessage message = ParseSingerLine(arena.Keep(text), arena);
      const std::string stream = fmt::format("{}:{}", name, message.stream);
      if (message.kind == SingerMessage::Kind::kSchema) {
        const auto schema = ParseSingerSchema(message.schema, message.key_properties);
        ASSERT_TRUE(schema) << schema.error().message;
        std::vector<FieldSpec> fields;
        for (const auto& property : schema->properties) fields.push_back({{property.name}, property.type});
        readers.insert_or_assign(stream, RecordReader(std::move(fields), Special::kQuarantine));
      }
      const auto reader = readers.find(stream);
      if (message.kind != SingerMessage::Kind::kRecord || reader == readers.end()) continue;
      ++records;
      std::vector<Cell> cells(reader->second.fields().size());
      std::vector<RecordReader::Misfit> misfits;
      std::vector<RecordReader::Unknown> unknown;
      ASSERT_TRUE(reader->second.Read(message.record, arena, cells, misfits, unknown)) << text;
      for (const auto& misfit : misfits) odd.insert(fmt::format("{}.{} {}", name, reader->second.fields()[misfit.field].path[0], misfit.reason));
      for (const auto& [field, token] : unknown) odd.insert(fmt::format("{}.{}={}", name, field, token));
    }
  }
  EXPECT_GT(records, 150u);
  EXPECT_THAT(odd, testing::UnorderedElementsAre(
                       "tap-postgres-meltano.short.c_int_arr2 element 1 is not an integer",            // declared a list of integers
                       "tap-postgres-meltano.short.c_numeric has more digits than a double keeps",     // declared a number
                       "tap-postgres-meltano.short.c_numeric_38_18 has more digits than a double keeps",
                       "quirks.id is out of the range of bigint", "quirks.d is not a timestamp", "quirks.extra=1"));
}

/// Records of every type with bytes changed, cut out and doubled: read or refused, never more.
TEST(Captures, DamagedRecordsAreSurvived) {
  std::vector<FieldSpec> fields;
  std::string whole = "{";
  const auto add = [&](const std::string& type, const std::string& token) {
    fields.push_back({{fmt::format("f{}", fields.size())}, *ParseDataType(type)});
    whole += fmt::format("{}\"f{}\":{}", whole.size() > 1 ? ", " : "", fields.size() - 1, token);
  };
  add("boolean", "true"), add("int", "-12"), add("bigint", "9223372036854775807"), add("decimal(38,10)", "-123456789.0123e4");
  add("float", "1.5e-3"), add("double", "0.30000000000000004123"), add("string", R"("\ud83d\ude00 a\n\"é")"), add("json", R"({"a":[1,{"b":null}]})");
  add("binary", R"("\\x00ff10")"), add("uuid", R"("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")"), add("date", R"("0044-03-15 BC")");
  add("time", R"("23:59:59.123456000")"), add("timestamp", R"("2024-02-29T10:00:00.5Z")"), add("timestamptz", R"("2024-02-29 10:00:00-03:30")");
  add("list<list<int>>", "[[1,null],[],[2]]"), add("struct<a: int, b: list<string>>", R"({"b":["x","\u00e9"],"a":1})");
  add("map<date, decimal(9,2)>", R"({"2024-01-01":1.5,"2024-01-02":null})");
  whole += "}";
  RecordReader reader(std::move(fields), Special::kClamp);
  std::mt19937 random(11);
  std::vector<Cell> cells(reader.fields().size());
  std::vector<RecordReader::Misfit> misfits;
  std::vector<RecordReader::Unknown> unknown;
  std::size_t read = 0, refused = 0;
  auto arena = std::make_unique<Arena>();
  for (int i = 0; i < 20000; ++i) {
    if (arena->used() > (1 << 17)) arena = std::make_unique<Arena>();
    std::string text = whole;
    for (auto k = random() % 4; k > 0; --k) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0: text[at] = "{}[]\",:\\0-.eNI\x01\xff "[random() % 17]; break;
        case 1: text.erase(at, 1 + random() % 5); break;
        case 2: text.insert(at, text.substr(random() % text.size(), random() % 30)); break;
        default: text[at] = static_cast<char>('0' + random() % 10); break;
      }
      if (text.empty()) text = "{";
    }
    const std::vector<char> bytes(text.begin(), text.end());   // just as large: a step outside is seen
    ++(reader.Read({bytes.data(), bytes.size()}, *arena, cells, misfits, unknown) ? read : refused);
  }
  EXPECT_GT(read, 5000u);
  EXPECT_GT(refused, 2000u);
}

}  // namespace
}  // namespace nano::wire
