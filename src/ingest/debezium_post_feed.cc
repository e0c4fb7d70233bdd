// SPDX-License-Identifier: Apache-2.0
#include "ingest/debezium_post_feed.h"

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "ingest/checkpoint.h"
#include "ingest/debezium_records.h"
#include "ingest/post_box.h"
#include "io/signals.h"
#include "wire/json_get.h"

namespace nano::ingest {
namespace {

constexpr std::chrono::milliseconds kLook{200};
/// After so long without a post the source's last transaction is taken to be whole, if it does not say when it is.
constexpr std::chrono::milliseconds kRests{1000};
/// A sender repeats what it sent last; each of many senders has one post under way.
constexpr std::size_t kIdsKept = 128;

class DebeziumPostFeed final : public Feed {
 public:
  DebeziumPostFeed(journal::Writer& journal, std::shared_ptr<PostBox> box, const nlohmann::json& checkpoint)
      : journal_(journal), box_(std::move(box)), records_(journal, checkpoint, false), ids_(wire::Get(checkpoint, "posts", std::deque<std::string>{})) {
    if (box_) box_->Open();
  }
  ~DebeziumPostFeed() override {
    if (box_) box_->Close("the source is not read just now");
  }

  Result<Step> Next(std::size_t bytes) override {
    Step step;
    step.journaled = journal_.tail().end;
    if (!box_ || io::StopRequested()) {
      step.end = true;
      return step;
    }
    const auto posts = box_->Take(bytes, kLook);
    if (posts.empty()) {
      step.rests = came_ && NowSteady() - last_came_ >= kRests && !records_.in_transaction();
      if (step.rests) came_ = false;
      return step;
    }
    came_ = true;
    last_came_ = NowSteady();
    records_.SetTime(NowMicros());
    for (const auto& post : posts) TRY(Add(*post));
    progress_.replayed = records_.replayed();
    ASSIGN(step.blocks, journal_.Commit(Checkpoint()));
    step.journaled = journal_.tail().end;
    box_->Answer({});
    return step;
  }
  const FeedProgress& progress() const override { return progress_; }

 private:
  Status Add(const Post& post) {
    const bool sent_again = std::find(ids_.begin(), ids_.end(), post.id) != ids_.end();
    progress_.messages += post.messages.size();
    progress_.bytes += post.bytes;
    if (sent_again && post.id_is_senders) return {};   // nothing of it is new
    for (const auto& message : post.messages) TRY(records_.Add(message, records_.Decode(message), 0, sent_again));
    if (sent_again) return {};
    ids_.push_back(post.id);
    if (ids_.size() > kIdsKept) ids_.pop_front();
    return {};
  }

  std::string Checkpoint() const {
    nlohmann::json json = NewCheckpoint();
    records_.Save(json);
    json["posts"] = ids_;
    return json.dump();
  }

  journal::Writer& journal_;
  std::shared_ptr<PostBox> box_;
  DebeziumRecords records_;
  std::deque<std::string> ids_;     ///< of the last posts
  bool came_ = true;                ///< something did since the source was said to rest; what an earlier run journaled, too
  Clock::Steady last_came_ = NowSteady();
  FeedProgress progress_;
};

}  // namespace

Result<std::unique_ptr<Feed>> OpenDebeziumPosts(journal::Writer& journal, const FeedOptions& options) {
  ASSIGN(const auto checkpoint, ReadCheckpoint(journal.tail().checkpoint));
  return std::unique_ptr<Feed>(std::make_unique<DebeziumPostFeed>(journal, options.posts, checkpoint));
}

}  // namespace nano::ingest
