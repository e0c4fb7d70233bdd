// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace nano::wire {

/// Where the rows of a plain change stand in its bytes, as it was seen when it arrived: who reads it again need not look for them.
struct DebeziumOutline {
  char op = '\0';                              ///< c, u or d; '\0': nothing is known
  std::uint32_t before = 0, before_size = 0;   ///< an object; no size: there is none
  std::uint32_t after = 0, after_size = 0;
};

}  // namespace nano::wire
