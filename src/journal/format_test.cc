// SPDX-License-Identifier: Apache-2.0
#include "journal/format.h"

#include <gtest/gtest.h>

#include <random>

#include "journal/schema_split.h"

namespace nano::journal {
namespace {

TEST(FormatTest, ASegmentHeaderIsReadBackAndAnyOtherBitIsDamage) {
  const std::string bytes = EncodeSegmentHeader({"shop ü \"x\"", {42}, 7});
  const auto decoded = DecodeSegmentHeader(bytes + "frames");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->header.source, "shop ü \"x\"");
  EXPECT_EQ(decoded->header.first.value, 42U);
  EXPECT_EQ(decoded->size, bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(DecodeSegmentHeader(std::string_view(bytes).substr(0, i))) << "cut at " << i;
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      EXPECT_FALSE(DecodeSegmentHeader(damaged)) << i;
    }
  }
}

TEST(FormatTest, ANewerFormatIsNamed) {
  std::string bytes = EncodeSegmentHeader({"s", {0}, 0});
  bytes[8] = 2;
  const auto decoded = DecodeSegmentHeader(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Code::kUnsupported);
}

TEST(FormatTest, AFrameHeaderIsReadBackWithItsSegmentsSeedOnly) {
  const FrameHeader header{FrameType::kBlock, 100, 900, 3, 1ULL << 60, 0xABCDEF01};
  std::string bytes(kFrameHeader, 0);
  EncodeFrameHeader(header, 5, bytes.data());
  const auto decoded = DecodeFrameHeader(bytes, 5);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->position, 1ULL << 60);
  EXPECT_EQ(decoded->raw, 900U);
  EXPECT_FALSE(DecodeFrameHeader(bytes, 6));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] + 1);
    EXPECT_FALSE(DecodeFrameHeader(damaged, 5)) << i;
  }
}

TEST(FormatTest, SegmentNamesSortAsTheirPositions) {
  EXPECT_EQ(SegmentName({0}), "00000000000000000000.nhj");
  EXPECT_EQ(ParseSegmentName(SegmentName({~0ULL}))->value, ~0ULL);
  for (const char* other : {"", "x.nhj", "0000000000000000000x.nhj", "-0000000000000000001.nhj", "00000000000000000000.nhj.tmp", "99999999999999999999.nhj"}) {
    EXPECT_FALSE(ParseSegmentName(other)) << other;
  }
}

TEST(FormatTest, NumbersOfVaryingLengthAreReadBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const std::uint64_t value = random() >> (random() % 64);
    char bytes[kMaxVarint];
    const char* const end = PutVarint(bytes, value);
    const char* at = bytes;
    std::uint64_t read = 0;
    ASSERT_TRUE(GetVarint(at, end, read));
    ASSERT_EQ(read, value);
    ASSERT_EQ(at, end);
    at = bytes;
    ASSERT_FALSE(GetVarint(at, end - 1, read));
    ASSERT_EQ(UnZigZag(ZigZag(value)), value);
  }
  const char* at = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";   // 65 bits
  std::uint64_t read = 0;
  EXPECT_FALSE(GetVarint(at, at + 10, read));
}

TEST(InlineSchemaTest, ItEndsWhereItsBracesAreBalanced) {
  const auto schema = [](std::string_view message) { return message.substr(0, InlineSchemaEnd(message)); };
  EXPECT_EQ(schema(R"({"schema":{"a":1},"payload":{}})"), R"({"schema":{"a":1})");
  EXPECT_EQ(schema(R"({"schema":{"a":["}\"{",{}]} , "payload":null})"), R"({"schema":{"a":["}\"{",{}]})");
  EXPECT_EQ(schema(R"({"schema":{"a":"\\"},"payload":1})"), R"({"schema":{"a":"\\"})");
  for (const char* other : {"", "{", R"({"schema":)", R"({"schema":{)", R"({"schema":null,"payload":1})", R"({"schema": {"a":1},"payload":1})",
                            R"({"schema":{"a":"},"payload":1})", R"({"schema":{"a":"\)", R"({"payload":1,"schema":{}})", R"([{"schema":{}}])"}) {
    EXPECT_EQ(InlineSchemaEnd(other), 0U) << other;
  }
}

}  // namespace
}  // namespace nano::journal
