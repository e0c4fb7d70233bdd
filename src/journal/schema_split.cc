// SPDX-License-Identifier: Apache-2.0
#include "journal/schema_split.h"

namespace nano::journal {

std::size_t InlineSchemaEnd(std::string_view message) {
  constexpr std::string_view kPrefix = R"({"schema":)";
  if (!message.starts_with(kPrefix) || message.size() == kPrefix.size() || message[kPrefix.size()] != '{') return 0;
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = kPrefix.size(); i < message.size(); ++i) {
    const char c = message[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    else if (c == '{' || c == '[') ++depth;
    else if ((c == '}' || c == ']') && --depth == 0) return i + 1;
  }
  return 0;
}

}  // namespace nano::journal
