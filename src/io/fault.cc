// SPDX-License-Identifier: Apache-2.0
#include "io/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

namespace nano::io {
namespace {

enum class State : int { kUnread, kIdle, kActive };

struct Plan {
  std::mutex mutex;                  // guards all below
  std::string point;                 // the one that acts; empty: none
  std::uint64_t at_passing = 1, passings = 0;
  bool kill = false, stop = false;
  Fault fault = Fault::kNone;
  std::string log;
  std::set<std::string, std::less<>> logged;
};

std::atomic<State> g_state{State::kUnread};

Plan& ThePlan() {
  static Plan plan;
  return plan;
}

// NANOHOUSE_FAULT is for tests only; what it can't read it must not pass over in silence.
[[noreturn]] void BadSetting(std::string_view text) {
  const std::string message = "NANOHOUSE_FAULT: not <point>[:<n>]=<kill|stop|eio|enospc|short>: " + std::string(text) + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message.data(), message.size());
  ::_exit(2);
}

void ReadSetting(Plan& plan, std::string_view text) {
  const auto equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) BadSetting(text);
  std::string_view point = text.substr(0, equals);
  const std::string_view action = text.substr(equals + 1);
  if (const auto colon = point.rfind(':'); colon != std::string_view::npos) {
    const std::string_view number = point.substr(colon + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), plan.at_passing);
    if (error != std::errc() || end != number.data() + number.size() || plan.at_passing == 0) BadSetting(text);
    point = point.substr(0, colon);
  }
  plan.point = point;
  if (action == "kill") plan.kill = true;
  else if (action == "stop") plan.stop = true;
  else if (action == "eio") plan.fault = Fault::kEio;
  else if (action == "enospc") plan.fault = Fault::kEnospc;
  else if (action == "short") plan.fault = Fault::kShortWrite;
  else BadSetting(text);
}

State Load(Plan& plan) {
  plan.point.clear();
  plan.at_passing = 1;
  plan.passings = 0;
  plan.kill = plan.stop = false;
  plan.fault = Fault::kNone;
  plan.log.clear();
  plan.logged.clear();
  if (const char* text = std::getenv("NANOHOUSE_FAULT"); text != nullptr && *text != 0) ReadSetting(plan, text);
  if (const char* log = std::getenv("NANOHOUSE_FAULT_LOG"); log != nullptr) plan.log = log;
  return plan.point.empty() && plan.log.empty() ? State::kIdle : State::kActive;
}

void Log(Plan& plan, std::string_view point) {
  if (plan.log.empty() || plan.logged.contains(point)) return;
  plan.logged.emplace(point);
  const int fd = ::open(plan.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  const std::string line = std::string(point) + "\n";
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
  ::close(fd);
}

}  // namespace

Fault PassPoint(std::string_view point) {
  const State state = g_state.load(std::memory_order_acquire);
  if (state == State::kIdle) [[likely]] return Fault::kNone;
  Plan& plan = ThePlan();
  const std::lock_guard lock(plan.mutex);
  if (g_state.load(std::memory_order_relaxed) == State::kUnread) g_state.store(Load(plan), std::memory_order_release);
  if (g_state.load(std::memory_order_relaxed) == State::kIdle) return Fault::kNone;
  Log(plan, point);
  if (point != plan.point || ++plan.passings != plan.at_passing) return Fault::kNone;
  Log(plan, std::string(point) + "!");
  if (plan.stop) ::kill(::getpid(), SIGSTOP);
  if (plan.kill) {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }
  return plan.fault;
}

Status PassOrFail(std::string_view point) {
  switch (PassPoint(point)) {
    case Fault::kNone: return {};
    case Fault::kEio: return Fail(Code::kUnavailable, "injected fault at {}: input/output error", point);
    case Fault::kEnospc: return Fail(Code::kUnavailable, "injected fault at {}: no space left on device", point);
    case Fault::kShortWrite: return Fail(Code::kUnavailable, "injected fault at {}: written in part", point);
  }
  return {};
}

void ReloadFaults() {
  Plan& plan = ThePlan();
  const std::lock_guard lock(plan.mutex);
  g_state.store(Load(plan), std::memory_order_release);
}

}  // namespace nano::io
