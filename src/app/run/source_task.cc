// SPDX-License-Identifier: Apache-2.0
#include "app/run/source_task.h"

#include "app/feed_options.h"
#include "base/clock.h"
#include "io/log.h"
#include "io/signals.h"
#include "land/fold.h"
#include "land/singer_state.h"

namespace nano::app {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = contract::Source::Kind;
using std::chrono::milliseconds;

constexpr auto kUpkeepEvery = std::chrono::minutes(10);
/// How often a file is looked at for more.
constexpr milliseconds kLook{200};
/// A file that has not grown for so long says no more of its last transaction.
constexpr milliseconds kFileRests{1000};

bool IsFile(const contract::Source& source) {
  return (source.kind == Kind::kSingerFile || source.kind == Kind::kDebeziumFile) && source.file != "-";
}

}  // namespace

SourceTask::SourceTask(std::shared_ptr<const contract::Contract> contract, const std::string& source, const SourceSurroundings& surroundings)
    : contract_(std::move(contract)), source_(*contract_->source(source)), in_(surroundings), thread_([this] { Run(); }) {}

SourceTask::~SourceTask() {
  stop_ = true;
  thread_.join();
}

bool SourceTask::stopping() const { return stop_ || io::StopRequested() || !pushed_; }

bool SourceTask::Sleep(milliseconds time) {
  const auto until = Clock::now() + time;
  while (!stopping() && Clock::now() < until) std::this_thread::sleep_for(std::min<Clock::duration>(milliseconds(50), until - Clock::now()));
  return !stopping();
}

void SourceTask::Say(SourceState state, const std::string& reason, const std::string& hint) {
  in_.health.Set(source_.name, Health::Part::kReading, {state, reason, hint});
}

void SourceTask::Run() {
  in_.mailbox.Open(source_.name);
  int failures = 0;
  while (!stopping()) {
    const auto started = Clock::now();
    const std::uint64_t size = FileSize();
    if (!WaitWhilePaused()) break;
    const Status read = ReadOn();
    if (stopping()) {
      if (!read && pushed_) in_.health.Fail(source_.name, Health::Part::kReading, read.error(), std::nullopt);
      break;
    }
    if (read) {
      failures = 0;
      if (!WaitForMore(started, size)) break;
      continue;
    }
    if (!MayHealItself(read.error())) {
      in_.health.Fail(source_.name, Health::Part::kReading, read.error(), std::nullopt);
      ended_ = true;
      return;
    }
    // One that worked for a while before it failed is not one that fails each time.
    failures = Clock::now() - started > std::chrono::minutes(2) ? 1 : failures + 1;
    const auto wait = Backoff(failures);
    in_.health.Fail(source_.name, Health::Part::kReading, read.error(), wait);
    if (!Sleep(wait)) break;
  }
  ended_ = true;
  const auto health = in_.health.Of(source_.name);
  if (!health || health->reading.state != SourceState::kFailed) Say(SourceState::kStopped, health && pushed_ ? health->reading.reason : "");
}

Status SourceTask::ReadOn() {
  ASSIGN(const auto journal, journal::Writer::Open(in_.layout.journal(source_.name), source_.name));
  const Position journaled = journal->tail().end;
  ingest::FeedOptions options = FeedOptionsOf(*contract_, in_.layout, source_.name);
  options.follow = true;
  options.posts = in_.posts;
  options.on_log = [this](const std::string& line) { io::Log(io::LogLevel::kInfo, line, {{"source", source_.name}}); };
  TRY(in_.landing.Call([&](lake::Writer& lake) { return CheckJournal(lake.head(), source_.name, journaled); }));
  if (source_.kind == Kind::kSingerTap && journaled.value > 0) {
    // What is journaled counts for the tap only once it has landed.
    Position landed;
    TRY(in_.landing.Call([&](lake::Writer&) -> Status {
      ASSIGN(landed, in_.landing.LandAll(source_.name, journaled));
      return {};
    }));
    ASSIGN(const auto reader, journal::Reader::Open(in_.layout.journal(source_.name)));
    ASSIGN(options.singer_state, land::SingerState(*reader, landed));
  }
  ASSIGN(const auto feed, ingest::OpenFeed(source_, *journal, options));
  Say(SourceState::kRunning);
  Push({{}, journaled, false});   // landing may be behind since an earlier run
  return Pump(*feed, *journal);
}

