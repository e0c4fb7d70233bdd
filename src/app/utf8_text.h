// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Bytes as well-formed UTF-8 text. Pure functions.

#include <cstddef>
#include <string>
#include <string_view>

namespace nano::app {

/// Bytes of the well-formed character that `text` begins with (not empty); 0 where it is none.
std::size_t Utf8CharacterBytes(std::string_view text);
bool IsUtf8Text(std::string_view text);
/// Each byte that belongs to no character becomes U+FFFD.
std::string ToUtf8Text(std::string_view text);

}  // namespace nano::app
