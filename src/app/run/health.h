// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How each source of a running warehouse fares, as the threads that read and land it say; for `status`, metrics and the
/// log, where every change of a state is a line. Any thread.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/feed.h"
#include "land/lander.h"

namespace nano::app {

enum class SourceState {
  kStopped,   ///< has nothing more to say, or was told to stop
  kRunning,
  kPaused,    ///< waits for room on a disk
  kBackoff,   ///< failed, and will be tried again by itself
  kFailed,    ///< waits for a person
};
std::string_view Name(SourceState state);

/// A state, and why it is so.
struct Condition {
  SourceState state = SourceState::kRunning;
  std::string reason, hint;
  bool operator==(const Condition&) const = default;
};

struct SourceHealth {
  Condition reading, landing;
  ingest::FeedProgress read;         ///< since it was started last
  land::LandCounters landed;
  Position journaled, in_tables;
  std::uint64_t waiting_bytes = 0;   ///< journaled since landing was last up with it
  std::chrono::steady_clock::time_point behind_since{};
  std::uint64_t failures = 0;        ///< since the program began
  std::optional<std::int64_t> slot_bytes;   ///< log that its replication slot holds back
  std::string slot_warning;          ///< the slot may soon be lost
  std::uint64_t slots_dropped = 0;   ///< as they held back too much
  std::uint64_t lag_records() const { return journaled > in_tables ? journaled.value - in_tables.value : 0; }
  double lag_seconds() const;
  /// The worse of both.
  const Condition& worst() const { return landing.state > reading.state ? landing : reading; }
};

class Health {
 public:
  enum class Part { kReading, kLanding };

  void Set(const std::string& source, Part part, Condition condition);
  /// The condition that an error makes: kBackoff for `retry_in`, or kFailed where that is nothing.
  void Fail(const std::string& source, Part part, const Error& error, std::optional<std::chrono::milliseconds> retry_in);
  void Read(const std::string& source, const ingest::FeedProgress& progress);
  void Journaled(const std::string& source, Position end, std::uint64_t bytes);
  void Landed(const std::string& source, Position end, const land::LandCounters& counters);
  void SlotSeen(const std::string& source, std::optional<std::int64_t> held_bytes, const std::string& warning);
  void SlotDropped(const std::string& source);
  void Forget(const std::string& source);
  std::optional<SourceHealth> Of(const std::string& source) const;
  std::map<std::string, SourceHealth> All() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, SourceHealth> sources_;
};

/// How long to wait after the n-th failure in a row (1, 2, …): doubling from a second to a minute, with jitter.
std::chrono::milliseconds Backoff(int failures);
/// Whether trying again may help without a person: a place that can't be reached, a disk that is full, a file that is not there yet.
bool MayHealItself(const Error& error);

}  // namespace nano::app
