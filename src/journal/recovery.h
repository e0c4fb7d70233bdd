// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What Writer::Open() does first: finds the last commit, and cuts the log back to it.

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "journal/dictionary.h"
#include "journal/frame_writer.h"
#include "journal/journal.h"

namespace nano::journal {

struct Recovered {
  Tail tail;
  Position first;                          ///< of the last segment
  DictionaryPtr dictionary;                ///< of the last segment
  std::unique_ptr<FrameWriter> writer;     ///< behind its last commit; none: there is no segment yet
};

/// A segment's header is durable before its first frame is written, so one that was torn has no frame after it: it may go.
Result<bool> IsTornHeader(const std::filesystem::path& path);

/// kCorrupt: there is damage before the last commit; nothing was changed. kInvalid: the journal is of another source.
Result<Recovered> Recover(const std::filesystem::path& folder, const std::string& source);

}  // namespace nano::journal
