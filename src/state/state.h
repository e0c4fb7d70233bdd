// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The operational records of a warehouse, beside its data: who writes it, which cuts readers hold, what ran and how it
/// ended, small settings. `<local>/state.db`, format: docs/formats/state.md. What must change together with the data is
/// in the lake instead. Any number of processes may have it open; a State may be used by several threads.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace nano::state {

/// Who holds or held the right to write.
struct Holder {
  std::uint64_t epoch = 0;         ///< grows by one with each acquisition
  int pid = 0;
  std::string host;
  std::int64_t started = 0;        ///< µs since 1970, UTC
  bool held = false;               ///< false: given back, or its process is gone
};

/// The right to write this warehouse, until it is destroyed. It belongs to the process: the kernel takes it from one
/// that died, and no child inherits it.
class WriterLease {
 public:
  virtual ~WriterLease() = default;
  virtual std::uint64_t epoch() const = 0;
  /// kConflict: another writer has taken over (its epoch is higher); whoever asks must not commit.
  virtual Status Check() = 0;
};

/// What a reader holds: upkeep keeps every file that this snapshot needs.
struct SnapshotLease {
  std::int64_t id = 0;
  std::int64_t snapshot = 0;
  int pid = 0;
  std::string host;
  std::int64_t expires = 0;        ///< µs since 1970, UTC
};

enum class Outcome { kRunning, kOk, kFailed, kStopped, kLost };   ///< stopped: at a person's wish; lost: its process died

struct Run {
  std::int64_t id = 0;
  std::string command;
  std::uint64_t epoch = 0;         ///< of its writer lease; 0: it only read
  int pid = 0;
  std::string host;
  std::int64_t started = 0;
  std::optional<std::int64_t> finished;
  Outcome outcome = Outcome::kRunning;
  std::string message;
  std::string counters;            ///< JSON object
};

struct StateOptions {
  /// µs since 1970, UTC; empty: the system's clock.
  std::function<std::int64_t()> now = {};
};

class State {
 public:
  virtual ~State() = default;
  /// Opens it, makes it if there is none, brings an older format up to date.  kUnsupported: a newer format;
  /// kInvalid: the file is something else's.
  static Result<std::unique_ptr<State>> Open(const std::filesystem::path& local, const StateOptions& options = {});

  /// kConflict: another process writes; the message names its pid and host.
  virtual Result<std::unique_ptr<WriterLease>> AcquireWriter() = 0;
  /// The last writer; nothing where there never was one.
  virtual Result<std::optional<Holder>> writer() = 0;

  /// Holds a snapshot for `hold`. Whoever gets it must look afterwards whether the snapshot is still there: upkeep may
  /// have dropped it just before.
  virtual Result<std::int64_t> LeaseSnapshot(std::int64_t snapshot, std::chrono::seconds hold) = 0;
  /// kNotFound: it expired; what it held may be gone.
  virtual Status RenewLease(std::int64_t lease, std::chrono::seconds hold) = 0;
  /// Gives it back; nothing happens where it is gone already.
  virtual Status ReleaseLease(std::int64_t lease) = 0;
  /// Those that have not expired, by snapshot.
  virtual Result<std::vector<SnapshotLease>> SnapshotLeases() = 0;

  /// Notes that something runs; `epoch` of its writer lease, or 0. Runs of earlier epochs that never ended become lost
  /// when a writer lease is acquired.
  virtual Result<std::int64_t> StartRun(const std::string& command, std::uint64_t epoch) = 0;
  virtual Status FinishRun(std::int64_t run, Outcome outcome, const std::string& message, const std::string& counters) = 0;
  /// The latest first.
  virtual Result<std::vector<Run>> Runs(std::size_t limit) = 0;

  virtual Result<std::optional<std::string>> Get(const std::string& key) = 0;
  virtual Status Put(const std::string& key, const std::string& value) = 0;
  virtual Status Remove(const std::string& key) = 0;
};

/// As `status` and messages show it: "ok", "failed", …
std::string_view ToString(Outcome outcome);

}  // namespace nano::state
