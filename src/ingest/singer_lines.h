// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Lines of a Singer stream as journal records, whoever sends them. One thread.

#include <string_view>

#include "base/result.h"
#include "ingest/feed.h"
#include "journal/journal.h"
#include "wire/singer.h"

namespace nano::ingest {

class SingerLines {
 public:
  SingerLines(journal::Writer& journal, FeedProgress& progress) : journal_(journal), progress_(progress) {}
  /// Appends one line. `end` is the byte after it. Blank lines are nothing.  kUnsupported: a BATCH message.
  Status Take(std::string_view line, std::uint64_t end);
  /// The clock is read once a step, not for each record.
  void Tick();

 private:
  journal::Writer& journal_;
  FeedProgress& progress_;
  wire::SingerLineClassifier classifier_;
  std::int64_t now_ = 0;
};

}  // namespace nano::ingest
