// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The time of day.

#include <chrono>
#include <cstdint>

namespace nano {

/// µs since 1970, UTC.
inline std::int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace nano
