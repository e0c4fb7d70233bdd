// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The publishing thread of a running warehouse: Iceberg metadata every `publish_every` where something was committed
/// since, and whenever somebody asks. Reads the lake through a connection of its own, beside landing.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "app/publish_run.h"
#include "app/run/landing.h"

namespace nano::app {

struct PublishingState {
  std::int64_t published = 0;          ///< how often
  double last_seconds = 0;             ///< how long the last one took
  std::int64_t last_at = 0;            ///< µs since 1970; 0: never
  std::optional<Error> failure;        ///< of the last one
};

class Publishing {
 public:
  Publishing(Landing& landing, contract::Layout layout, std::chrono::seconds every, bool by_itself);
  ~Publishing() { Stop(); }
  Publishing(const Publishing&) = delete;
  Publishing& operator=(const Publishing&) = delete;

  /// Publishes now, in the calling thread.
  Result<std::vector<PublishedName>> Now();
  /// From now on it publishes only when asked; waits for what is under way. Committed() may still be called.
  void Stop();
  /// Something was committed.
  void Committed() { stale_ = true; }
  PublishingState state() const;

 private:
  void Run(const std::stop_token& stop);

  Landing& landing_;
  const contract::Layout layout_;
  const std::chrono::seconds every_;
  std::atomic<bool> stale_{true};      // what an earlier run committed may not be published
  std::mutex publishing_;              // one at a time
  mutable std::mutex mutex_;           // guards state_
  PublishingState state_;
  std::jthread thread_;
};

}  // namespace nano::app
