// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Keys on their way through a statement. `nano_visit(handle, a, b, c, key…)` is a SQL function that hashes the key columns
/// of each row and shows them to a visitor of ours, with three numbers beside; what the visitor answers is the function's
/// value. Equal keys have equal hashes, whatever statement they come through: values are hashed as DuckDB lays them out
/// (docs/formats/index.md), -0.0 as 0.0 and every NaN as one, so a type that was widened hashes anew.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace nano::engine {

/// 128 bits of XXH3 with a seed that no source knows: two keys of one table share a hash by accident alone, with a chance of
/// about n² / 2^129 among n keys.
struct KeyHash {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const KeyHash&) const = default;
};

class KeyVisitor {
 public:
  virtual ~KeyVisitor() = default;
  virtual std::uint64_t seed() const = 0;
  /// One chunk. Called from several threads at once.
  virtual void Visit(std::span<const KeyHash> keys, std::span<const std::int64_t> a, std::span<const std::int64_t> b,
                     std::span<const std::int64_t> c, std::span<std::int64_t> out) = 0;
};

}  // namespace nano::engine
