// SPDX-License-Identifier: Apache-2.0
#include "app/interrupt.h"

#include <chrono>
#include <stop_token>
#include <utility>

#include "io/signals.h"

namespace nano::app {

OnInterrupt::OnInterrupt(std::function<void()> action)
    : waiter_([action = std::move(action)](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          if (io::StopRequested()) action();
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }) {}

}  // namespace nano::app
