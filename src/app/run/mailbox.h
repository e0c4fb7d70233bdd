// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What sources have journaled, on its way from their threads to the landing one. Each source may have so much waiting and
/// no more: one that is landed too slowly is read more slowly. Any thread.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ingest/feed.h"

namespace nano::app {

/// Of one source, in order.
struct Mail {
  std::vector<journal::BlockPtr> blocks;
  Position journaled;
  bool end = false;         ///< its input has no more now
};

class Mailbox {
 public:
  explicit Mailbox(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Takes what a source has to say from now on.
  void Open(const std::string& source);
  /// Forgets what waits of it, and whoever waits for room goes away empty-handed.
  void Close(const std::string& source);
  /// Waits for room.  False: the source is closed.
  bool Push(const std::string& source, ingest::Step step);

  /// All that waits; waits for it at most so long, or until Wake().
  std::map<std::string, Mail> Take(std::chrono::milliseconds wait);
  void Wake();

 private:
  struct Box {
    Mail mail;
    std::size_t bytes = 0;
    bool full = false;      ///< something waits, be it only news of an end
  };
  const std::size_t most_bytes_;
  std::mutex mutex_;        // guards all that follows
  std::condition_variable changed_;
  std::map<std::string, Box> boxes_;
  bool woken_ = false;
};

}  // namespace nano::app
