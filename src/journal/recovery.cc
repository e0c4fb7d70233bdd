// SPDX-License-Identifier: Apache-2.0
#include "journal/recovery.h"

#include <errno.h>
#include <unistd.h>

#include <cstring>

#include "io/fault.h"
#include "io/files.h"
#include "journal/format.h"
#include "journal/segment.h"

namespace nano::journal {
namespace {

Status Remove(const std::filesystem::path& path) {
  TRY(io::PassOrFail("journal.remove"));
  if (::unlink(path.c_str()) != 0) return Fail(Code::kUnavailable, "could not remove journal segment \"{}\": {}", path.string(), std::strerror(errno));
  return io::SyncFolder(path.parent_path(), "journal.remove");
}

/// The last segment, scanned to its last commit that really is one.
Result<std::unique_ptr<Segment>> OpenLast(const std::filesystem::path& path) {
  ASSIGN(auto segment, Segment::Open(path));
  TRY(segment->Scan());
  const auto damage = [&](std::uint64_t at) {
    auto failure = Fail(Code::kCorrupt, "journal segment \"{}\" is damaged at byte {}, before its last commit", path.filename().string(), at);
    failure.value().place = {path.string(), at, 0};
    return failure;
  };
  // A mark behind what can't be read says that it was written once. Only the last commit may lack a part: its mark may
  // have reached the disk before its blocks did, in a power cut in which Commit() never returned.
  ASSIGN(const auto marks, segment->FindMarks(segment->committed_end()));
  if (marks.count > 0) {
    ASSIGN(const bool unwritten, segment->HasUnwrittenSector(segment->committed_end(), marks.first));
    if (marks.count > 1 || !unwritten) return damage(segment->stopped_at());
  }
  if (segment->has_commit()) {
    auto verified = segment->VerifyLastCommit();
    if (!verified) {
      const std::uint64_t begin = segment->last_commit_begin();
      ASSIGN(const bool unwritten, segment->HasUnwrittenSector(begin, segment->committed_end()));
      if (!unwritten || marks.count > 0) return tl::make_unexpected(std::move(verified).error());
      ASSIGN(segment, Segment::Open(path));
      TRY(segment->Scan(begin));
    }
  }
  return segment;
}

}  // namespace

Result<bool> IsTornHeader(const std::filesystem::path& path) {
  ASSIGN(const std::string bytes, io::ReadFile(path, kMaxSegmentHeader + 4096));
  return bytes.size() <= kMaxSegmentHeader && bytes.find(kFrameMagic) == std::string::npos;
}

Result<Recovered> Recover(const std::filesystem::path& folder, const std::string& source) {
  ASSIGN(auto segments, ListSegments(folder));
  std::unique_ptr<Segment> last;
  while (!segments.empty()) {
    const std::filesystem::path path = folder / SegmentName(segments.back());
    auto opened = OpenLast(path);
    if (opened) {
      last = *std::move(opened);
      break;
    }
    if (opened.error().code != Code::kCorrupt) return tl::make_unexpected(std::move(opened).error());
    auto torn = IsTornHeader(path);
    if (!torn || !*torn) return tl::make_unexpected(std::move(opened).error());
    TRY(Remove(path));
    segments.pop_back();
  }
  Recovered recovered;
  if (last == nullptr) return recovered;
  if (last->source() != source) {
    return Fail(Code::kInvalid, "the journal in \"{}\" is of source \"{}\", not of \"{}\"", folder.string(), last->source(), source);
  }
  recovered.tail = {last->end(), last->checkpoint()};
  if (!last->has_commit() && segments.size() > 1) {
    ASSIGN(auto before, OpenLast(folder / SegmentName(segments[segments.size() - 2])));
    if (before->end() != last->first()) {
      auto failure = Fail(Code::kCorrupt, "journal segment \"{}\" ends at position {}, but the next one starts at {}",
                          before->path().filename().string(), before->end().value, last->first().value);
      failure.value().place = {before->path().string(), before->stopped_at(), 0};
      return failure;
    }
    recovered.tail.checkpoint = before->checkpoint();
  }
  // A process that died may have left a whole commit that was not made durable; from now on it counts. So may the segment's name be.
  TRY(io::SyncFile(last->path(), "journal.recover"));
  TRY(io::SyncFolder(folder, "journal.recover"));
  recovered.first = last->first();
  recovered.dictionary = last->dictionary();
  ASSIGN(recovered.writer, FrameWriter::Continue(last->path(), last->seed(), last->committed_end()));
  return recovered;
}

}  // namespace nano::journal
