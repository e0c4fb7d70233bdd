// SPDX-License-Identifier: Apache-2.0
#include "wire/utf8.h"

#include <simdjson.h>

namespace nano::wire {

bool IsUtf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

std::string_view ValidPrefix(std::string_view bytes) {
  if (IsUtf8(bytes)) return bytes;
  std::size_t good = 0;
  for (std::size_t at = 0; at < bytes.size(); at = good) {
    const auto lead = static_cast<unsigned char>(bytes[at]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (at + size > bytes.size() || !IsUtf8(bytes.substr(at, size))) break;
    good = at + size;
  }
  return bytes.substr(0, good);
}

}  // namespace nano::wire
