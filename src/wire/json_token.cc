// SPDX-License-Identifier: Apache-2.0
#include "wire/json_token.h"

namespace nano::wire {

bool ScanToken(std::string_view text, std::size_t& at, std::string_view& token) {
  const char* const end = text.data() + text.size();
  const char* const begin = SkipSpace(text.data() + at, end);
  if (begin == end) return false;
  const char* const past = SkipValue(begin, end, Bare::kTaken);
  if (past == nullptr) return false;
  token = {begin, static_cast<std::size_t>(past - begin)};
  at = static_cast<std::size_t>(past - text.data());
  return true;
}

bool WholeToken(std::string_view text, std::string_view& token) {
  std::size_t at = 0;
  if (!ScanToken(text, at, token)) return false;
  const char* const end = text.data() + text.size();
  return SkipSpace(text.data() + at, end) == end;
}

std::string_view Member(std::string_view object, std::string_view name) {
  std::string_view found, key, value;
  for (JsonObject members(object); members.Next(key, value);)
    if (Inside(key) == name) found = value;
  return found;
}

}  // namespace nano::wire
