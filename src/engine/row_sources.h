// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The row sources of one database, by handle. Any thread.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "engine/row_source.h"

namespace nano::engine {

class RowSources {
 public:
  std::int64_t Add(std::shared_ptr<RowSource> source) {
    const std::lock_guard lock(mutex_);
    sources_[++last_] = std::move(source);
    return last_;
  }
  void Remove(std::int64_t handle) {
    const std::lock_guard lock(mutex_);
    sources_.erase(handle);
  }
  std::shared_ptr<RowSource> Find(std::int64_t handle) {
    const std::lock_guard lock(mutex_);
    const auto at = sources_.find(handle);
    return at == sources_.end() ? nullptr : at->second;
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::map<std::int64_t, std::shared_ptr<RowSource>> sources_;
  std::int64_t last_ = 0;
};

}  // namespace nano::engine
