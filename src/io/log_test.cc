// SPDX-License-Identifier: Apache-2.0
#include "io/log.h"

#include <gtest/gtest.h>

namespace nano::io {
namespace {

constexpr std::int64_t kTime = 1'709'210'096'789'012;   // 2024-02-29 12:34:56.789012

TEST(LogLineTest, TextIsOneLineWhateverItSays) {
  EXPECT_EQ(LogLine(LogForm::kText, kTime, LogLevel::kInfo, "landed\nmore", {{"source", "shop_db"}, {"rows", std::int64_t{12}}, {"reason", "it \"broke\"\nhere"}}),
            "2024-02-29T12:34:56.789Z info    landed more source=shop_db rows=12 reason=\"it \\\"broke\\\"\\nhere\"");
}

TEST(LogLineTest, JsonIsAnObjectWithWhatIsKnown) {
  EXPECT_EQ(LogLine(LogForm::kJson, kTime, LogLevel::kWarning, "slow", {{"seconds", 1.5}, {"source", "a\xff"}}),
            "{\"time\":\"2024-02-29T12:34:56.789Z\",\"level\":\"warning\",\"message\":\"slow\",\"seconds\":1.5,\"source\":\"a\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace nano::io
