// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Memory that lives as long as a batch: strings and arrays are made in it and freed together. Not for several threads.

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nano {

class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  /// Room for `size` bytes, aligned for any scalar.
  char* Allocate(std::size_t size) {
    constexpr std::size_t kAlign = alignof(std::max_align_t);
    size = (size + kAlign - 1) / kAlign * kAlign;
    if (size > room_) Grow(size);
    char* const at = next_;
    next_ += size;
    room_ -= size;
    used_ += size;
    return at;
  }
  std::string_view Keep(std::string_view text) {
    if (text.empty()) return {"", 0};
    char* const at = Allocate(text.size());
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }
  template <class T>
  std::span<T> Array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    T* const at = reinterpret_cast<T*>(Allocate(count * sizeof(T)));
    for (std::size_t i = 0; i < count; ++i) new (at + i) T();
    return {at, count};
  }
  std::size_t used() const { return used_; }
  /// Forgets everything that was made, and keeps one block for what comes.
  void Reset() {
    if (blocks_.size() > 1 || used_ > kBlock) {
      *this = Arena();
    } else if (!blocks_.empty()) {
      next_ = blocks_[0].get();
      room_ = kBlock;
      used_ = 0;
    }
  }

 private:
  void Grow(std::size_t size) {
    const std::size_t block = size > kBlock ? size : kBlock;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    next_ = blocks_.back().get();
    room_ = block;
  }
  static constexpr std::size_t kBlock = 256 << 10;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t room_ = 0, used_ = 0;
};

}  // namespace nano
