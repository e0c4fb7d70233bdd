// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The HTTP door of a running warehouse: GET /healthz (the process works), /readyz (its tables can be read and no source waits for a
/// person), /metrics (Prometheus); POST to the paths of sources that are posted to. Off loopback only with a token, which then every
/// path but /healthz asks for: `Authorization: Bearer …` (RFC 6750). Answers in threads of its own.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace nano::app {

/// What became of a post: an HTTP status, and words for a person.
struct PostAnswer {
  int status = 200;
  std::string text;
};
using PostHeaders = std::vector<std::pair<std::string, std::string>>;

/// Empty: all is well; else what is not.
struct DoorAnswers {
  std::function<std::string()> unhealthy, unready;
  std::function<std::string()> metrics;
  std::function<PostAnswer(const std::string& path, const PostHeaders& headers, const std::string& body)> post;
};

class HttpDoor {
 public:
  virtual ~HttpDoor() = default;
  /// `listen`: `127.0.0.1:8080`, `[::1]:8080`; port 0 takes any that is free.  kUnavailable: the address is taken;
  /// kInvalid: off loopback without a token.
  static Result<std::unique_ptr<HttpDoor>> Open(const std::string& listen, Secret token, DoorAnswers answers);
  /// `127.0.0.1:8080`
  virtual std::string address() const = 0;
};

}  // namespace nano::app
