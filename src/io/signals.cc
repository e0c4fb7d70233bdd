// SPDX-License-Identifier: Apache-2.0
#include "io/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace nano::io {
namespace {

std::atomic<int> g_stops{0};
static_assert(std::atomic<int>::is_always_lock_free);

void OnSignal(int signal) {
  const int saved = errno;
  if (g_stops.fetch_add(1, std::memory_order_relaxed) > 0) ::_exit(128 + signal);
  errno = saved;
}

}  // namespace

void CatchStopSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = 0;   // no SA_RESTART: a wait for input must end
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

bool StopRequested() { return g_stops.load(std::memory_order_relaxed) > 0; }

void RequestStop() { g_stops.fetch_add(1, std::memory_order_relaxed); }

}  // namespace nano::io
