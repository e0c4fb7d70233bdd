// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Objects of ours that SQL names by number. Any thread. Inside engine/ only.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace nano::engine {

template <class T>
class ByHandle {
 public:
  std::int64_t Add(std::shared_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    objects_[++last_] = std::move(object);
    return last_;
  }
  void Remove(std::int64_t handle) {
    const std::lock_guard lock(mutex_);
    objects_.erase(handle);
  }
  std::shared_ptr<T> Find(std::int64_t handle) {
    const std::lock_guard lock(mutex_);
    const auto at = objects_.find(handle);
    return at == objects_.end() ? nullptr : at->second;
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::map<std::int64_t, std::shared_ptr<T>> objects_;
  std::int64_t last_ = 0;
};

}  // namespace nano::engine
