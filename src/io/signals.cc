// SPDX-License-Identifier: Apache-2.0
#include "io/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace nano::io {
namespace {

std::atomic<int> g_stops{0};
std::atomic<bool> g_reload{false};
static_assert(std::atomic<int>::is_always_lock_free);

void OnSignal(int signal) {
  const int saved = errno;
  if (g_stops.fetch_add(1, std::memory_order_relaxed) > 0) ::_exit(128 + signal);
  errno = saved;
}

void OnReload(int) { g_reload.store(true, std::memory_order_relaxed); }

void Catch(int signal, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = flags;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void CatchStopSignals() {
  Catch(SIGINT, OnSignal, 0);   // no SA_RESTART: a wait for input must end
  Catch(SIGTERM, OnSignal, 0);
  Catch(SIGPIPE, SIG_IGN, 0);
}

void CatchReloadSignal() { Catch(SIGHUP, OnReload, SA_RESTART); }

bool TakeReloadRequest() { return g_reload.exchange(false, std::memory_order_relaxed); }

bool StopRequested() { return g_stops.load(std::memory_order_relaxed) > 0; }

void RequestStop() { g_stops.fetch_add(1, std::memory_order_relaxed); }

}  // namespace nano::io
