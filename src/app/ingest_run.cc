// SPDX-License-Identifier: Apache-2.0
#include "app/ingest_run.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "io/signals.h"
#include "land/stream_facts.h"

namespace nano::app {
namespace {

/// A batch grows up to this many times commit_bytes while landing is behind.
constexpr std::size_t kGrowth = 4;
/// Who asks for commits smaller than this wants them so.
constexpr std::size_t kGrowsFrom = 1 << 20;

/// Steps on their way from the reading thread to the landing one; at most one waits.
class StepQueue {
 public:
  /// Waits for room; false: landing has given up.
  bool Push(Result<ingest::Step> step) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_ || closed_; });
    if (closed_) return false;
    waiting_.emplace(std::move(step));
    changed_.notify_all();
    return true;
  }
  /// The next step, or nothing after `wait`.
  std::optional<Result<ingest::Step>> Pop(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, wait, [&] { return waiting_.has_value(); })) return std::nullopt;
    auto step = std::move(waiting_);
    waiting_.reset();
    changed_.notify_all();
    return step;
  }
  bool busy() const {
    const std::lock_guard lock(mutex_);
    return waiting_.has_value();
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  /// Progress as the reading thread left it.
  void Tell(const ingest::FeedProgress& progress) {
    const std::lock_guard lock(mutex_);
    progress_ = progress;
  }
  ingest::FeedProgress progress() const {
    const std::lock_guard lock(mutex_);
    return progress_;
  }

 private:
  mutable std::mutex mutex_;  // guards all that follows
  std::condition_variable changed_;
  std::optional<Result<ingest::Step>> waiting_;
  bool closed_ = false;
  ingest::FeedProgress progress_;
};

class SourceRun {
 public:
  SourceRun(lake::Writer& lake, std::shared_ptr<const contract::Contract> contract, const contract::Layout& layout,
            const contract::Source& source, const IngestWatch& watch)
      : lake_(lake), contract_(std::move(contract)), layout_(layout), source_(source), watch_(watch) {}

  SourceOutcome Run() {
    SourceOutcome outcome;
    outcome.source = source_.name;
    if (Status status = Ingest(outcome); !status) outcome.error = std::move(status).error();
    if (lander_) outcome.landed = lander_->counters();
    return outcome;
  }

 private:
  Status Ingest(SourceOutcome& outcome) {
    ASSIGN(lander_, land::Lander::Open(lake_, contract_, source_.name));
    ASSIGN(const auto journal, journal::Writer::Open(layout_.journal(source_.name), source_.name));
    if (lander_->next() > journal->tail().end)
      return Fail(Code::kCorrupt, "the journal of source \"{}\" ends at {}, before position {} that has landed", source_.name,
                  journal->tail().end.value, lander_->next().value);
    if (lander_->next() < journal->tail().end) {
      ASSIGN(const auto reader, journal::Reader::Open(layout_.journal(source_.name)));
      TRY(lander_->CatchUp(*reader));
    }
    ingest::FeedOptions options;
    options.folder = contract_->folder;
    options.commit_every = std::chrono::milliseconds(contract_->storage.commit_every_ms);
    ASSIGN(options.singer_state, land::SingerState(lake_.connection(), source_.name));
    options.on_log = [this](const std::string& line) {
      if (watch_.on_log) watch_.on_log(source_.name, line);
    };
    ASSIGN(const auto feed, ingest::OpenFeed(source_, *journal, options));
    queue_.Tell(feed->progress());
    const Status landed = Pump(*feed);
    outcome.read = feed->progress();
    return landed;
  }

  Status Pump(ingest::Feed& feed) {
    std::jthread reading([&] { Read(feed); });
    Status status;
    bool end = false;
    while (!end && status) {
      auto step = queue_.Pop(std::chrono::milliseconds(250));
      if (watch_.on_progress) watch_.on_progress(source_.name, queue_.progress(), lander_->counters());
      if (!step) continue;
      if (!*step) {
        status = tl::make_unexpected((*step).error());
        break;
      }
      end = (**step).end;
      status = lander_->Take((**step).blocks, end ? land::InputEnds::kYes : land::InputEnds::kNo);
    }
    queue_.Close();
    return status;
  }

  /// The reading thread: until the end, an error, or until landing gives up.
  void Read(ingest::Feed& feed) {
    const auto base = static_cast<std::size_t>(std::max<std::int64_t>(contract_->storage.commit_bytes, 1));
    std::size_t bytes = base;
    while (true) {
      auto step = feed.Next(bytes);
      queue_.Tell(feed.progress());
      const bool last = !step || step->end;
      if (queue_.busy() && base >= kGrowsFrom) bytes = std::min(bytes * 2, base * kGrowth);
      if (!queue_.Push(std::move(step)) || last) return;
    }
  }

  lake::Writer& lake_;
  std::shared_ptr<const contract::Contract> contract_;
  const contract::Layout& layout_;
  const contract::Source& source_;
  const IngestWatch& watch_;
  std::unique_ptr<land::Lander> lander_;
  StepQueue queue_;
};

}  // namespace

std::vector<SourceOutcome> RunIngest(lake::Writer& lake, std::shared_ptr<const contract::Contract> contract,
                                     const contract::Layout& layout, const std::vector<std::string>& sources,
                                     const IngestWatch& watch) {
  std::set<std::string> used;
  for (const auto& table : contract->tables)
    for (const auto& feed : table.sources) used.insert(feed.source);
  std::vector<SourceOutcome> outcomes;
  for (const auto& source : contract->sources) {
    const bool wanted = sources.empty() ? used.count(source.name) > 0
                                        : std::find(sources.begin(), sources.end(), source.name) != sources.end();
    if (!wanted || io::StopRequested()) continue;
    outcomes.push_back(SourceRun(lake, contract, layout, source, watch).Run());
  }
  return outcomes;
}

}  // namespace nano::app
