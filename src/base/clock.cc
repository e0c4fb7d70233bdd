// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace nano {
namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t now_micros() override {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  Steady steady() override { return std::chrono::steady_clock::now(); }
  void Sleep(std::chrono::nanoseconds time, const std::stop_token& stop) override {
    if (!stop.stop_possible()) return std::this_thread::sleep_for(time);
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any woken;
    woken.wait_for(lock, stop, time, [] { return false; });
  }
};

SystemClock g_system;
std::atomic<Clock*> g_clock{&g_system};

}  // namespace

Clock& TheClock() { return *g_clock.load(std::memory_order_acquire); }
void ReplaceClock(Clock* clock) { g_clock.store(clock != nullptr ? clock : &g_system, std::memory_order_release); }

}  // namespace nano
