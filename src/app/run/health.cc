// SPDX-License-Identifier: Apache-2.0
#include "app/run/health.h"

#include <algorithm>
#include <random>

#include "io/log.h"

namespace nano::app {
namespace {

void LogChange(const std::string& source, Health::Part part, const Condition& condition) {
  io::LogFields fields{{"source", source}, {"state", std::string(Name(condition.state))}};
  if (!condition.reason.empty()) fields.emplace_back("reason", condition.reason);
  if (!condition.hint.empty()) fields.emplace_back("hint", condition.hint);
  const auto level = condition.state == SourceState::kFailed                                              ? io::LogLevel::kError
                     : condition.state == SourceState::kBackoff || condition.state == SourceState::kPaused ? io::LogLevel::kWarning
                                                                                                           : io::LogLevel::kInfo;
  io::Log(level, part == Health::Part::kReading ? "source" : "landing", fields);
}

}  // namespace

std::string_view Name(SourceState state) {
  switch (state) {
    case SourceState::kStopped: return "stopped";
    case SourceState::kRunning: return "running";
    case SourceState::kPaused: return "paused";
    case SourceState::kBackoff: return "backoff";
    case SourceState::kFailed: return "failed";
  }
  return "stopped";
}

void Health::Set(const std::string& source, Part part, Condition condition) {
  const std::lock_guard lock(mutex_);
  SourceHealth& health = sources_[source];
  Condition& held = part == Part::kReading ? health.reading : health.landing;
  const bool news = held != condition;
  if (condition.state >= SourceState::kBackoff) ++health.failures;
  held = std::move(condition);
  if (news) LogChange(source, part, held);
}

void Health::Fail(const std::string& source, Part part, const Error& error, std::optional<std::chrono::milliseconds> retry_in) {
  Condition condition{retry_in ? SourceState::kBackoff : SourceState::kFailed, error.message, error.hint};
  if (!error.place.in.empty() && error.message.find(error.place.in) == std::string::npos) condition.reason += " (" + error.place.in + ")";
  if (!retry_in) condition.hint += fmt::format("{}`nanohouse source restart {}` tries again.", condition.hint.empty() ? "" : " ", source);
  Set(source, part, std::move(condition));
}

void Health::Read(const std::string& source, const ingest::FeedProgress& progress) {
  const std::lock_guard lock(mutex_);
  sources_[source].read = progress;
}

void Health::Journaled(const std::string& source, Position end, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  SourceHealth& health = sources_[source];
  if (health.lag_records() == 0) {
    health.behind_since = std::chrono::steady_clock::now();
    health.waiting_bytes = 0;
  }
  health.journaled = std::max(health.journaled, end);
  health.waiting_bytes += bytes;
}

void Health::Landed(const std::string& source, Position end, const land::LandCounters& counters) {
  const std::lock_guard lock(mutex_);
  SourceHealth& health = sources_[source];
  health.in_tables = end;
  health.journaled = std::max(health.journaled, end);
  health.landed = counters;
  if (health.lag_records() == 0) health.waiting_bytes = 0;
}

void Health::SlotSeen(const std::string& source, std::optional<std::int64_t> held_bytes, const std::string& warning) {
  const std::lock_guard lock(mutex_);
  SourceHealth& health = sources_[source];
  health.slot_bytes = held_bytes;
  if (!warning.empty() && health.slot_warning.empty()) io::Log(io::LogLevel::kWarning, "slot", {{"source", source}, {"reason", warning}});
  health.slot_warning = warning;
}

void Health::SlotDropped(const std::string& source) {
  const std::lock_guard lock(mutex_);
  ++sources_[source].slots_dropped;
}

double SourceHealth::lag_seconds() const {
  return lag_records() == 0 ? 0 : std::chrono::duration<double>(std::chrono::steady_clock::now() - behind_since).count();
}

void Health::Forget(const std::string& source) {
  const std::lock_guard lock(mutex_);
  sources_.erase(source);
}

std::optional<SourceHealth> Health::Of(const std::string& source) const {
  const std::lock_guard lock(mutex_);
  const auto found = sources_.find(source);
  return found == sources_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, SourceHealth> Health::All() const {
  const std::lock_guard lock(mutex_);
  return sources_;
}

std::chrono::milliseconds Backoff(int failures) {
  thread_local std::mt19937 random{std::random_device{}()};
  const double longest = std::min(60.0, static_cast<double>(1ULL << std::clamp(failures - 1, 0, 20)));
  return std::chrono::milliseconds(static_cast<std::int64_t>(1000 * std::uniform_real_distribution(0.5 * longest, longest)(random)));
}

bool MayHealItself(const Error& error) {
  return IsRetriable(error.code) || error.code == Code::kOutcomeUnknown || error.code == Code::kNotFound;
}

}  // namespace nano::app
