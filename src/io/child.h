// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A program that we run and read: in a process group of its own, without a shell, with no standard input. Its output is
/// a ByteSource, lines of its error output go to a callback while the output is read. It never outlives us (the kernel
/// kills it when the thread that started it ends, so start it from one that lasts) and is always reaped.
/// Not for several threads.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/byte_source.h"

namespace nano::io {

struct ChildOptions {
  std::vector<std::string> arguments = {};    ///< the program first; without a slash it is searched on PATH
  std::vector<std::pair<std::string, std::string>> environment = {};   ///< added to ours, or instead of ours
  std::filesystem::path folder = {};     ///< where it runs; empty: where we do
};

/// How a child ended: by itself with a status, or by a signal.
struct ChildExit {
  int status = 0;
  int signal = 0;
  bool ok() const { return status == 0 && signal == 0; }
  std::string Describe() const;          ///< "exited with status 3", "was ended by signal 9"
};

class Child : public ByteSource {
 public:
  /// Called in the thread that reads, with each line of the error output (longer ones in pieces of 64 KB).
  using OnErrorLine = std::function<void(std::string_view line)>;

  /// kNotFound: no such program; kDenied: it may not be run.
  static Result<std::unique_ptr<Child>> Start(const ChildOptions& options, OnErrorLine on_error_line);

  /// Waits for its end, once the output was read to its end or is no longer wanted; hands on the rest of its error
  /// output. Nothing: it still runs after `wait`.
  virtual Result<std::optional<ChildExit>> Wait(std::chrono::milliseconds wait) = 0;
  /// Asks it to end (SIGTERM to its group), and kills it (SIGKILL) after `grace`. Returns how it ended.
  virtual Result<ChildExit> Terminate(std::chrono::milliseconds grace) = 0;
  virtual int pid() const = 0;
};

}  // namespace nano::io
