// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace nano {
namespace {

using std::chrono::milliseconds;

/// Stands still, but for those who sleep.
class StillClock final : public Clock {
 public:
  std::int64_t now_micros() override { return micros; }
  Steady steady() override { return Steady(std::chrono::microseconds(micros)); }
  void Sleep(std::chrono::nanoseconds time, const std::stop_token&) override { micros += time.count() / 1000; }
  std::int64_t micros = 42;
};

TEST(ClockTest, AnotherCanStandInItsPlace) {
  StillClock still;
  ReplaceClock(&still);
  SleepFor(milliseconds(3'600'000));
  const std::int64_t then = NowMicros();
  const auto steady = NowSteady();
  ReplaceClock(nullptr);
  EXPECT_EQ(then, 3'600'000'042);
  EXPECT_EQ(steady.time_since_epoch(), std::chrono::microseconds(3'600'000'042));
  EXPECT_GT(NowMicros(), then);
}

TEST(ClockTest, ASleepEndsWhenItIsToStop) {
  const auto began = std::chrono::steady_clock::now();
  std::jthread sleeper([](const std::stop_token& stop) { SleepFor(std::chrono::minutes(10), stop); });
  sleeper.request_stop();
  sleeper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::minutes(1));
}

}  // namespace
}  // namespace nano
