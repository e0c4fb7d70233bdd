// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where a door listens: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`.

#include <string>

#include "base/result.h"

namespace nano::contract {

struct Listen {
  std::string host;
  int port = 0;
  /// Only this machine can reach it.
  bool is_loopback() const;
};

/// kInvalid: no address, or no port of 0 to 65535.
Result<Listen> ParseListen(const std::string& text);

}  // namespace nano::contract
