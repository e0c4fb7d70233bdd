// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Work beside the thread of its owner: threads, unless a simulation has put something in their place that runs all of it in one. What
/// is done here waits only by SleepFor(), by a connection to PostgreSQL, or not at all.

#include <functional>
#include <memory>
#include <stop_token>

namespace nano::io {

class Background {
 public:
  /// Its end waits for the work, which is asked to stop first.
  class Work {
   public:
    virtual ~Work() = default;
    virtual void RequestStop() = 0;
    virtual bool ended() const = 0;
  };
  virtual ~Background() = default;
  virtual std::unique_ptr<Work> Start(std::function<void(const std::stop_token&)> work) = 0;
};

Background& TheBackground();
/// Puts another in its place; null: threads again. For a simulation, while nothing else runs.
void ReplaceBackground(Background* background);

}  // namespace nano::io
