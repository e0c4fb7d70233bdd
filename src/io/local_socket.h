// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A socket in the file system, by which a program of the same user tells a running one what to do: a connection carries
/// one request and one answer, each a line of text. What the two say is their affair.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace nano::io {

class LocalServer {
 public:
  /// The answer to a request, both without a line feed. Called from several threads at once.
  using Answer = std::function<std::string(const std::string& request)>;

  virtual ~LocalServer() = default;
  /// Listens at `path`, with mode 0600; what lies there already is taken for left over, so the caller must be the only one
  /// that serves there. Answers until it is destroyed, which waits for requests under way.  kDenied, kUnavailable.
  static Result<std::unique_ptr<LocalServer>> Open(const std::filesystem::path& path, Answer answer);
};

/// Asks whoever listens at `path`, and waits for the answer as long as it takes.  kNotFound: nobody does;
/// kUnavailable: it went away without an answer.
Result<std::string> AskLocal(const std::filesystem::path& path, const std::string& request);

}  // namespace nano::io
