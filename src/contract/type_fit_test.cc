// SPDX-License-Identifier: Apache-2.0
#include "contract/type_fit.h"

#include <gmock/gmock.h>

#include "contract/units.h"

namespace nano::contract {
namespace {

struct Pair {
  const char* to;
  const char* from;
  bool is_held;
};
void PrintTo(const Pair& p, std::ostream* out) { *out << p.to << " <- " << p.from; }
class HeldTest : public testing::TestWithParam<Pair> {};
TEST_P(HeldTest, IsJudged) {
  const auto why = WhyNotHeld(*ParseDataType(GetParam().to), *ParseDataType(GetParam().from));
  EXPECT_EQ(!why, GetParam().is_held) << why.value_or("");
}
INSTANTIATE_TEST_SUITE_P(
    Types, HeldTest,
    testing::Values(Pair{"bigint", "int", true}, Pair{"int", "bigint", false}, Pair{"decimal(18,2)", "int", true},
                    Pair{"decimal(18,2)", "bigint", false}, Pair{"decimal(21,2)", "bigint", true},
                    Pair{"decimal(18,2)", "decimal(9,2)", true}, Pair{"decimal(18,2)", "decimal(18,3)", false},
                    Pair{"decimal(18,4)", "decimal(18,2)", false}, Pair{"decimal(20,4)", "decimal(18,2)", true},
                    Pair{"decimal(38,10)", "double", false}, Pair{"double", "float", true}, Pair{"double", "int", true},
                    Pair{"double", "bigint", false}, Pair{"double", "decimal(9,2)", false}, Pair{"float", "double", false},
                    Pair{"float", "int", false}, Pair{"bigint", "decimal(18,0)", true}, Pair{"bigint", "decimal(19,0)", false},
                    Pair{"int", "decimal(9,0)", true}, Pair{"int", "decimal(9,1)", false}, Pair{"string", "decimal(9,1)", true},
                    Pair{"string", "binary", false}, Pair{"string", "struct<a: int>", true}, Pair{"uuid", "string", true},
                    Pair{"int", "string", true}, Pair{"list<int>", "string", false}, Pair{"boolean", "int", false},
                    Pair{"timestamp", "date", true}, Pair{"timestamp", "timestamptz", false},
                    Pair{"timestamptz", "timestamp", false}, Pair{"date", "timestamp", false}, Pair{"json", "list<int>", true},
                    Pair{"json", "int", false}, Pair{"list<bigint>", "list<int>", true}, Pair{"list<int>", "list<bigint>", false},
                    Pair{"list<int>", "json", true}, Pair{"map<string, bigint>", "map<string, int>", true},
                    Pair{"map<int, int>", "map<bigint, int>", false}, Pair{"struct<a: bigint, b: int>", "struct<a: int>", true},
                    Pair{"struct<a: int>", "struct<a: int, b: int>", false}, Pair{"struct<a: int>", "list<int>", false}));

TEST(SourceType, ReadsTheSourcesOwnNames) {
  const auto read = [](const char* text) {
    const SourceType type = ReadSourceType(text);
    return ToString(type.type) + (type.is_known ? "" : "?");
  };
  EXPECT_EQ(read("timestamp(3)"), "timestamp");
  EXPECT_EQ(read("TIMESTAMP ( 3 ) WITH TIME ZONE"), "timestamptz");
  EXPECT_EQ(read("character varying(20)"), "string");
  EXPECT_EQ(read("numeric(9, 2)"), "decimal(9,2)");
  EXPECT_EQ(read("numeric"), "string");
  EXPECT_EQ(read("numeric(60,2)"), "string");
  EXPECT_EQ(read("bigint unsigned"), "decimal(20,0)");
  EXPECT_EQ(read("int(10) unsigned"), "bigint");
  EXPECT_EQ(read("_int4"), "list<int>");
  EXPECT_EQ(read("text[][]"), "list<list<string>>");
  EXPECT_EQ(read("double precision"), "double");
  EXPECT_EQ(read("struct<a: int>"), "struct<a: int>");
  EXPECT_EQ(read("interval"), "string");
  EXPECT_EQ(read("my_enum"), "string?");
  EXPECT_EQ(read("bigitn[]"), "list<string>?");
  EXPECT_TRUE(ReadSourceType("hstore").is_opaque);
  EXPECT_FALSE(ReadSourceType("text").is_opaque);
}

TEST(SqlType, WhatTheLanguageLacksIsRefused) {
  for (const auto* text : {"HUGEINT", "TIME_NS", "TIMESTAMP_NS", "INTERVAL", "BIT", "STRUCT(INTEGER, VARCHAR)", "DECIMAL(18,2",
                           "MAP(INTEGER)", "STRUCT(\"a", "INTEGER[", "", "[]"})
    EXPECT_FALSE(ReadSqlType(text).has_value()) << text;
}

TEST(SqlType, DeepOnesAreRefusedAndNotFollowed) {
  EXPECT_FALSE(ReadSqlType(std::string(100'000, 'x')).has_value());
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "MAP(";
  EXPECT_FALSE(ReadSqlType(deep).has_value());
}

TEST(Units, AreReadAsWritten) {
  EXPECT_EQ(Milliseconds("10m"), 600'000);
  EXPECT_EQ(Milliseconds("500ms"), 500);
  EXPECT_EQ(Milliseconds("30d"), 2'592'000'000);
  EXPECT_EQ(Milliseconds("x"), 0);
  EXPECT_EQ(Bytes("16MB"), 16 << 20);
  EXPECT_EQ(Bytes("2TB"), 2LL << 40);
}

TEST(Partition, IsReadBackAsWritten) {
  for (const auto* text : {"region", "month(created_at)", "bucket(16, id)", "day(\"a \"\"b\"\" (c)\")", "\"a(b)\"", "hour(ž)"}) {
    const auto field = ParsePartition(text);
    ASSERT_TRUE(field.has_value()) << text;
    EXPECT_EQ(ToString(*field), text);
  }
  for (const auto* text : {"week(x)", "bucket(x)", "bucket(0, x)", "bucket(99999999999999999999, x)", "month()", "(x)"})
    EXPECT_FALSE(ParsePartition(text).has_value()) << text;
}

}  // namespace
}  // namespace nano::contract
