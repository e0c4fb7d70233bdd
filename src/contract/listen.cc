// SPDX-License-Identifier: Apache-2.0
#include "contract/listen.h"

#include <charconv>

namespace nano::contract {

bool Listen::is_loopback() const { return host == "localhost" || host == "::1" || host.starts_with("127."); }

Result<Listen> ParseListen(const std::string& text) {
  Listen out;
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return Fail(Code::kInvalid, "\"{}\" is no address and port, such as 127.0.0.1:8080", text);
  out.host = text.substr(0, colon);
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']') out.host = out.host.substr(1, out.host.size() - 2);
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + colon + 1, end, out.port);
  if (error != std::errc() || at != end || out.port < 0 || out.port > 65535) return Fail(Code::kInvalid, "\"{}\" has no port of 0 to 65535", text);
  return out;
}

}  // namespace nano::contract
