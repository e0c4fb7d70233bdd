// SPDX-License-Identifier: Apache-2.0
#include "app/ingest_run.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "app/feed_options.h"
#include "base/clock.h"
#include "io/signals.h"
#include "land/singer_state.h"

namespace nano::app {
namespace {

/// What is journaled and waits for landing, at most. A batch takes all that waits, so batches grow while landing is behind.
constexpr std::size_t kWaitingBytes = 112 << 20;
/// Who asks for commits smaller than this wants them so: no batch is made of several.
constexpr std::size_t kGrowsFrom = 1 << 20;

/// Steps on their way from the reading thread to the landing one.
class StepQueue {
 public:
  explicit StepQueue(std::size_t limit) : limit_(limit) {}

  /// Waits for room; false: landing has given up.
  bool Push(Result<ingest::Step> step) {
    std::size_t bytes = 0;
    if (step)
      for (const auto& block : step->blocks) bytes += block->raw_bytes();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.empty() || bytes_ + bytes <= limit_ || closed_; });
    if (closed_) return false;
    waiting_.push_back(std::move(step));
    bytes_ += bytes;
    changed_.notify_all();
    return true;
  }
  /// All that waits (if `limit` is 0: one step), or nothing after `wait`.
  std::deque<Result<ingest::Step>> Pop(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    std::deque<Result<ingest::Step>> steps;
    if (!changed_.wait_for(lock, wait, [&] { return !waiting_.empty(); })) return steps;
    if (limit_ > 0) {
      steps.swap(waiting_);
    } else {
      steps.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    bytes_ = 0;
    changed_.notify_all();
    return steps;
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
  const std::size_t limit_;
  mutable std::mutex mutex_;  // guards all that follows
  std::condition_variable changed_;
  std::deque<Result<ingest::Step>> waiting_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
  ingest::FeedProgress progress_;
};

class SourceRun {
 public:
  SourceRun(lake::Writer& lake, std::shared_ptr<const contract::Contract> contract, const contract::Layout& layout,
            const contract::Source& source, const IngestWatch& watch)
      : lake_(lake), contract_(std::move(contract)), layout_(layout), source_(source), watch_(watch),
        step_bytes_(static_cast<std::size_t>(std::max<std::int64_t>(contract_->storage.commit_bytes, 1))),
        queue_(step_bytes_ >= kGrowsFrom ? kWaitingBytes : 0) {}

  SourceOutcome Run() {
    SourceOutcome outcome;
    outcome.source = source_.name;
    if (Status status = Ingest(outcome); !status) outcome.error = std::move(status).error();
    if (lander_) outcome.landed = lander_->counters();
    return outcome;
  }

 private:
  Status Ingest(SourceOutcome& outcome) {
    const auto at = lake_.head().sources.find(source_.name);
    const Position landed = at == lake_.head().sources.end() ? Position{} : at->second;
    ASSIGN(const auto journal, journal::Writer::Open(layout_.journal(source_.name), source_.name));
    const Position journaled = journal->tail().end;
    TRY(CheckJournal(lake_.head(), source_.name, journaled));
    std::unique_ptr<journal::Reader> reader;
    if (journaled.value > 0) { ASSIGN(reader, journal::Reader::Open(layout_.journal(source_.name))); }

    ingest::FeedOptions options = FeedOptionsOf(*contract_, layout_, source_.name);
    if (reader && source_.kind == contract::Source::Kind::kSingerTap) {
      // What is journaled counts for the tap only once it has landed.
      ASSIGN(lander_, land::Lander::Open(lake_, contract_, source_.name));
      TRY(lander_->CatchUp(*reader));
      TRY(lander_->Take({}, land::InputEnds::kYes));
      ASSIGN(options.singer_state, land::SingerState(*reader, lander_->next()));
    }
    options.on_log = [this](const std::string& line) {
      if (watch_.on_log) watch_.on_log(source_.name, line);
    };
    ASSIGN(const auto feed, ingest::OpenFeed(source_, *journal, options));
    queue_.Tell(feed->progress());
    const Status status = Pump(*feed, landed < journaled ? reader.get() : nullptr);
    outcome.read = feed->progress();
    TRY(status);
    if (io::StopRequested()) return {};
    ASSIGN(outcome.folded, land::FoldJournal(lake_, *contract_, layout_, source_.name, *journal, NowMicros()));
    return {};
  }

  /// Reads in a thread of its own, and lands here; first what `reader` has from earlier runs.
  Status Pump(ingest::Feed& feed, journal::Reader* reader) {
    std::jthread reading([&] { Read(feed); });
    const Status status = LandAll(reader);
    queue_.Close();
    return status;
  }

  Status LandAll(journal::Reader* reader) {
    if (!lander_) { ASSIGN(lander_, land::Lander::Open(lake_, contract_, source_.name)); }
    if (reader) TRY(lander_->CatchUp(*reader));
    Intake intake;
    std::vector<journal::BlockPtr> blocks;
    while (!intake.end && intake.status) {
      Pop(intake, blocks);
      const bool behind = intake.journaled > (blocks.empty() ? lander_->taken() : blocks.back()->end());
      if (blocks.empty() && !intake.end && !behind) continue;
      // While one statement appends rows as they come, it asks for them itself.
      const auto more = [&](std::vector<journal::BlockPtr>& further) {
        while (!intake.end && intake.status) {
          Pop(intake, further);
          if (!further.empty()) return journal::Cover(further, lander_->taken(), further.back()->end());
          if (intake.journaled > lander_->taken()) return false;
        }
        return !further.empty();
      };
      // What came before an error lands all the same.
      if (Status landed = Land(std::exchange(blocks, {}), intake, step_bytes_ >= kGrowsFrom ? more : land::MoreBlocks()); !landed && intake.status)
        intake.status = std::move(landed);
    }
    // What a stream of rows left over, or what was journaled without being kept.
    if (Status landed = Land({}, intake, nullptr); !landed && intake.status) intake.status = std::move(landed);
    return std::move(intake.status);
  }

  /// What came from the reading thread so far.
  struct Intake {
    Status status;
    bool end = false;
    Position journaled;
  };

  void Pop(Intake& intake, std::vector<journal::BlockPtr>& blocks) {
    auto steps = queue_.Pop(std::chrono::milliseconds(250));
    if (watch_.on_progress) watch_.on_progress(source_.name, queue_.progress(), lander_->counters());
    for (auto& step : steps) {
      if (!step) {
        intake.status = tl::make_unexpected(step.error());
        break;
      }
      blocks.insert(blocks.end(), step->blocks.begin(), step->blocks.end());
      intake.journaled = std::max(intake.journaled, step->journaled);
      intake.end = intake.end || step->end;
    }
  }

  /// From memory where the journal kept the blocks, else from its files.
  Status Land(std::vector<journal::BlockPtr> blocks, Intake& intake, const land::MoreBlocks& more) {
    if (!journal::Cover(blocks, lander_->taken(), intake.journaled)) {
      blocks.clear();
      ASSIGN(const auto reader, journal::Reader::Open(layout_.journal(source_.name)));
      TRY(lander_->CatchUp(*reader));
    }
    return lander_->Take(std::move(blocks), intake.end ? land::InputEnds::kYes : land::InputEnds::kNo, more);
  }

  /// The reading thread: until the end, an error, or until landing gives up.
  void Read(ingest::Feed& feed) {
    while (true) {
      auto step = feed.Next(step_bytes_);
      queue_.Tell(feed.progress());
      const bool last = !step || step->end;
      if (!queue_.Push(std::move(step)) || last) return;
    }
  }

  lake::Writer& lake_;
  std::shared_ptr<const contract::Contract> contract_;
  const contract::Layout& layout_;
  const contract::Source& source_;
  const IngestWatch& watch_;
  const std::size_t step_bytes_;
  std::unique_ptr<land::Lander> lander_;
  StepQueue queue_;
};

}  // namespace

std::vector<SourceOutcome> RunIngest(lake::Writer& lake, std::shared_ptr<const contract::Contract> contract,
                                     const contract::Layout& layout, const std::vector<std::string>& sources,
                                     const IngestWatch& watch) {
  const std::set<std::string> used = contract->used_sources();
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
