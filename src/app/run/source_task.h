// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One source of a running warehouse, in a thread of its own: opens its journal and feed, journals what comes, hands it to landing,
/// and begins again after an error that may heal itself. A file is looked at for more, a tap is started when it is due.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "app/run/health.h"
#include "app/run/landing.h"
#include "app/run/mailbox.h"
#include "contract/layout.h"
#include "contract/model.h"

namespace nano::app {

/// What the sources of a warehouse share.
struct SourceSurroundings {
  Landing& landing;
  Mailbox& mailbox;
  Health& health;
  contract::Layout layout;
  std::shared_ptr<ingest::PostBox> posts;   ///< of a source that is posted to
  /// Why no source may write now (the disk is nearly full); empty: it may.
  std::function<std::string()> must_wait;
};

class SourceTask {
 public:
  SourceTask(std::shared_ptr<const contract::Contract> contract, const std::string& source, const SourceSurroundings& surroundings);
  /// Tells it to stop after what it has in hand, and waits; its tap is ended, what it received is journaled and will be landed.
  ~SourceTask();
  SourceTask(const SourceTask&) = delete;
  SourceTask& operator=(const SourceTask&) = delete;

  void RequestStop() { stop_ = true; }
  /// Ended by itself: there is nothing more to read, or it waits for a person.
  bool ended() const { return ended_; }

 private:
  void Run();
  /// Opens it and reads on until its end, an error, or until it must stop.
  Status ReadOn();
  Status Pump(ingest::Feed& feed, journal::Writer& journal);
  Status Upkeep(journal::Writer& journal);
  bool stopping() const;
  /// Sleeps; false: it must stop.
  bool Sleep(std::chrono::milliseconds time);
  bool WaitWhilePaused();
  bool WaitForMore(std::chrono::steady_clock::time_point started, std::uint64_t size_before);
  std::uint64_t FileSize() const;
  void Push(ingest::Step step);
  void Say(SourceState state, const std::string& reason = "", const std::string& hint = "");

  std::shared_ptr<const contract::Contract> contract_;
  const contract::Source& source_;
  SourceSurroundings in_;
  std::atomic<bool> stop_{false}, ended_{false};
  bool pushed_ = true;                           // landing takes what it is given
  std::chrono::steady_clock::time_point next_upkeep_{};
  std::thread thread_;
};

}  // namespace nano::app
