// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Singer's BATCH message (Meltano SDK): files of records, one JSON object a line, that stand for RECORD messages. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/singer.h"

namespace nano::wire {

struct SingerBatchFiles {
  std::string stream;
  std::optional<std::int64_t> version;
  bool gzip = false;
  std::vector<std::string> paths;   ///< of `file://` locations, in the manifest's order; relative ones where it has no scheme
};

/// kUnsupported: another encoding than jsonl, plain or gzip, or files that are not on this machine; kInvalid: no manifest.
Result<SingerBatchFiles> ReadSingerBatch(const SingerMessage& message);

/// The RECORD message that a line of such a file stands for.  False: the line is not one JSON object.
bool BatchRecord(const SingerBatchFiles& batch, std::string_view line, std::string& out);

}  // namespace nano::wire
