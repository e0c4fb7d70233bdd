// SPDX-License-Identifier: Apache-2.0
#include "wire/cell.h"

#include <gmock/gmock.h>

#include <cmath>

namespace nano::wire {
namespace {

/// A cell as text, so that a test can be read.
std::string Show(const DataType& type, const Cell& cell) {
  if (cell.kind == Cell::Kind::kNull) return "NULL";
  if (cell.kind == Cell::Kind::kAbsent) return "absent";
  const auto wide = [](Int128 value) {
    const bool minus = value < 0;
    auto left = minus ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
    std::string digits;
    do digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(left % 10)));
    while ((left /= 10) != 0);
    return (minus ? "-" : "") + digits;
  };
  std::string nested;
  for (std::size_t i = 0; i < cell.children.size(); ++i) {
    const std::size_t child = type.kind == TypeKind::kList ? 0 : type.kind == TypeKind::kMap ? i % 2 : i;
    nested += (i == 0 ? "" : ",") + Show(type.children[child], cell.children[i]);
  }
  switch (type.kind) {
    case TypeKind::kBoolean: return cell.boolean ? "true" : "false";
    case TypeKind::kInt:
    case TypeKind::kDate: return std::to_string(cell.i32);
    case TypeKind::kBigint:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz: return std::to_string(cell.i64);
    case TypeKind::kDecimal: return wide(cell.i128);
    case TypeKind::kFloat: return fmt::format("{}", cell.f32);
    case TypeKind::kDouble: return fmt::format("{}", cell.f64);
    case TypeKind::kUuid: return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(cell.i128 >> 64), static_cast<std::uint64_t>(cell.i128));
    case TypeKind::kString:
    case TypeKind::kJson:
    case TypeKind::kBinary: return std::string(cell.text);
    case TypeKind::kList:
    case TypeKind::kStruct:
    case TypeKind::kMap: return "[" + nested + "]";
  }
  return "";
}

std::string Read(std::string_view type_text, std::string_view text, Special special, bool json) {
  const DataType type = *ParseDataType(type_text);
  Arena arena;
  Cell cell;
  std::string reason;
  const bool fits = json ? ReadJson(type, text, special, arena, cell, reason) : ReadText(type, text, special, arena, cell, reason);
  return fits ? Show(type, cell) : "misfit: " + reason;
}
std::string Json(std::string_view type, std::string_view token, Special special = Special::kQuarantine) {
  return Read(type, token, special, true);
}
std::string Text(std::string_view type, std::string_view text, Special special = Special::kQuarantine) {
  return Read(type, text, special, false);
}

TEST(Cell, NullIsNullInEveryType) {
  for (const char* type : {"boolean", "int", "bigint", "decimal(9,2)", "float", "double", "string", "binary", "uuid", "date", "time", "timestamp",
                           "timestamptz", "json", "list<int>", "struct<a: int>", "map<string, int>"})
    EXPECT_EQ(Json(type, "null"), "NULL") << type;
}

TEST(Cell, AnEmptyTextIsAValueOfStringOnly) {
  EXPECT_EQ(Json("string", "\"\""), "");
  for (const char* type : {"boolean", "int", "bigint", "decimal(9,2)", "float", "double", "binary", "uuid", "date", "time", "timestamp",
                           "timestamptz", "json"})
    EXPECT_EQ(Text(type, ""), "misfit: is empty") << type;
}

TEST(Cell, Booleans) {
  EXPECT_EQ(Json("boolean", "true"), "true");
  EXPECT_EQ(Json("boolean", "\"TRUE\""), "true");
  EXPECT_EQ(Text("boolean", "f"), "false");
  for (const char* token : {"1", "0", "\"yes\"", "\"1\"", "\"\"", "[]", "\"t\\u0000\"", "tru"})
    EXPECT_THAT(Json("boolean", token), testing::StartsWith("misfit")) << token;
}

