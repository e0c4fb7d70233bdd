// SPDX-License-Identifier: Apache-2.0
#include "app/progress.h"

#include <gtest/gtest.h>

namespace nano::app {
namespace {

using std::chrono::duration;

TEST(ProgressTest, SaysRateAndTimeLeftWhereTheEndIsKnown) {
  EXPECT_EQ(ProgressText({.label = "shop", .rows = 1234567, .bytes = 100'000'000, .total_bytes = 400'000'000, .unit = "records"},
                         duration<double>(10), {}),
            "shop   25 %  100 MB of 400 MB  1,234,567 records  10 MB/s  30 s left");
}

TEST(ProgressTest, SaysNoTimeLeftWhereTheEndIsUnknown) {
  EXPECT_EQ(ProgressText({.label = "tap", .rows = 10, .bytes = 2000, .total_bytes = {}, .unit = "records"}, duration<double>(2), {}),
            "tap  2.0 kB  10 records  1.0 kB/s");
}

TEST(ProgressTest, AFileThatGrewMeanwhileStaysAtAHundredPercent) {
  EXPECT_EQ(ProgressText({.label = "f", .rows = 1, .bytes = 20, .total_bytes = 10, .unit = "records"}, duration<double>(0), {}),
            "f  100 %  20 bytes of 10 bytes  1 records");
}

TEST(ProgressTest, FitsTheTerminal) {
  Terminal narrow;
  narrow.width = 20;
  EXPECT_EQ(ProgressText({.label = "a-long-name-of-a-source", .rows = 1, .bytes = 0, .total_bytes = {}, .unit = "records"}, duration<double>(0), narrow),
            "a-long-name-of-a-s…");
}

TEST(ProgressTest, QuantitiesReadWell) {
  EXPECT_EQ(BytesText(999), "999 bytes");
  EXPECT_EQ(BytesText(999'600), "1.0 MB");
  EXPECT_EQ(BytesText(18'446'744'073'709'551'615u), "18 EB");
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(1000), "1,000");
  EXPECT_EQ(TimeText(duration<double>(0.04)), "0.0 s");
  EXPECT_EQ(TimeText(duration<double>(59.6)), "1 min 00 s");
  EXPECT_EQ(TimeText(duration<double>(4320)), "1 h 12 min");
}

}  // namespace
}  // namespace nano::app
