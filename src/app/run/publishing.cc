// SPDX-License-Identifier: Apache-2.0
#include "app/run/publishing.h"

#include "app/run/health.h"
#include "base/clock.h"
#include "io/log.h"

namespace nano::app {

using Clock = std::chrono::steady_clock;

Publishing::Publishing(Landing& landing, contract::Layout layout, std::chrono::seconds every, bool by_itself)
    : landing_(landing), layout_(std::move(layout)), every_(every) {
  if (by_itself) thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Publishing::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Result<std::vector<PublishedName>> Publishing::Now() {
  const std::lock_guard one(publishing_);
  const auto began = Clock::now();
  stale_ = false;
  auto names = [&]() -> Result<std::vector<PublishedName>> {
    const auto held = landing_.HoldLake();
    ASSIGN(const auto connection, landing_.database().Connect());
    return PublishNames(*connection, layout_);
  }();
  const std::lock_guard lock(mutex_);
  state_.failure.reset();
  if (!names) {
    stale_ = true;
    state_.failure = names.error();
    return names;
  }
  ++state_.published;
  state_.last_seconds = std::chrono::duration<double>(Clock::now() - began).count();
  state_.last_at = NowMicros();
  return names;
}

PublishingState Publishing::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Publishing::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any wake;
  int failures = 0;
  while (true) {
    const auto wait = failures > 0 ? std::chrono::duration_cast<std::chrono::milliseconds>(Backoff(failures)) : std::chrono::milliseconds(every_);
    wake.wait_for(lock, stop, wait, [] { return false; });
    if (stop.stop_requested()) return;
    if (!stale_) continue;
    const auto names = Now();
    failures = names ? 0 : failures + 1;
    if (!names) io::Log(io::LogLevel::kWarning, "publishing failed", {{"reason", names.error().message}, {"hint", names.error().hint}});
  }
}

}  // namespace nano::app
