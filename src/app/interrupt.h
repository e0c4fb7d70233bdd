// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ctrl-C (io/signals.h) as a call of ours, for work that can't ask by itself: a query that runs in the engine.

#include <functional>
#include <thread>

namespace nano::app {

class OnInterrupt {
 public:
  /// Calls `action` from a thread of its own once a stop was asked for, and again until this is destroyed (a query that
  /// had not yet begun would not hear the first call): it must do no harm the second time.
  explicit OnInterrupt(std::function<void()> action);

 private:
  std::jthread waiter_;
};

}  // namespace nano::app
