// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Bytes that come in one after the other: of a file, of standard input, of a child process. Not for several threads.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/result.h"

namespace nano::io {

class ByteSource {
 public:
  enum class State {
    kData,     ///< `bytes` of them, at least one
    kEnd,      ///< no more will come (of a file: it has no more now)
    kNotYet,   ///< none came within the time, or a signal came
  };
  struct Outcome {
    State state = State::kEnd;
    std::size_t bytes = 0;
  };

  virtual ~ByteSource() = default;
  /// Reads up to `size` bytes, waiting no longer than `wait` for the first.  kUnavailable: it could not be read.
  virtual Result<Outcome> Read(char* into, std::size_t size, std::chrono::milliseconds wait) = 0;
};

/// A file from `offset` on, to its present end.  kNotFound, kDenied.
Result<std::unique_ptr<ByteSource>> OpenFileSource(const std::filesystem::path& path, std::uint64_t offset);
/// An open descriptor (a pipe, a terminal, a file), which stays the caller's.
std::unique_ptr<ByteSource> MakeDescriptorSource(int descriptor);

}  // namespace nano::io
