// SPDX-License-Identifier: Apache-2.0
#include "scheduler.h"

#include <algorithm>

#include "base/check.h"

namespace nano::simulation {
namespace {

constexpr std::size_t kStack = 512 << 10;
/// Work that does not end within so many ticks of being told to never will.
constexpr int kPatience = 1'000'000;

}  // namespace

struct Scheduler::Line {
  Scheduler* scheduler = nullptr;
  std::function<void(const std::stop_token&)> work;
  std::stop_source stop;
  std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStack);
  ucontext_t context{};
  std::int64_t sleeps_until = 0;
  bool ended = false;
};

class Scheduler::LineWork final : public io::Background::Work {
 public:
  LineWork(Scheduler& scheduler, std::unique_ptr<Line> line) : scheduler_(scheduler), line_(std::move(line)) {}
  ~LineWork() override {
    line_->stop.request_stop();
    NANO_CHECK(scheduler_.current_ == nullptr);
    for (int n = 0; !line_->ended; ++n) {
      NANO_CHECK(n < kPatience);
      scheduler_.Resume(*line_);
      if (!line_->ended) scheduler_.Tick();
    }
  }
  void RequestStop() override { line_->stop.request_stop(); }
  bool ended() const override { return line_->ended; }

 private:
  Scheduler& scheduler_;
  std::unique_ptr<Line> line_;
};

Scheduler::~Scheduler() { NANO_CHECK(lines_.empty()); }

std::unique_ptr<io::Background::Work> Scheduler::Start(std::function<void(const std::stop_token&)> work) {
  auto line = std::make_unique<Line>();
  line->scheduler = this;
  line->work = std::move(work);
  ::getcontext(&line->context);
  line->context.uc_stack.ss_sp = line->stack.get();
  line->context.uc_stack.ss_size = kStack;
  line->context.uc_link = nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(line.get());
  ::makecontext(&line->context, reinterpret_cast<void (*)()>(&Scheduler::Enter), 2, static_cast<unsigned>(address), static_cast<unsigned>(address >> 32));
  lines_.push_back(line.get());
  return std::make_unique<LineWork>(*this, std::move(line));
}

void Scheduler::Enter(unsigned low, unsigned high) {
  auto* const line = reinterpret_cast<Line*>(static_cast<std::uintptr_t>(high) << 32 | low);
  line->work(line->stop.get_token());
  line->work = nullptr;
  line->ended = true;
  line->scheduler->Leave();
}

void Scheduler::Resume(Line& line) {
  NANO_CHECK(current_ == nullptr && !line.ended);
  current_ = &line;
  ::swapcontext(&main_, &line.context);
  current_ = nullptr;
  if (line.ended) std::erase(lines_, &line);
}

void Scheduler::Leave() { ::swapcontext(&current_->context, &main_); }

void Scheduler::Tick() {
  NANO_CHECK(current_ == nullptr);
  const std::int64_t passed = draw_.Chance(0.02) ? draw_.Between(20'000, 2'000'000) : draw_.Between(50, 8'000);
  steady_ += passed;
  wall_ += passed;
  for (const auto& ticker : tickers_) ticker();
  const std::vector<Line*> lines = lines_;
  for (Line* const line : lines)
    if ((line->sleeps_until <= steady_ || line->stop.stop_requested()) && draw_.Chance(0.6)) Resume(*line);
}

void Scheduler::Pause(Passes passes) {
  if (passes == Passes::kMay && !draw_.Chance(0.3)) return;
  if (current_ != nullptr) Leave();
  else Tick();
}

void Scheduler::Sleep(std::chrono::nanoseconds time, const std::stop_token& stop) {
  const std::int64_t until = steady_ + time.count() / 1000;
  while (steady_ < until && !stop.stop_requested()) {
    if (current_ != nullptr) current_->sleeps_until = until;
    Pause(Passes::kMust);
  }
}

}  // namespace nano::simulation
