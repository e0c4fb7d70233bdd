// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How people name a record of a journal: SOURCE:POSITION.

#include <cstdint>
#include <string>

#include "base/result.h"

namespace nano::app {

struct RecordName {
  std::string source;
  std::uint64_t position = 0;
};

/// kInvalid: not SOURCE:POSITION.
Result<RecordName> ReadRecordName(const std::string& text);

}  // namespace nano::app
