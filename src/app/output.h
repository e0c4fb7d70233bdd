// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where a verb's result goes: standard output, or a file that appears whole or not at all. Buffered; a reader that
/// went away (`| head`) is told apart from a disk that refused. Not for several threads.

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nano::app {

class Output {
 public:
  /// Standard output.
  Output() = default;
  /// A file: written beside its name, renamed by Finish().
  static Result<Output> ToFile(const std::filesystem::path& path);
  Output(Output&& other) noexcept;
  Output& operator=(Output&&) = delete;
  ~Output();

  /// kUnavailable: the disk or the reader refused.
  Status Write(std::string_view text);
  Status Flush();
  /// Flushes; a file gets its name.
  Status Finish();
  /// True once the reader of standard output has gone; nothing more need be made.
  bool abandoned() const { return abandoned_; }

 private:
  int descriptor_ = 1;
  std::filesystem::path path_, temporary_;
  std::string buffer_;
  bool abandoned_ = false;
};

}  // namespace nano::app
