// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Raw JSON tokens of messages, over json_scan.h: what kind a token is, its members and items. Messages are carried as
/// the bytes that they came as, so a number keeps every digit. Pure; any thread.

#include <cstddef>
#include <string>
#include <string_view>

#include "wire/json_scan.h"

namespace nano::wire {

/// The members of an object token, names with their quotes; of anything else, none.
using JsonObject = ObjectScanner;
/// The items of an array token; of anything else, none.
using JsonArray = ArrayScanner;

/// Passes white space and one whole, valid value from `at` on. False: there is none, or it is no JSON.
bool ScanToken(std::string_view text, std::size_t& at, std::string_view& token);

/// True if `text` is one value with nothing but white space around it.
bool WholeToken(std::string_view text, std::string_view& token);

/// The member of that name (without escapes in it); the last one counts. Empty: none.
std::string_view Member(std::string_view object, std::string_view name);

/// Unescape() of cell.h into a string of its own.
bool UnescapeInto(std::string_view token, std::string& out);

inline bool IsString(std::string_view token) { return token.size() >= 2 && token.front() == '"'; }
inline bool IsObject(std::string_view token) { return !token.empty() && token.front() == '{'; }
inline bool IsArray(std::string_view token) { return !token.empty() && token.front() == '['; }
inline bool IsNull(std::string_view token) { return token == "null"; }
/// Begins like a number; so do the words Infinity and NaN.
inline bool IsNumber(std::string_view token) {
  return !token.empty() && (token.front() == '-' || (token.front() >= '0' && token.front() <= '9') || token.front() == 'N' ||
                            token.front() == 'I');
}
/// The bytes between a string token's quotes, escapes as they are.
inline std::string_view Inside(std::string_view token) { return token.substr(1, token.size() - 2); }

}  // namespace nano::wire
