// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What is random in a run, all of it from its seed, the same on every machine.

#include <cstdint>
#include <vector>

namespace nano::simulation {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {   // splitmix64
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// 0 … n-1
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(Next() % n); }
  /// Both ends may come.
  std::int64_t Between(std::int64_t from, std::int64_t to) { return from + static_cast<std::int64_t>(Next() % static_cast<std::uint64_t>(to - from + 1)); }
  bool Chance(double part) { return static_cast<double>(Next() >> 11) < part * 9007199254740992.0; }
  template <class T>
  const T& Of(const std::vector<T>& some) { return some[Below(some.size())]; }
  /// Another, which does not disturb this one.
  Draw Fork() { return Draw(Next()); }

 private:
  std::uint64_t state_;
};

}  // namespace nano::simulation
