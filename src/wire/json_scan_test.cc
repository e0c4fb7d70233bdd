// SPDX-License-Identifier: Apache-2.0
#include "wire/json_scan.h"

#include <gmock/gmock.h>

#include <cstring>
#include <functional>
#include <memory>
#include <random>

#include "wire/cell.h"

namespace nano::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using namespace std::string_view_literals;

std::vector<std::pair<std::string, std::string>> Members(std::string_view text) {
  ObjectScanner scanner(text);
  std::vector<std::pair<std::string, std::string>> members;
  std::string_view key, value;
  while (scanner.Next(key, value)) members.emplace_back(key, value);
  if (!scanner.complete()) members.emplace_back("broken", "");
  return members;
}

TEST(JsonScan, AnObjectGivesItsMembersAsWritten) {
  EXPECT_THAT(Members(R"( {"a" : 1.50, "b":"x\"}", "a":[{"c":[]}, {}], "d":NaN,"e":-Infinity} tail)"),
              ElementsAre(Pair("\"a\"", "1.50"), Pair("\"b\"", R"("x\"}")"), Pair("\"a\"", R"([{"c":[]}, {}])"), Pair("\"d\"", "NaN"),
                          Pair("\"e\"", "-Infinity")));
  EXPECT_THAT(Members("{ }"), ElementsAre());
}

TEST(JsonScan, WhatFollowsAnObjectIsLeft) {
  ObjectScanner scanner(R"({"a":1}, "b":2})");
  std::string_view key, value;
  while (scanner.Next(key, value)) {}
  EXPECT_TRUE(scanner.complete());
  EXPECT_EQ(scanner.rest(), R"(, "b":2})");
}

TEST(JsonScan, ABrokenObjectIsNotComplete) {
  for (const char* text : {"", "[", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}",
                           "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":\"x}", "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12\"}", "{\"a\":[1,]}", "{\"a\":[1}}", "{\"a\":{]}", "{\"a\":nul}", "{\"a\":\"\n\"}", "{\"a\":nan}"}) {
    const auto members = Members(text);
    ASSERT_FALSE(members.empty()) << text;
    EXPECT_EQ(members.back().first, "broken") << text;
  }
}

TEST(JsonScan, NestingEndsAtALimit) {
  const std::string fits = std::string(kDeepestScan, '[') + std::string(kDeepestScan, ']');
  EXPECT_TRUE(IsJson(fits, Bare::kRefused));
  EXPECT_FALSE(IsJson(fmt::format("[{}]", fits), Bare::kRefused));
  EXPECT_FALSE(IsJson(std::string(1 << 20, '['), Bare::kRefused));
  EXPECT_FALSE(IsJson(fmt::format("{:[>1023}{{]{:]>1023}", "", ""), Bare::kRefused));
}

TEST(JsonScan, BareWordsCountOnlyWhereTheyAreTaken) {
  EXPECT_TRUE(IsJson(" [NaN,Infinity,-Infinity] ", Bare::kTaken));
  for (const char* text : {"NaN", "Infinity", "-Infinity", "[1,NaN]"}) EXPECT_FALSE(IsJson(text, Bare::kRefused)) << text;
}

TEST(JsonScan, AnArrayGivesItsElements) {
  ArrayScanner scanner(R"([1, "a]", [2,[3]], {"x":[]} ])");
  std::vector<std::string> elements;
  std::string_view value;
  while (scanner.Next(value)) elements.emplace_back(value);
  EXPECT_TRUE(scanner.complete());
  EXPECT_THAT(elements, ElementsAre("1", "\"a]\"", "[2,[3]]", "{\"x\":[]}"));
}

