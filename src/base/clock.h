// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The time. There is one clock, the system's, unless a simulation has put its own in its place: what is asked for the time lies
/// too deep to be handed one. Any thread.

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace nano {

class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  /// µs since 1970, UTC. Somebody may set it, forwards or back.
  virtual std::int64_t now_micros() = 0;
  /// Of a clock that nobody sets; for how long something took or may take.
  virtual Steady steady() = 0;
  /// Ends early when `stop` is asked for.
  virtual void Sleep(std::chrono::nanoseconds time, const std::stop_token& stop) = 0;
};

Clock& TheClock();
/// Puts another in its place; null: the system's again. For a simulation, while nothing else runs.
void ReplaceClock(Clock* clock);

/// µs since 1970, UTC.
inline std::int64_t NowMicros() { return TheClock().now_micros(); }
inline Clock::Steady NowSteady() { return TheClock().steady(); }
inline void SleepFor(std::chrono::nanoseconds time, const std::stop_token& stop = {}) { TheClock().Sleep(time, stop); }

}  // namespace nano
