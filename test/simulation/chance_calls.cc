// SPDX-License-Identifier: Apache-2.0
#include "chance_calls.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <random>

namespace nano::simulation {
namespace {

Chance* g_chance = nullptr;

}  // namespace

Chance::Chance(Draw from, Clock& of) : draw(from), clock(of) { g_chance = this; }
Chance::~Chance() { g_chance = nullptr; }

}  // namespace nano::simulation

using nano::simulation::g_chance;   // of this file

/// Of libstdc++: the header has no definition, the library's is put aside by this one.
std::random_device::result_type std::random_device::_M_getval() {
  if (g_chance != nullptr) return static_cast<result_type>(g_chance->draw.Next());
  result_type value = 0;
  (void)!::syscall(SYS_getrandom, &value, sizeof value, 0);
  return value;
}

extern "C" {

int RAND_bytes(unsigned char* bytes, int count) {
  if (g_chance == nullptr) return ::syscall(SYS_getrandom, bytes, count, 0) == count ? 1 : 0;
  for (int n = 0; n < count; ++n) bytes[n] = static_cast<unsigned char>(g_chance->draw.Next());
  return 1;
}

int clock_gettime(clockid_t clock, struct timespec* time) noexcept {
  static const auto real = reinterpret_cast<int (*)(clockid_t, struct timespec*)>(::dlsym(RTLD_NEXT, "clock_gettime"));
  if (g_chance == nullptr || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return real(clock, time);
  const std::int64_t micros = g_chance->clock.now_micros();
  *time = {micros / 1'000'000, micros % 1'000'000 * 1000};
  return 0;
}

int gettimeofday(struct timeval* time, void*) noexcept {
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

}  // extern "C"
