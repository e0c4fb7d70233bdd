// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "journal/format.h"
#include "journal/journal.h"
#include "journal/recovery.h"
#include "journal/segment.h"
#include "watch/check_parts.h"

namespace nano::watch {
namespace {

namespace fs = std::filesystem;

Trouble Damaged(Error error) {
  if (error.hint.empty())
    error.hint = "Restore this segment from a backup. What has landed of it is in the tables; without it they can't be landed anew.";
  return {std::move(error), false, {}, {}, {}, {}};
}

/// What the next writer puts right by itself as it opens the journal.
Trouble LeftByAStop(const fs::path& folder, std::string_view what, std::string cure) {
  Trouble torn = MakeTrouble(Code::kNotFound, fmt::format("{}: left by a stop", what));
  torn.harmless = true;
  torn.cure = std::move(cure);
  torn.mend = [folder](Hands&) -> Status {
    ASSIGN(const auto writer, journal::Writer::Open(folder, folder.filename().string()));
    return {};
  };
  return torn;
}

/// What stands behind the last commit. Nothing: well.
Result<std::optional<Trouble>> LookBehind(const fs::path& folder) {
  ASSIGN(const auto segments, journal::ListSegments(folder));
  if (segments.empty()) return std::optional<Trouble>();
  const fs::path path = folder / journal::SegmentName(segments.back());
  auto opened = journal::Segment::Open(path);
  if (!opened) {
    const auto torn = journal::IsTornHeader(path);
    if (opened.error().code != Code::kCorrupt || !torn || !*torn) return tl::make_unexpected(std::move(opened).error());
    return std::optional(LeftByAStop(folder, fmt::format("journal segment \"{}\" has half a header and nothing else", path.filename().string()), "removed"));
  }
  const auto last = *std::move(opened);
  TRY(last->Scan());
  ASSIGN(const std::uint64_t size, last->FileSize());
  if (size <= last->committed_end()) return std::optional<Trouble>();
  ASSIGN(const auto marks, last->FindMarks(last->committed_end()));
  if (marks.count > 1) {
    Error error{Code::kCorrupt, fmt::format("journal segment \"{}\" is damaged at byte {}, before its last commit", path.filename().string(), last->stopped_at()),
                {}, {path.string(), last->stopped_at(), 0}, {}};
    return std::optional(Damaged(std::move(error)));
  }
  return std::optional(LeftByAStop(
      folder, fmt::format("journal segment \"{}\" has {} bytes behind its last commit", path.filename().string(), size - last->committed_end()),
      "cut back to its last commit"));
}

}  // namespace

Check CheckJournal(const fs::path& folder, const Looking& looking, bool others_write) {
  Check check{"journal " + folder.filename().string(), {}, {}};
  auto opened = journal::Reader::Open(folder);
  if (!opened) {
    check.troubles.push_back(Damaged(opened.error()));
    return check;
  }
  journal::Reader& reader = **opened;
  const auto tail = reader.Refresh();
  if (!tail) {
    check.troubles.push_back(Damaged(tail.error()));
    return check;
  }
  std::uint64_t blocks = 0, bytes = 0;
  for (Position at = reader.first(); at < tail->end && !looking.stop();) {
    const auto block = reader.Read(at);
    if (!block) {
      check.troubles.push_back(Damaged(block.error()));
      return check;
    }
    if (!*block || (*block)->size() == 0) {
      check.troubles.push_back(Damaged({Code::kCorrupt, fmt::format("the journal ends at position {} before its last commit at {}", at.value, tail->end.value), {}, {}, {}}));
      return check;
    }
    ++blocks;
    bytes += (*block)->raw_bytes();
    at = (*block)->end();
  }
  check.looked_at = fmt::format("positions {} to {}, {} blocks, {:.1f} MB", reader.first().value, tail->end.value, blocks,
                                static_cast<double>(bytes) / 1e6);
  if (reader.first() < reader.whole_from()) check.looked_at += fmt::format(", base image to {}", reader.whole_from().value);
  if (others_write) return check;
  auto behind = LookBehind(folder);
  if (!behind) check.troubles.push_back(Damaged(behind.error()));
  else if (*behind) check.troubles.push_back(std::move(**behind));
  return check;
}

}  // namespace nano::watch
