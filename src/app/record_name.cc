// SPDX-License-Identifier: Apache-2.0
#include "app/record_name.h"

#include <charconv>

namespace nano::app {

Result<RecordName> ReadRecordName(const std::string& text) {
  const auto colon = text.rfind(':');
  RecordName out;
  if (colon != std::string::npos && colon > 0) {
    out.source = text.substr(0, colon);
    const char* end = text.data() + text.size();
    if (const auto read = std::from_chars(text.data() + colon + 1, end, out.position); read.ec == std::errc() && read.ptr == end) return out;
  }
  return WithHint(Fail(Code::kInvalid, "\"{}\" is not a record", text), "Write SOURCE:POSITION, as `nanohouse quarantine list` shows it.");
}

}  // namespace nano::app
