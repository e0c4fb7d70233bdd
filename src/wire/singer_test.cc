// SPDX-License-Identifier: Apache-2.0
#include "wire/singer.h"

#include <gmock/gmock.h>

#include <fstream>

#include "wire/json_scan.h"

namespace nano::wire {
namespace {

using ::testing::ElementsAre;
using Kind = SingerMessage::Kind;

TEST(Singer, ARecordLine) {
  Arena arena;
  const auto message = ParseSingerLine(
      R"({"type":"RECORD","stream":"a \"b\"","record":{"id":NaN},"version":17,"time_extracted":"2026-11-24T02:22:16+00:00"})" "\r\n", arena);
  EXPECT_EQ(message.kind, Kind::kRecord);
  EXPECT_EQ(message.stream, "a \"b\"");
  EXPECT_EQ(message.record, R"({"id":NaN})");
  EXPECT_EQ(message.version, 17);
  EXPECT_EQ(message.time_extracted, "2026-11-24T02:22:16+00:00");
}

TEST(Singer, OtherLines) {
  Arena arena;
  EXPECT_EQ(ParseSingerLine(R"({"type":"record","stream":"a","record":{}})", arena).kind, Kind::kRecord);
  EXPECT_EQ(ParseSingerLine("\xef\xbb\xbf{\"type\":\"State\",\"value\":{}}", arena).kind, Kind::kState);
  EXPECT_EQ(ParseSingerLine(R"({"type":"STATE","value":null})", arena).value, "null");
  EXPECT_EQ(ParseSingerLine(R"({"type":"SCHEMA","stream":"a","schema":{},"key_properties":null})", arena).key_properties, "null");
  EXPECT_EQ(ParseSingerLine(R"({"type":"ACTIVATE_VERSION","stream":"a","version":1795487097490})", arena).version, 1795487097490);
  EXPECT_EQ(ParseSingerLine(R"({"type":"BATCH","stream":"a"})", arena).kind, Kind::kBatch);
  EXPECT_EQ(ParseSingerLine(R"({"type":"FOO","x":1})", arena).kind, Kind::kUnknown);
  for (const char* blank : {"", "\r", " \t\r\n", "\xef\xbb\xbf"}) EXPECT_EQ(ParseSingerLine(blank, arena).kind, Kind::kBlank);
  EXPECT_EQ(ParseSingerLine(R"({"type":"STATE","type":"RECORD","stream":"a","stream":"b","record":1,"record":{}})", arena).stream, "b");
}

TEST(Singer, WhatIsNoMessageIsUnreadable) {
  Arena arena;
  for (const auto& [line, reason] : std::vector<std::pair<std::string, std::string>>{
           {"{\"type\":\"STATE\",\"value\":\"\xe9\"}", "is not UTF-8"},
           {"not json", "is not a JSON object"},
           {"[1]", "is not a JSON object"},
           {R"({"type":"RECORD","stream":"a","record":{"id":1})", "is not a JSON object"},
           {R"({"type":"STATE","value":1} {})", "goes on after its JSON object"},
           {R"({"stream":"a"})", "has no type"},
           {R"({"type":1})", "has no type"},
           {R"({"type":"RECORD","record":{}})", "is a RECORD without stream"},
           {R"({"type":"RECORD","stream":"a","record":[]})", "is a RECORD without record"},
           {R"({"type":"SCHEMA","stream":"a","schema":true})", "is a SCHEMA without schema"},
           {R"({"type":"STATE"})", "is a STATE without value"},
           {R"({"type":"ACTIVATE_VERSION","stream":"a"})", "is an ACTIVATE_VERSION without stream or version"}}) {
    const auto message = ParseSingerLine(line, arena);
    EXPECT_EQ(message.kind, Kind::kUnreadable) << line;
    EXPECT_EQ(message.reason, reason) << line;
  }
}

TEST(Singer, TheClassifierSaysWhatTheParserSays) {
  SingerLineClassifier classifier;
  std::vector<std::string> lines{R"({"type":"RECORD","stream":"late","record":{"a":1},"stream":"other"})",
                                 R"({"record":{"a":1},"type":"RECORD","stream":"behind"})",
                                 R"({"type":"RECORD","stream":"late","record":{"a":2}})",
                                 R"({"type":"RECORD","stream":"late","record":{"a":2}, "time_extracted":"x" } )",
                                 R"({"type":"RECORD","stream":"late","record":{"a":2)",
                                 "{\"type\":\"RECORD\",\"stream\":\"late\",\"record\":{\"a\":\"\xff\"}}"};
  for (const char* name : {"ppw.short.jsonl", "quirks.jsonl", "tap-postgres-meltano.short.jsonl", "tap-rest.jsonl", "ml-tap-csv.jsonl", "tap-fake-people.jsonl"}) {
    std::ifstream file(std::string(NANO_SOURCE_DIR) + "/test/captures/singer/" + name);
    ASSERT_TRUE(file) << name;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
  }
  for (const std::string& line : lines) {
    Arena arena;
    const auto message = ParseSingerLine(line, arena);
    const auto quick = classifier.Classify(line);
    ASSERT_EQ(quick.kind, message.kind) << line;
    EXPECT_EQ(quick.stream, message.stream) << line;
    EXPECT_EQ(quick.record, message.kind == Kind::kRecord ? static_cast<std::size_t>(message.record.data() - line.data()) : 0) << line;
  }
}

TEST(Singer, WhatFollowsARecordMustEndTheMessage) {
  for (const char* rest : {"}", "}\r\n", R"(, "time_extracted": "2026", "version": 1})", " } "}) EXPECT_TRUE(EndsSingerRecord(rest)) << rest;
  for (const char* rest : {"", "} x", ",}", R"(, "stream": "b"})", R"(, "\u0074ype": "b"})", R"(, "a": )", R"(, "a": 1)", R"("a": 1})"})
    EXPECT_FALSE(EndsSingerRecord(rest)) << rest;
}

/// The columns of a schema with just these properties.
std::string Columns(const std::string& properties, const std::string& more = "") {
  const auto schema = ParseSingerSchema(R"({"properties":{)" + properties + "}" + more + "}", R"(["id"])");
  if (!schema) return schema.error().message;
  std::string out;
  for (const auto& property : schema->properties)
    out += (out.empty() ? "" : ", ") + property.name + " " + ToString(property.type) + (property.nullable ? "" : " not null");
  return out;
}

TEST(SingerSchemaTest, ScalarsInAnyOrderOfTypes) {
  EXPECT_EQ(Columns(R"("id":{"type":"integer"},"a":{"type":["null","boolean"]},"b":{"type":["string","null"]},"c":{"type":"number"})"),
            "id bigint not null, a boolean, b string, c double");
  EXPECT_EQ(Columns(R"("a":{"type":"string","format":"date-time"},"b":{"type":"string","format":"date"},"c":{"type":"string","format":"time"},
                       "d":{"type":"string","format":"uuid"},"e":{"type":"string","format":"x-singer.decimal","precision":20,"scale":4},
                       "f":{"type":"string","format":"singer.decimal"})"),
            "a timestamptz, b date, c string, d string, e decimal(20,4), f string");
  EXPECT_EQ(Columns(R"("a":{},"b":true,"c":{"type":"null"},"d":{"type":[]},"e":{"type":"whatever"})"), "a string, b string, c string, d string, e string");
  EXPECT_EQ(Columns(R"("a":{"type":["string","integer"]},"b":{"type":["integer","number"]},"c":{"type":["object","array","null"]},"d":{"type":["string","array"]})"),
            "a string, b double, c json, d json");
  EXPECT_EQ(Columns(R"("a":{"type":"integer"})", R"(,"required":["a"])"), "a bigint not null");
}

TEST(SingerSchemaTest, BoundsGiveTheWidthOfNumbers) {
  EXPECT_EQ(Columns(R"("a":{"type":"integer","minimum":-32768,"maximum":32767},"b":{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807},
                       "c":{"type":"integer","minimum":0,"maximum":18446744073709551615},"d":{"type":"integer","minimum":0},
                       "e":{"type":"integer","maximum":100000000000000000000000000000000000000000000000000000000000000})"),
            "a int, b bigint, c decimal(20,0), d bigint, e string");
  EXPECT_EQ(Columns(R"("a":{"type":"number","exclusiveMaximum":true,"maximum":100000000,"multipleOf":0.01,"exclusiveMinimum":true,"minimum":-100000000})"),
            "a decimal(10,2)");
  EXPECT_EQ(Columns(R"("a":{"type":"number","maximum":100000000,"multipleOf":0.01,"minimum":0})"), "a decimal(11,2)");
  EXPECT_EQ(Columns(R"("a":{"type":"number","exclusiveMaximum":1000,"exclusiveMinimum":-1000,"multipleOf":1e-3})"), "a decimal(6,3)");
  EXPECT_EQ(Columns(R"("a":{"type":"number","multipleOf":0.01},"b":{"type":"number","multipleOf":1},"c":{"type":"number","multipleOf":1e-40})"),
            "a decimal(38,2), b decimal(38,0), c string");
  EXPECT_EQ(Columns(R"("a":{"type":"number","exclusiveMaximum":true,"maximum":100000000000000000000000000000000000000000000000000000000000000,"multipleOf":1e-38,
                       "exclusiveMinimum":true,"minimum":-100000000000000000000000000000000000000000000000000000000000000})"),
            "a string");
}