TEST(Cell, Integers) {
  EXPECT_EQ(Json("int", "-2147483648"), "-2147483648");
  EXPECT_EQ(Json("int", "2147483648"), "misfit: is out of the range of int");
  EXPECT_EQ(Json("bigint", "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(Json("bigint", "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(Json("bigint", "9223372036854775808"), "misfit: is out of the range of bigint");
  EXPECT_EQ(Json("bigint", "100000000000000000000000000000000000000000000000000000000000000"), "misfit: is out of the range of bigint");
  EXPECT_EQ(Json("int", "1.0"), "1");
  EXPECT_EQ(Json("int", "1e3"), "1000");
  EXPECT_EQ(Json("int", "12.5e1"), "125");
  EXPECT_EQ(Json("int", "1.9"), "misfit: has digits after the point");
  EXPECT_EQ(Json("int", "\"4\""), "4");
  EXPECT_EQ(Text("int", "+007"), "7");
  EXPECT_EQ(Json("int", "true"), "misfit: is not an integer");
  for (const char* text : {"abc", " 1", "1 ", "0x10", "1_000", "--1", "+-1", "1e", "e1", ".", "-", "+", "1,000"})
    EXPECT_EQ(Text("bigint", text), "misfit: is not an integer") << text;
  EXPECT_EQ(Json("int", "1e999999999999999999999"), "misfit: is out of the range of int");
  EXPECT_EQ(Json("int", "0e999999999999999999999"), "0");
  EXPECT_EQ(Json("int", "1e-999999999999999999999"), "misfit: has digits after the point");
}

TEST(Cell, DecimalsAreExactOrMisfits) {
  EXPECT_EQ(Json("decimal(18,2)", "12.5"), "1250");
  EXPECT_EQ(Json("decimal(18,2)", "12.3400000000"), "1234");
  EXPECT_EQ(Json("decimal(18,2)", "12.345"), "misfit: has 3 digits after the point, the column 2");
  EXPECT_EQ(Json("decimal(18,2)", "-0.00"), "0");
  EXPECT_EQ(Json("decimal(38,18)", "12345678901234567890.123456789012345678"), "12345678901234567890123456789012345678");
  EXPECT_EQ(Json("decimal(38,9)", "123456789012345678901234567890.123456789"), "misfit: has 30 digits before the point, the column 29");
  EXPECT_EQ(Json("decimal(38,38)", "-1E-38"), "-1");
  EXPECT_EQ(Json("decimal(38,38)", "1"), "misfit: has 1 digits before the point, the column 0");
  EXPECT_EQ(Json("decimal(38,0)", "99999999999999999999999999999999999999"), "99999999999999999999999999999999999999");
  EXPECT_EQ(Json("decimal(38,0)", "-99999999999999999999999999999999999999"), "-99999999999999999999999999999999999999");
  EXPECT_EQ(Json("decimal(38,0)", "100000000000000000000000000000000000000"), "misfit: has 39 digits before the point, the column 38");
  EXPECT_EQ(Json("decimal(3,1)", "99.9"), "999");
  EXPECT_EQ(Json("decimal(3,1)", "100"), "misfit: has 3 digits before the point, the column 2");
  EXPECT_EQ(Json("decimal(9,4)", "1.25E+2"), "1250000");
  EXPECT_EQ(Json("decimal(38,20)", "999999999999999999"), "99999999999999999900000000000000000000");
  EXPECT_EQ(Json("decimal(38,30)", "999999999999999999"), "misfit: has 18 digits before the point, the column 8");
  EXPECT_EQ(Text("decimal(9,2)", ".5"), "50");
  EXPECT_EQ(Text("decimal(9,2)", "5."), "500");
  EXPECT_EQ(Text("decimal(9,2)", "$1"), "misfit: is not a number");
  EXPECT_EQ(Json("decimal(9,2)", "1" + std::string(100000, '0') + "e-100000"), "100");
}

TEST(Cell, DoublesAreTheNearest) {
  EXPECT_EQ(Json("double", "0.1"), "0.1");
  EXPECT_EQ(Json("double", "4.9e-324"), "5e-324");
  EXPECT_EQ(Json("double", "1.7976931348623157e+308"), "1.7976931348623157e+308");
  EXPECT_EQ(Json("double", "1E400"), "misfit: is out of the range of double");
  EXPECT_EQ(Json("double", "1E-400"), "misfit: is out of the range of double");
  EXPECT_EQ(Json("double", "0.000E-400"), "0");
  EXPECT_EQ(Json("double", "-0.0"), "-0");
  EXPECT_EQ(Json("float", "16777217"), "16777216");
  EXPECT_EQ(Json("float", "1e39"), "misfit: is out of the range of float");
  EXPECT_EQ(Json("float", "1e-60"), "misfit: is out of the range of float");
  EXPECT_EQ(Json("double", "NaN"), "nan");
  EXPECT_EQ(Json("float", "-Infinity"), "-inf");
  EXPECT_EQ(Text("double", "-inf"), "-inf");
  EXPECT_EQ(Text("double", "+1.5"), "1.5");
  for (const char* text : {"1.5x", "nan(1)", "-nan", "0x1p3", "+-1", "1e", ".", "-", "1 ", "infinit"})
    EXPECT_EQ(Text("double", text), "misfit: is not a number") << text;
}

TEST(Cell, ADoubleKeepsItsDigitsOrIsAMisfit) {
  constexpr const char* kLost = "misfit: has more digits than a double keeps";
  EXPECT_EQ(Json("double", "9007199254740992"), "9007199254740992");
  EXPECT_EQ(Json("double", "9007199254740993"), kLost);
  EXPECT_EQ(Json("double", "-9007199254740993"), kLost);
  EXPECT_EQ(Json("double", "1000000000000000000000000"), "1e+24");
  EXPECT_EQ(Json("double", "0.30000000000000004"), "0.30000000000000004");
  EXPECT_EQ(Json("double", "0.12345678901234567"), "0.12345678901234566");
  EXPECT_EQ(Json("double", "0.1000000000000000055511151231257827021181583404541015625"), "0.1");
  EXPECT_EQ(Json("double", "0.1000000000000000055511151231"), "0.1");
  EXPECT_EQ(Json("double", "0.1000000000000000055511151232"), kLost);
  EXPECT_EQ(Json("double", "0.1000000000000000000000000"), "0.1");
  EXPECT_EQ(Json("double", "-1.100000000000000088817841970012523233890533447265625E-0"), "-1.1");
  EXPECT_EQ(Json("double", "123456789012345678901234567890.123456789"), kLost);
  EXPECT_EQ(Json("double", "1." + std::string(100000, '1')), kLost);
}

TEST(Cell, AStringColumnTakesTheSourcesOwnText) {
  EXPECT_EQ(Json("string", R"("a\u00e9\n")"), "aé\n");
  EXPECT_EQ(Json("string", "12.3400000000"), "12.3400000000");
  EXPECT_EQ(Json("string", R"({"a": [1, NaN]})"), R"({"a": [1, NaN]})");
  EXPECT_EQ(Json("string", "true"), "true");
  EXPECT_EQ(Json("string", R"("\ud800")"), "misfit: has half of a surrogate pair");
}

TEST(Cell, JsonIsKeptAsWritten) {
  EXPECT_EQ(Json("json", R"({"b" : 1.0, "a":[1e400]})"), R"({"b" : 1.0, "a":[1e400]})");
  EXPECT_EQ(Json("json", R"("text")"), R"("text")");
  EXPECT_EQ(Json("json", R"([NaN])"), "misfit: is not JSON");
  EXPECT_EQ(Text("json", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(Text("json", "a"), "misfit: is not JSON");
}

TEST(Cell, BinaryIsPostgresHex) {
  EXPECT_EQ(Json("binary", R"("\\x6a4B")"), "jK");
  EXPECT_EQ(Json("binary", R"("\\x")"), "");
  for (const char* token : {R"("\\x6")", R"("\\xzz")", R"("amo=")", "1"}) EXPECT_THAT(Json("binary", token), testing::StartsWith("misfit")) << token;
}

TEST(Cell, Uuids) {
  EXPECT_EQ(Text("uuid", "A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11"), "a0eebc999c0b4ef8bb6d6bb9bd380a11");
  EXPECT_EQ(Text("uuid", "a0eebc999c0b4ef8bb6d6bb9bd380a11"), "a0eebc999c0b4ef8bb6d6bb9bd380a11");
  for (const char* text : {"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc999-c0b-4ef8-bb6d-6bb9bd380a11",
                           "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"})
    EXPECT_EQ(Text("uuid", text), "misfit: is not a UUID") << text;
}

TEST(Cell, Dates) {
  EXPECT_EQ(Text("date", "1970-01-01"), "0");
  EXPECT_EQ(Text("date", "2024-02-29"), "19782");
  EXPECT_EQ(Text("date", "0001-01-01"), "-719162");
  EXPECT_EQ(Text("date", "9999-12-31"), "2932896");
  EXPECT_EQ(Text("date", "0044-03-15 BC"), "-735160");
  EXPECT_EQ(Text("date", "0044-03-15 (BC)"), "-735160");
  EXPECT_EQ(Text("date", "-0043-03-15"), "-735160");
  EXPECT_EQ(Text("date", "+12024-01-01"), Text("date", "12024-01-01"));
  EXPECT_EQ(Json("date", "\"2024-01-01T00:00:00+00:00\""), "19723");
  EXPECT_EQ(Text("date", "2024-01-01 00:00:00.000"), "19723");
  EXPECT_EQ(Text("date", "5881580-07-10"), "2147483646");
  EXPECT_EQ(Text("date", "5881580-07-11"), "misfit: is out of the range of date");
  EXPECT_EQ(Text("date", "2024-01-01T00:00:01"), "misfit: has a time of day that is not midnight");
  EXPECT_EQ(Text("date", "2024-01-01T00:00:00+02"), "misfit: has a time zone that is not UTC");
  EXPECT_EQ(Text("date", "2024-02-30"), "misfit: is no day of the calendar");
  EXPECT_EQ(Text("date", "2023-02-29"), "misfit: is no day of the calendar");
  EXPECT_EQ(Text("date", "2024-00-01"), "misfit: is no day of the calendar");
  EXPECT_EQ(Text("date", "0000-00-00"), "misfit: is no day of the calendar");
  EXPECT_EQ(Text("date", "-0044-03-15 BC"), "misfit: has a sign or the year 0 beside BC");
  for (const char* text : {"2024-1-1", "24-01-01", "20240101", "2024/01/01", "2024-01-01x", "2024-01-01 ", "2024-01-011", "not a date", "today",
                           "2024-01-01T", "99999999999-01-01"})
    EXPECT_EQ(Text("date", text), "misfit: is not a date") << text;
  EXPECT_EQ(Json("date", "19723"), "misfit: is not text");
}

TEST(Cell, Times) {
  EXPECT_EQ(Text("time", "10:00"), "36000000000");
  EXPECT_EQ(Text("time", "23:59:59.999999"), "86399999999");
  EXPECT_EQ(Text("time", "00:00:00.1"), "100000");
  EXPECT_EQ(Text("time", "00:00:00.1234560000"), "123456");
  EXPECT_EQ(Text("time", "00:00:00.1234567"), "misfit: is finer than a microsecond");
  EXPECT_EQ(Text("time", "10:00:00Z"), "36000000000");
  EXPECT_EQ(Text("time", "10:00:00+05:30"), "misfit: has a time zone that is not UTC");
  EXPECT_EQ(Text("time", "23:59:60"), "misfit: is a leap second");
  EXPECT_EQ(Text("time", "25:00:00"), "misfit: is no time of the day");
  EXPECT_EQ(Text("time", "24:00:00"), "misfit: is 24:00");
  EXPECT_EQ(Text("time", "24:00:00", Special::kNull), "NULL");
  EXPECT_EQ(Text("time", "24:00:00", Special::kClamp), "86399999999");
  EXPECT_EQ(Text("time", "24:00:00.000001", Special::kClamp), "misfit: is no time of the day");
  for (const char* text : {"1:00", "10", "10:0", "10:00:", "10:00:00.", "10:00 pm", "100:00"}) EXPECT_EQ(Text("time", text), "misfit: is not a time") << text;
}

TEST(Cell, Timestamps) {
  EXPECT_EQ(Text("timestamp", "1970-01-01 00:00:01"), "1000000");
  EXPECT_EQ(Text("timestamp", "2024-01-01"), "1704067200000000");
  EXPECT_EQ(Text("timestamp", "2024-01-01T10:00:00.5Z"), "1704103200500000");
  EXPECT_EQ(Text("timestamp", "2024-01-01 10:00:00+00"), "1704103200000000");
  EXPECT_EQ(Text("timestamp", "2024-01-01 10:00:00+02"), "misfit: has a time zone that is not UTC");
  EXPECT_EQ(Text("timestamp", "0044-03-15 10:00:00 BC"), Text("timestamp", "-0043-03-15T10:00:00"));
  EXPECT_EQ(Text("timestamp", "0044-03-15 (BC) 10:00:00"), Text("timestamp", "-0043-03-15T10:00:00"));
  EXPECT_EQ(Text("timestamp", "294247-01-10 04:00:54.775806"), "9223372036854775806");
  EXPECT_EQ(Text("timestamp", "294247-01-10 04:00:54.775807"), "misfit: is out of the range of timestamp");
  EXPECT_EQ(Text("timestamp", "290309-12-22 (BC) 00:00:00"), "-9223372022400000000");
  EXPECT_EQ(Text("timestamp", "290309-12-21 (BC) 23:59:59"), "misfit: is out of the range of timestamp");
  EXPECT_EQ(Text("timestamp", "2024-01-01 24:00:00"), "misfit: has the hour 24");
  EXPECT_EQ(Text("timestamp", "2024-12-31 23:59:60"), "misfit: is a leap second");
  EXPECT_EQ(Text("timestamptz", "2024-01-01 10:00:00+02"), "1704096000000000");
  EXPECT_EQ(Text("timestamptz", "2024-01-01T10:00:00-0230"), "1704112200000000");
  EXPECT_EQ(Text("timestamptz", "0044-03-15 10:00:00+00 BC"), Text("timestamptz", "-0043-03-15T10:00:00Z"));
  EXPECT_EQ(Text("timestamptz", "1800-01-01 00:00:00+00:57:44"), "-5364665864000000");
  EXPECT_EQ(Text("timestamptz", "2024-01-01 10:00:00"), "misfit: has no time zone");
  EXPECT_EQ(Text("timestamptz", "2024-01-01"), "misfit: has no time zone");
  EXPECT_EQ(Text("timestamptz", "2024-01-01 10:00:00+2"), "misfit: has a time zone that is none");
  EXPECT_EQ(Text("timestamptz", "not a date"), "misfit: is not a timestamp");
}

TEST(Cell, SpecialValuesDoAsTheyAreTold) {
  EXPECT_EQ(Json("date", "\"infinity\""), "misfit: is infinity");
  EXPECT_EQ(Json("date", "\"infinity\"", Special::kNull), "NULL");
  EXPECT_EQ(Json("date", "\"infinity\"", Special::kClamp), Text("date", "9999-12-31"));
  EXPECT_EQ(Json("timestamp", "\"infinity\"", Special::kClamp), Text("timestamp", "9999-12-31 23:59:59.999999"));
  EXPECT_EQ(Json("timestamptz", "\"-infinity\"", Special::kClamp), Text("timestamptz", "0001-01-01 00:00:00Z"));
  EXPECT_EQ(Json("decimal(5,2)", "NaN"), "misfit: is NaN");
  EXPECT_EQ(Json("decimal(5,2)", "NaN", Special::kNull), "NULL");
  EXPECT_EQ(Json("decimal(5,2)", "NaN", Special::kClamp), "misfit: is NaN");
  EXPECT_EQ(Json("decimal(5,2)", "-Infinity", Special::kClamp), "-99999");
  EXPECT_EQ(Json("decimal(38,0)", "Infinity", Special::kClamp), "99999999999999999999999999999999999999");
  EXPECT_EQ(Json("int", "Infinity", Special::kClamp), "2147483647");
  EXPECT_EQ(Json("date", "NaN", Special::kNull), "NULL");
  EXPECT_EQ(Json("date", "NaN"), "misfit: is NaN");
}

TEST(Cell, ListsAndStructs) {
  EXPECT_EQ(Json("list<int>", "[1, null, 3]"), "[1,NULL,3]");
  EXPECT_EQ(Json("list<int>", "[]"), "[]");
  EXPECT_EQ(Json("list<list<string>>", R"([["a"],[],null,["b","c\n"]])"), "[[a],[],NULL,[b,c\n]]");
  EXPECT_EQ(Json("list<int>", "[1, 2.5]"), "misfit: element 2 has digits after the point");
  EXPECT_EQ(Json("list<int>", "\"[1]\""), "misfit: is not an array");
  EXPECT_EQ(Json("list<int>", "{}"), "misfit: is not an array");
  EXPECT_EQ(Json("list<int>", "[1,]"), "misfit: is not an array");
  EXPECT_EQ(Json("list<int>", "[1] 2"), "misfit: is not an array");
  EXPECT_EQ(Json("struct<a: int, \"b \"\"c\": decimal(9,2)>", R"({"b \"c":1.5,"a":1})"), "[1,150]");
  EXPECT_EQ(Json("struct<a: int, b: int>", R"({"b":2})"), "[NULL,2]");
  EXPECT_EQ(Json("struct<a: int>", R"({"a":1,"a":2})"), "[2]");
  EXPECT_EQ(Json("struct<a: int>", R"({"a":1,"z":2})"), "misfit: has a field \"z\" that the column's struct lacks");
  EXPECT_EQ(Json("struct<a: struct<b: int>>", R"({"a":{"b":"x"}})"), "misfit: field \"a\" field \"b\" is not an integer");
}

TEST(Cell, Maps) {
  EXPECT_EQ(Json("map<string, int>", R"({"a":1,"b":null,"a":3})"), "[a,3,b,NULL]");
  EXPECT_EQ(Json("map<int, string>", R"({"1":"x","01":"y"})"), "[1,y]");
  EXPECT_EQ(Json("map<int, string>", R"({"x":"x"})"), "misfit: a key is not an integer");
  EXPECT_EQ(Json("map<date, int>", R"({"infinity":1})", Special::kNull), "misfit: a key is NULL");
  EXPECT_EQ(Json("map<string, int>", "[]"), "misfit: is not an object");
}

TEST(Cell, AMapOfManyKeysKeepsTheLastOfEach) {
  std::string token = "{";
  for (int i = 0; i < 50000; ++i) token += fmt::format("\"{}\":{},", i % 25000, i);
  token.back() = '}';
  const DataType type = *ParseDataType("map<int, int>");
  Arena arena;
  Cell cell;
  std::string reason;
  ASSERT_TRUE(ReadJson(type, token, Special::kQuarantine, arena, cell, reason)) << reason;
  ASSERT_EQ(cell.children.size(), 50000u);
  for (std::size_t i = 0; i < 25000; ++i) {
    ASSERT_EQ(cell.children[2 * i].i32, static_cast<int>(i));
    ASSERT_EQ(cell.children[2 * i + 1].i32, static_cast<int>(i) + 25000);
  }
}

}  // namespace
}  // namespace nano::wire
