// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A file without a name for what memory can't hold: pieces are added, then read once from the beginning. Gone with its owner,
/// however the process ends; nothing in it is durable. Not for several threads.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nano::io {

class Spool {
 public:
  virtual ~Spool() = default;
  /// In the folder, which is made where there is none.
  static Result<std::unique_ptr<Spool>> Make(const std::filesystem::path& folder);
  /// `mark` is the caller's own.  kUnavailable: the disk is full or broken.
  virtual Status Add(std::uint64_t mark, std::string_view piece) = 0;
  /// The next piece, valid until the next call; false after the last. Nothing may be added any more.
  virtual Result<bool> Next(std::uint64_t& mark, std::string_view& piece) = 0;
  virtual std::uint64_t bytes() const = 0;
};

}  // namespace nano::io
