// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.h"
#include "journal/base.h"
#include "journal/format.h"
#include "journal/journal.h"
#include "journal/segment.h"

namespace nano::journal {
namespace {

class LogReader final : public Reader {
 public:
  explicit LogReader(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Result<Tail> Refresh() override {
    std::error_code error;
    if (segments_.empty() || !std::filesystem::exists(Path(segments_.front()), error)) TRY(List());
    for (;;) {
      const std::uint64_t seen = tail_->committed_end();
      TRY(tail_->Scan());
      // What another process will act upon must not vanish in a power cut; the writer may still be about to sync it.
      if (tail_->committed_end() != seen) TRY(tail_->Sync());
      if (tail_->end() == tail_->first()) break;
      auto next = Segment::Open(Path(tail_->end()));
      if (!next) {
        // Not there, or not whole yet: the writer makes it durable before it commits anything to it.
        if (next.error().code == Code::kNotFound || next.error().code == Code::kCorrupt) break;
        return tl::make_unexpected(std::move(next).error());
      }
      segments_.push_back((*next)->first());
      const std::string checkpoint = Checkpoint();
      tail_ = *std::move(next);
      earlier_checkpoint_ = checkpoint;
    }
    return Tail{tail_->end(), Checkpoint()};
  }

  Position first() const override { return base_end_ ? Position{} : segments_.front(); }
  Position whole_from() const override { return segments_.front(); }

  Result<BlockPtr> Read(Position at) override {
    auto block = ReadKept(at);
    // Segments that were listed may have become part of the base image since.
    if (block || block.error().code != Code::kNotFound) return block;
    TRY(List());
    TRY(Refresh());
    return ReadKept(at);
  }

  Result<BlockPtr> ReadKept(Position at) {
    if (at >= tail_->end()) return BlockPtr();
    if (base_end_ && at < *base_end_) {
      if (base_ == nullptr || base_->end() != *base_end_) { ASSIGN(base_, BaseImage::Open(folder_, *base_end_)); }
      return base_->Read(at);
    }
    if (at < segments_.front()) return Fail(Code::kNotFound, "position {} is no longer in the journal, which starts at {}", at.value, segments_.front().value);
    if (at >= tail_->first()) return tail_->Read(at);
    const auto found = std::upper_bound(segments_.begin(), segments_.end(), at);
    NANO_CHECK(found != segments_.begin() && found != segments_.end());
    if (closed_ == nullptr || closed_->first() != *(found - 1)) {
      ASSIGN(auto segment, Segment::Open(Path(*(found - 1))));
      TRY(segment->Scan());
      if (segment->end() != *found) {
        auto failure = Fail(Code::kCorrupt, "journal segment \"{}\" is damaged at byte {}: it should go on to position {}",
                            segment->path().filename().string(), segment->stopped_at(), found->value);
        failure.value().place = {segment->path().string(), segment->stopped_at(), 0};
        return failure;
      }
      closed_ = std::move(segment);
    }
    return closed_->Read(at);
  }

  /// Lists the folder anew; the last segment whose header is whole is the tail.
  Status List() {
    ASSIGN(auto segments, ListSegments(folder_));
    ASSIGN(base_end_, FindBase(folder_));
    // While a base image takes the place of segments, a listing may have neither.
    for (int tries = 0; base_end_ && tries < 3 && !std::binary_search(segments.begin(), segments.end(), *base_end_); ++tries) {
      ASSIGN(segments, ListSegments(folder_));
      ASSIGN(base_end_, FindBase(folder_));
    }
    if (base_end_) {
      if (!std::binary_search(segments.begin(), segments.end(), *base_end_)) {
        auto failure = Fail(Code::kCorrupt, "the base image \"{}\" ends at position {}, but no journal segment starts there", BaseName(*base_end_), base_end_->value);
        failure.value().place = {(folder_ / BaseName(*base_end_)).string(), 0, 0};
        return failure;
      }
      segments.erase(segments.begin(), std::lower_bound(segments.begin(), segments.end(), *base_end_));
    }
    while (!segments.empty()) {
      auto opened = Segment::Open(Path(segments.back()));
      if (opened) {
        tail_ = *std::move(opened);
        break;
      }
      // Only the last one may be half made; behind whole ones damage is found when it is read.
      if (opened.error().code != Code::kCorrupt && opened.error().code != Code::kNotFound) return tl::make_unexpected(std::move(opened).error());
      segments.pop_back();
    }
    if (segments.empty()) return Fail(Code::kNotFound, "there is no journal in \"{}\"", folder_.string());
    segments_ = std::move(segments);
    closed_.reset();
    earlier_checkpoint_.clear();
    TRY(tail_->Scan());
    TRY(tail_->Sync());
    if (!tail_->has_commit() && segments_.size() > 1) {
      ASSIGN(auto before, Segment::Open(Path(segments_[segments_.size() - 2])));
      TRY(before->Scan());
      earlier_checkpoint_ = before->checkpoint();
    }
    return {};
  }

 private:
  std::filesystem::path Path(Position first) const { return folder_ / SegmentName(first); }
  std::string Checkpoint() const { return tail_->has_commit() ? tail_->checkpoint() : earlier_checkpoint_; }

  std::filesystem::path folder_;
  std::vector<Position> segments_;          // their first positions
  std::optional<Position> base_end_;        // of the base image, if there is one: segments before it no longer count
  std::unique_ptr<BaseImage> base_;         // opened when it is read
  std::unique_ptr<Segment> tail_;           // the last of them
  std::unique_ptr<Segment> closed_;         // the one before it that was read last
  std::string earlier_checkpoint_;          // of the segment before the tail
};

}  // namespace

Result<std::unique_ptr<Reader>> Reader::Open(const std::filesystem::path& folder) {
  auto reader = std::make_unique<LogReader>(folder);
  TRY(reader->List());
  return reader;
}

}  // namespace nano::journal
