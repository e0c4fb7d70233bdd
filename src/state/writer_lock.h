// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `<local>/run.lock`, locked by the one process that writes. The kernel frees it when that process ends, however it
/// does. The file stays: removing it would let two processes lock two files.

#include <filesystem>
#include <optional>

#include "base/result.h"

namespace nano::state {

class WriterLock {
 public:
  /// Nothing: another holds it.  kUnavailable, kDenied: the file can't be made or locked.
  static Result<std::optional<WriterLock>> TryLock(const std::filesystem::path& path);
  WriterLock(WriterLock&& other) noexcept;
  WriterLock& operator=(WriterLock&& other) = delete;
  ~WriterLock();

 private:
  explicit WriterLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace nano::state
