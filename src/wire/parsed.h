// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What reading one scalar from text came to, before the column's `special_values` has its say.

#include <cstdint>

namespace nano::wire {

enum class Parsed : std::uint8_t {
  kValue,
  kMisfit,          ///< the reason says why
  kNan,
  kInfinity,
  kMinusInfinity,
  kMidnight,        ///< 24:00
};

}  // namespace nano::wire