TEST(SingerSchemaTest, NestedTypes) {
  EXPECT_EQ(Columns(R"("a":{"type":"object","properties":{"x":{"type":"integer"},"y z":{"type":["null","array"],"items":{"type":"string"}}}})"),
            "a struct<x: bigint, \"y z\": list<string>>");
  EXPECT_EQ(Columns(R"("a":{"type":"object"},"b":{"type":"array"},"c":{"type":"array","items":{}},"d":{"type":"array","items":{"type":["integer","array"]}},
                       "e":{"type":"object","properties":{"x":{},"X":{}}},"f":{"type":"object","properties":{"x":{}},"additionalProperties":true},
                       "g":{"type":"object","properties":{"x":{}},"additionalProperties":false})"),
            "a json, b json, c json, d json, e json, f json, g struct<x: string>");
}

TEST(SingerSchemaTest, AlternativesBecomeWhatHoldsThemAll) {
  EXPECT_EQ(Columns(R"("id":{"anyOf":[{"type":"integer"},{"type":"null"}]},"a":{"oneOf":[{"type":"string","format":"date-time"},{"type":"string"}]},
                       "b":{"anyOf":[{"type":"integer"},{"type":"number"}]},"c":{"anyOf":[{"type":"array"},{"type":"string"}]},
                       "d":{"allOf":[{},{"type":"integer"}]},"e":{"anyOf":[]})"),
            "id bigint, a string, b double, c json, d bigint, e string");
}

