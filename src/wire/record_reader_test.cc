// SPDX-License-Identifier: Apache-2.0
#include "wire/record_reader.h"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace nano::wire