/// Whatever is cut off or changed, nothing outside is read: each text is in a buffer of just its size.
TEST(JsonScan, DamagedTextsAreSurvived) {
  const std::string whole = R"({"a":1.5e-3,"b":"\u00e9\ud83d\ude00 long enough for a block of bytes","c":[true,false,null,{"d":{}}],"e":NaN})";
  std::mt19937 random(7);
  Arena arena;
  for (int i = 0; i < 20000; ++i) {
    std::vector<char> bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(random() % (whole.size() + 1)));
    bytes.shrink_to_fit();
    for (auto k = random() % 3; k > 0 && !bytes.empty(); --k)
      bytes[random() % bytes.size()] = "{}[]\",:\\ux0e-\x01\xff"[random() % 16];
    const std::string_view text(bytes.data(), bytes.size());
    ObjectScanner scanner(text);
    std::string_view key, value;
    while (scanner.Next(key, value)) {
      std::string_view name;
      static_cast<void>(Unescape(key, arena, name));
      EXPECT_TRUE(IsJson(value, Bare::kTaken));
    }
  }
}

TEST(JsonScan, BracketsEndWhereTheValueDoes) {
  std::mt19937 random(5);
  const auto any = [&](std::size_t n) { return random() % n; };
  const std::string_view pieces[] = {R"("")", R"("a\"}]b")", R"("\\")", R"("\\\"")", "1.5e3", "null", R"("ß{[“")", R"("long long long long long long long long long long text")"};
  const std::function<std::string(int)> make = [&](int depth) {
    std::string text;
    const bool object = any(2) == 0;
    for (std::size_t n = any(6); n > 0; --n) {
      if (!text.empty()) text += any(3) == 0 ? " , " : ",";
      if (object) text += std::string(pieces[any(4)]) + ":";
      text += depth > 0 && any(3) == 0 ? make(depth - 1) : std::string(pieces[any(std::size(pieces))]);
    }
    return object ? "{" + text + "}" : "[" + text + "]";
  };
  for (int round = 0; round < 3000; ++round) {
    const std::string value = make(4), text = value + (any(2) == 0 ? R"(,"more":{})" : "");
    const std::unique_ptr<char[]> exact(new char[text.size()]);   // a read past its end is seen
    std::memcpy(exact.get(), text.data(), text.size());
    ASSERT_EQ(SkipBrackets(exact.get(), exact.get() + text.size()), exact.get() + value.size()) << text;
    ASSERT_EQ(SkipValue(exact.get(), exact.get() + text.size(), Bare::kTaken), exact.get() + value.size()) << text;
    ASSERT_EQ(SkipBrackets(exact.get(), exact.get() + any(value.size())), nullptr) << text;
  }
}

TEST(JsonString, EscapesBecomeText) {
  Arena arena;
  std::string_view out;
  ASSERT_TRUE(Unescape(R"("plain")", arena, out));
  EXPECT_EQ(out, "plain");
  ASSERT_TRUE(Unescape(R"("\"\\\/\b\f\n\r\t \u00e9 \u65e5 \ud83d\ude00 \u0000!")", arena, out));
  EXPECT_EQ(out, "\"\\/\b\f\n\r\t é 日 😀 \0!"sv);
  ASSERT_TRUE(Unescape("\"\"", arena, out));
  EXPECT_EQ(out, "");
}

TEST(JsonString, HalfAPairAndBadEscapesAreRefused) {
  Arena arena;
  std::string_view out;
  for (const char* token : {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\ud83d\u0041")", R"("\x")", R"("\u12")", R"("a"b")", "\"", "", "x",
                            "\"\\\"", "\"\n\""})
    EXPECT_FALSE(Unescape(token, arena, out)) << token;
}

TEST(JsonString, WhatIsEscapedReadsBack) {
  std::mt19937 random(3);
  Arena arena;
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (auto k = random() % 40; k > 0; --k) {
      static constexpr std::array<std::string_view, 8> kPieces{"a", "\"", "\\", "\n", "é", "😀", {"\0", 1}, "\x1f"};
      text += kPieces[random() % kPieces.size()];
    }
    const std::string token = Escape(text);
    EXPECT_TRUE(IsJson(token, Bare::kRefused));
    std::string_view out;
    ASSERT_TRUE(Unescape(token, arena, out)) << token;
    EXPECT_EQ(out, text);
  }
}

}  // namespace
}  // namespace nano::wire
