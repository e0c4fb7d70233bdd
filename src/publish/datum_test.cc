// SPDX-License-Identifier: Apache-2.0
#include "publish/datum.h"

#include <gtest/gtest.h>

namespace nano::publish {
namespace {

using Kind = IcebergType::Kind;

IcebergType Of(Kind kind) { return {kind, 0, 0, {}}; }
IcebergType Decimal(int precision, int scale) { return {Kind::kDecimal, precision, scale, {}}; }

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

/// The single-value bytes of a text, in hex; "-" where it is no value.
std::string Value(const IcebergType& type, std::string_view text) {
  const auto datum = ParseDatum(type, text);
  return datum ? Hex(SingleValue(type, *datum)) : "-";
}

TEST(DatumTest, IntegersAreLittleEndian) {
  EXPECT_EQ(Value(Of(Kind::kInt), "-2147483648"), "00000080");
  EXPECT_EQ(Value(Of(Kind::kInt), "34"), "22000000");
  EXPECT_EQ(Value(Of(Kind::kInt), "2147483648"), "-");
  EXPECT_EQ(Value(Of(Kind::kLong), "-9223372036854775808"), "0000000000000080");
  EXPECT_EQ(Value(Of(Kind::kLong), "34"), "2200000000000000");
  EXPECT_EQ(Value(Of(Kind::kLong), "9223372036854775808"), "-");
  EXPECT_EQ(Value(Of(Kind::kLong), "1x"), "-");
  EXPECT_EQ(Value(Of(Kind::kLong), ""), "-");
}

TEST(DatumTest, BooleansAreOneByte) {
  EXPECT_EQ(Value(Of(Kind::kBoolean), "true"), "01");
  EXPECT_EQ(Value(Of(Kind::kBoolean), "0"), "00");
  EXPECT_EQ(Value(Of(Kind::kBoolean), "yes"), "-");
}

TEST(DatumTest, DecimalsAreTheLeastBigEndianBytes) {
  EXPECT_EQ(Value(Decimal(9, 2), "1.28"), "0080");
  EXPECT_EQ(Value(Decimal(9, 2), "-1.28"), "80");
  EXPECT_EQ(Value(Decimal(9, 2), "0.00"), "00");
  EXPECT_EQ(Value(Decimal(9, 2), "-0.01"), "ff");
  EXPECT_EQ(Value(Decimal(9, 0), "256"), "0100");
  EXPECT_EQ(Value(Decimal(38, 0), "99999999999999999999999999999999999999"), "4b3b4ca85a86c47a098a223fffffffff");
  EXPECT_EQ(Value(Decimal(38, 38), "-0.99999999999999999999999999999999999999"), "b4c4b357a5793b85f675ddc000000001");
  EXPECT_EQ(Value(Decimal(9, 2), "1.2"), "-");
  EXPECT_EQ(Value(Decimal(3, 2), "12.34"), "-");
  EXPECT_EQ(Value(Decimal(9, 2), "1.2.3"), "-");
  EXPECT_EQ(Value(Decimal(9, 0), "-"), "-");
}

TEST(DatumTest, TimesCountFrom1970) {
  EXPECT_EQ(Value(Of(Kind::kDate), "1970-01-01"), "00000000");
  EXPECT_EQ(Value(Of(Kind::kDate), "1969-12-31"), "ffffffff");
  EXPECT_EQ(Value(Of(Kind::kDate), "2017-11-16"), "4e440000");                      // 17,486 days
  EXPECT_EQ(Value(Of(Kind::kDate), "0001-01-01"), Value(Of(Kind::kInt), "-719162"));
  EXPECT_EQ(Value(Of(Kind::kDate), "5881580-07-10"), Value(Of(Kind::kInt), "2147483646"));
  EXPECT_EQ(Value(Of(Kind::kDate), "2000-02-29"), Value(Of(Kind::kInt), "11016"));
  EXPECT_EQ(Value(Of(Kind::kTimestamp), "1970-01-01 00:00:00"), "0000000000000000");
  EXPECT_EQ(Value(Of(Kind::kTimestamp), "1969-12-31 23:59:59.999999"), "ffffffffffffffff");
  EXPECT_EQ(Value(Of(Kind::kTimestamp), "2020-01-01 00:00:00.5"), Value(Of(Kind::kLong), "1577836800500000"));
  EXPECT_EQ(Value(Of(Kind::kTimestamptz), "2020-01-01 00:00:00.5+00"), Value(Of(Kind::kLong), "1577836800500000"));
  EXPECT_EQ(Value(Of(Kind::kTime), "12:00:01.000001"), Value(Of(Kind::kLong), "43201000001"));
}

TEST(DatumTest, WhatIsNotExactIsNoValue) {
  for (const char* text : {"infinity", "-infinity", "0044-03-15 (BC)", "2020-02-30", "1900-02-29", "2020-1-1", "0000-01-01", "2020-13-01"}) {
    EXPECT_EQ(Value(Of(Kind::kDate), text), "-") << text;
  }
  for (const char* text : {"2020-01-01", "2020-01-01 24:00:00", "2020-01-01 00:00:00.1234567", "2020-01-01 00:00:00+00", "infinity", "2020-01-01 00:00:00."}) {
    EXPECT_EQ(Value(Of(Kind::kTimestamp), text), "-") << text;
  }
  for (const char* text : {"2020-01-01 00:00:00", "2020-01-01 00:00:00+01", "2020-01-01 00:00:00+00:00"}) {
    EXPECT_EQ(Value(Of(Kind::kTimestamptz), text), "-") << text;
  }
  EXPECT_EQ(Value(Of(Kind::kTime), "24:00:00"), "-");
  EXPECT_EQ(Value(Of(Kind::kDouble), "nan"), "-");
  EXPECT_EQ(Value(Of(Kind::kDouble), "inf"), "-");
  EXPECT_EQ(Value(Of(Kind::kBinary), "AB"), "-");
}

TEST(DatumTest, UuidsAreSixteenBytes) {
  EXPECT_EQ(Value(Of(Kind::kUuid), "f79c3e09-677c-4bbd-a479-3f349cb785e7"), "f79c3e09677c4bbda4793f349cb785e7");
  EXPECT_EQ(Value(Of(Kind::kUuid), "f79c3e09677c-4bbd-a479-3f349cb785e7-"), "-");
  EXPECT_EQ(Value(Of(Kind::kUuid), "g79c3e09-677c-4bbd-a479-3f349cb785e7"), "-");
}

TEST(BoundsTest, StringsAreCutToSixteenCodePoints) {
  const auto string = Of(Kind::kString);
  const auto bounds = [&](std::string_view least, std::string_view greatest) {
    const Bounds made = MakeBounds(string, least, greatest);
    return std::pair(made.lower.value_or("-"), made.upper.value_or("-"));
  };
  EXPECT_EQ(bounds("abc", "abc"), std::pair(std::string("abc"), std::string("abc")));
  EXPECT_EQ(bounds("0123456789abcdefg", "0123456789abcdefg").first, "0123456789abcdef");
  EXPECT_EQ(bounds("0123456789abcdefg", "0123456789abcdefg").second, "0123456789abcdeg");
  EXPECT_EQ(bounds("0123456789abcdef", "0123456789abcdef").second, "0123456789abcdef");
  EXPECT_EQ(bounds("a", "žžžžžžžžžžžžžžžžž").second, "žžžžžžžžžžžžžžžſ");
  // The code point before the surrogates is followed by the one after them.
  EXPECT_EQ(bounds("a", "aaaaaaaaaaaaaaa\uD7FFz").second, "aaaaaaaaaaaaaaa\uE000");
  // The last code point has no successor: the one before it is raised; none left, no bound.
  EXPECT_EQ(bounds("a", "aaaaaaaaaaaaaaa\U0010FFFFz").second, "aaaaaaaaaaaaaab");
  std::string last;
  for (int i = 0; i < 17; ++i) last += "\U0010FFFF";
  EXPECT_EQ(bounds("a", last).second, "-");
  // What is no UTF-8 is no bound.
  EXPECT_EQ(bounds("\xFF", "b").first, "-");
  EXPECT_EQ(bounds("a", "\xC3").second, "-");
  EXPECT_EQ(bounds("", "").first, "");
}

TEST(BoundsTest, ZeroIsBothZeros) {
  const Bounds bounds = MakeBounds(Of(Kind::kDouble), "0.0", "-0.0");
  EXPECT_EQ(Hex(*bounds.lower), "0000000000000080");
  EXPECT_EQ(Hex(*bounds.upper), "0000000000000000");
}

TEST(BoundsTest, AWidenedFloatIsWithinItsBounds) {
  const Bounds bounds = MakeBounds(Of(Kind::kDouble), "0.3", "0.1");
  double lower = 0, upper = 0;
  std::memcpy(&lower, bounds.lower->data(), 8);
  std::memcpy(&upper, bounds.upper->data(), 8);
  EXPECT_LE(lower, 0.3);
  EXPECT_LE(lower, double{0.3F});
  EXPECT_GE(upper, 0.1);
  EXPECT_GE(upper, double{0.1F});
}

TEST(BoundsTest, UuidsOfBothHalvesHaveNone) {
  const auto uuid = Of(Kind::kUuid);
  EXPECT_TRUE(MakeBounds(uuid, "00000000-0000-0000-0000-000000000000", "7fffffff-0000-0000-0000-000000000000").upper);
  EXPECT_FALSE(MakeBounds(uuid, "00000000-0000-0000-0000-000000000000", "80000000-0000-0000-0000-000000000000").upper);
}

}  // namespace
}  // namespace nano::publish