TEST(SingerSchemaTest, ReferencesAreFollowedAndCirclesEnd) {
  EXPECT_EQ(Columns(R"("a":{"$ref":"#/definitions/x~1y"},"b":{"type":"array","items":{"$ref":"#/definitions/ints"}},"c":{"$ref":"#/nowhere"},
                       "d":{"$ref":"#/definitions/tree"},"e":{"type":"array","items":{"$ref":"#/definitions/x~1y"}},"f":{"$ref":"other.json#/x"})",
                    R"(,"definitions":{"x/y":{"type":"integer"},"ints":{"type":["null","integer","array"],"items":{"$ref":"#/definitions/ints"}},
                        "tree":{"type":"object","properties":{"v":{"type":"integer"},"left":{"$ref":"#/definitions/tree"}}}})"),
            "a bigint, b json, c string, d struct<v: bigint, left: json>, e list<bigint>, f string");
}

TEST(SingerSchemaTest, ManyReferencesAreNotFollowedForEver) {
  std::string definitions;
  for (int i = 0; i < 20; ++i) {
    definitions += fmt::format(R"("d{}":{{"type":"object","properties":{{)", i);
    for (int k = 0; k < 10; ++k) definitions += fmt::format(R"({}"p{}":{{"$ref":"#/definitions/d{}"}})", k == 0 ? "" : ",", k, i + 1);
    definitions += "}},";
  }
  const auto schema = ParseSingerSchema("{\"properties\":{\"a\":{\"$ref\":\"#/definitions/d0\"}},\"definitions\":{" + definitions + "\"d20\":{\"type\":\"integer\"}}}", "");
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->properties.size(), 1u);
}

TEST(SingerSchemaTest, NamesAreKeptInOrderAndTheLastOfEqualsCounts) {
  EXPECT_EQ(Columns(R"("z":{"type":"integer"},"Weird \"x\"":{"type":"string"},"z":{"type":"string"})"), "z string, Weird \"x\" string");
}

TEST(SingerSchemaTest, KeysMayBeMissing) {
  for (const char* none : {"", "null", "[]"}) EXPECT_TRUE(ParseSingerSchema("{}", none)->key_properties.empty());
  EXPECT_THAT(ParseSingerSchema("{}", R"(["a","b c"])")->key_properties, ElementsAre("a", "b c"));
  EXPECT_FALSE(ParseSingerSchema("{}", R"("a")"));
  EXPECT_FALSE(ParseSingerSchema("{}", R"([1])"));
  EXPECT_FALSE(ParseSingerSchema("[]", ""));
  EXPECT_FALSE(ParseSingerSchema("{", ""));
}

}  // namespace
}  // namespace nano::wire
