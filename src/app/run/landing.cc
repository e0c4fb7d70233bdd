// SPDX-License-Identifier: Apache-2.0
#include "app/run/landing.h"

#include <utility>

#include "io/log.h"

namespace nano::app {

Landing::Landing(WarehouseWriter& writer, std::shared_ptr<const contract::Contract> contract, contract::Layout layout, Mailbox& mailbox, Health& health,
                 LandingWatch watch)
    : writer_(writer), contract_(std::move(contract)), layout_(std::move(layout)), mailbox_(mailbox), health_(health), watch_(std::move(watch)),
      thread_([this] { Run(); }) {}

Landing::~Landing() { Drain(); }

void Landing::Drain() {
  draining_ = true;
  mailbox_.Wake();
  if (thread_.joinable()) thread_.join();
}

Status Landing::Call(std::function<Status(lake::Writer&)> work) {
  Called call{std::move(work), {}, false};
  std::unique_lock lock(mutex_);
  calls_.push_back(&call);
  mailbox_.Wake();
  called_.wait(lock, [&] { return call.done; });
  return std::move(call.result);
}

void Landing::Run() {
  while (true) {
    last_beat_ = Clock::now();
    const bool last = draining_;   // what was pushed before is in the mailbox now
    for (auto& [name, mail] : mailbox_.Take(std::chrono::milliseconds(last ? 0 : 250))) {
      Source& source = sources_[name];
      // Of one that waits to be tried again nothing is kept in memory: the journal has it.
      if (!source.failed && Clock::now() >= source.retry_at) source.blocks.insert(source.blocks.end(), mail.blocks.begin(), mail.blocks.end());
      source.journaled = std::max(source.journaled, mail.journaled);
      source.end = source.end || mail.end;
    }
    RunCalls();
    for (auto& [name, source] : sources_) LandSource(name, source);
    if (last && !RunCalls()) return;
  }
}

bool Landing::RunCalls() {
  std::unique_lock lock(mutex_);
  const bool some = !calls_.empty();
  while (!calls_.empty()) {
    Called* const call = calls_.front();
    calls_.pop_front();
    lock.unlock();
    if (lake_in_doubt_) ReopenLake();
    Status result = lake_in_doubt_ ? Status(Fail(Code::kUnavailable, "the tables can't be opened for writing now")) : call->work(writer_.lake());
    lock.lock();
    call->result = std::move(result);
    call->done = true;
    called_.notify_all();
  }
  return some;
}

void Landing::SetContract(std::shared_ptr<const contract::Contract> contract) {
  contract_ = std::move(contract);
  for (auto& [name, source] : sources_) {
    source.lander.reset();   // its plans are of the contract before
    source.blocks.clear();
    source.failed = false;
    source.retry_at = {};
  }
}

void Landing::Forgive(const std::string& name) {
  Source& source = sources_[name];
  source.failed = false;
  source.failures = 0;
  source.retry_at = {};
  source.lander.reset();
  source.blocks.clear();
}

Result<Position> Landing::LandAll(const std::string& name, Position journaled) {
  Source& source = sources_[name];
  source.journaled = std::max(source.journaled, journaled);
  source.end = true;
  TRY(TryLand(name, source));
  return source.lander->next();
}

void Landing::LandSource(const std::string& name, Source& source) {
  if (source.failed || Clock::now() < source.retry_at) return;
  if (lake_in_doubt_) ReopenLake();
  if (lake_in_doubt_) return;
  const bool work = !source.blocks.empty() || source.end || (source.lander ? source.journaled > source.lander->taken() : source.journaled.value > 0);
  if (!work) return;
  if (const Status landed = TryLand(name, source); !landed) Failed(name, source, landed.error());
}

/// From memory where its blocks are all there, else from the journal's files.
Status Landing::TryLand(const std::string& name, Source& source) {
  const auto began = Clock::now();
  last_beat_ = began;
  if (!source.lander) { ASSIGN(source.lander, land::Lander::Open(writer_.lake(), contract_, name)); }
  land::Lander& lander = *source.lander;
  const std::uint64_t commits = lander.counters().commits;
  std::vector<journal::BlockPtr> blocks = std::exchange(source.blocks, {});
  if (!journal::Cover(blocks, lander.taken(), source.journaled)) {
    blocks.clear();
    ASSIGN(const auto reader, journal::Reader::Open(layout_.journal(name)));
    TRY(lander.CatchUp(*reader));
  }
  TRY(lander.Take(std::move(blocks), source.end ? land::InputEnds::kYes : land::InputEnds::kNo));
  source.end = false;
  source.failures = 0;
  health_.Set(name, Health::Part::kLanding, {SourceState::kRunning, "", ""});
  health_.Landed(name, lander.next(), lander.counters());
  if (lander.counters().commits > commits && watch_.on_commit) watch_.on_commit(name, lander.TakeLanded(), Clock::now() - began);
  return {};
}

void Landing::Failed(const std::string& name, Source& source, const Error& error) {
  source.lander.reset();
  source.blocks.clear();
  if (error.code == Code::kOutcomeUnknown || error.code == Code::kConflict) lake_in_doubt_ = true;
  if (MayHealItself(error)) {
    const auto wait = Backoff(++source.failures);
    source.retry_at = Clock::now() + wait;
    health_.Fail(name, Health::Part::kLanding, error, wait);
    return;
  }
  source.failed = true;
  health_.Fail(name, Health::Part::kLanding, error, std::nullopt);
  mailbox_.Close(name);   // its reading ends, too
}

void Landing::ReopenLake() {
  for (auto& [name, source] : sources_) {
    source.lander.reset();
    source.blocks.clear();
  }
  const std::unique_lock lock(lake_mutex_);
  const Status opened = writer_.ReopenLake();
  lake_in_doubt_ = !opened;
  if (!opened) io::Log(io::LogLevel::kError, "the tables can't be opened for writing", {{"reason", opened.error().message}});
}

}  // namespace nano::app