Status SourceTask::Pump(ingest::Feed& feed, journal::Writer& journal) {
  const auto step_bytes = static_cast<std::size_t>(std::max<std::int64_t>(contract_->storage.commit_bytes, 1));
  while (!stopping()) {
    if (!WaitWhilePaused()) break;
    auto step = feed.Next(step_bytes);
    in_.health.Read(source_.name, feed.progress());
    TRY(step);
    const bool end = step->end, rests = step->rests;
    step->end = false;   // the input may have more later; Run() says when it rests
    if (!step->blocks.empty() || end) Push(*std::move(step));
    if (end) return {};
    if (rests) Push({{}, {}, true});
    TRY(Upkeep(journal));
  }
  return {};
}

void SourceTask::Push(ingest::Step step) {
  std::uint64_t bytes = 0;
  for (const auto& block : step.blocks) bytes += block->raw_bytes();
  if (step.journaled.value > 0) in_.health.Journaled(source_.name, step.journaled, bytes);
  pushed_ = in_.mailbox.Push(source_.name, std::move(step));
}

/// Segments that expired go into the base image, from time to time.
Status SourceTask::Upkeep(journal::Writer& journal) {
  if (!contract_->storage.journal_keep_ms || Clock::now() < next_upkeep_) return {};
  next_upkeep_ = Clock::now() + kUpkeepEvery;
  return in_.landing.Call([&](lake::Writer& lake) -> Status {
    ASSIGN(const auto folded, land::FoldJournal(lake, *contract_, in_.layout, source_.name, journal, NowMicros()));
    if (folded)
      io::Log(io::LogLevel::kInfo, "folded", {{"source", source_.name}, {"expired", static_cast<std::int64_t>(folded->expired)}, {"kept", static_cast<std::int64_t>(folded->kept)}});
    return {};
  });
}

bool SourceTask::WaitWhilePaused() {
  std::string reason = in_.must_wait();
  if (reason.empty()) return !stopping();
  Say(SourceState::kPaused, reason, "It goes on by itself once there is room.");
  while (!stopping() && !(reason = in_.must_wait()).empty()) std::this_thread::sleep_for(milliseconds(200));
  if (!stopping()) Say(SourceState::kRunning);
  return !stopping();
}

std::uint64_t SourceTask::FileSize() const {
  if (!IsFile(source_)) return 0;
  std::error_code error;
  const auto size = std::filesystem::file_size(contract_->folder / source_.file, error);
  return error ? 0 : size;
}

/// After the input's end: until there may be more. False: there never will be, or the source must stop.
bool SourceTask::WaitForMore(Clock::time_point started, std::uint64_t size_before) {
  if (IsFile(source_)) {
    const auto rests = Clock::now() + kFileRests;
    bool told = false;
    while (FileSize() == size_before) {
      if (!told && Clock::now() >= rests) {
        told = true;
        Push({{}, {}, true});
      }
      if (!Sleep(kLook)) return false;
    }
    return true;
  }
  Push({{}, {}, true});
  if (source_.kind == Kind::kSingerTap && source_.tap.every_ms) {
    const auto next = started + milliseconds(*source_.tap.every_ms);
    return Sleep(std::chrono::duration_cast<milliseconds>(std::max<Clock::duration>(next - Clock::now(), milliseconds(0))));
  }
  Say(SourceState::kStopped, source_.kind == Kind::kSingerTap ? "the tap has said all, and has no `every`" : "its input has ended");
  return false;
}

}  // namespace nano::app
