// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The time of a run, and all that happens beside its main line: work of the program's own that would be threads elsewhere (here each
/// has a stack of its own, and is gone on with when it is drawn), the server and the network (tickers). One thread.

#include <ucontext.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "draw.h"
#include "io/background.h"
#include "trace.h"

namespace nano::simulation {

class Scheduler final : public Clock, public io::Background {
 public:
  Scheduler(Draw draw, Trace& trace) : draw_(draw), trace_(trace) {}
  ~Scheduler() override;

  /// Is called at every tick.
  void AddTicker(std::function<void()> ticker) { tickers_.push_back(std::move(ticker)); }
  /// Time goes on, and what lies beside the main line. Of the main line alone.
  void Tick();
  /// A place where others may go on; at `kMust` time has passed behind it.
  enum class Passes : bool { kMay, kMust };
  void Pause(Passes passes);
  void JumpWallClock(std::chrono::microseconds by) { wall_ += by.count(); }

  std::int64_t now_micros() override { return wall_; }
  Steady steady() override { return Steady(std::chrono::microseconds(steady_)); }
  void Sleep(std::chrono::nanoseconds time, const std::stop_token& stop) override;
  std::unique_ptr<Work> Start(std::function<void(const std::stop_token&)> work) override;

  std::int64_t steady_micros() const { return steady_; }

 private:
  struct Line;
  class LineWork;
  void Resume(Line& line);
  void Leave();
  static void Enter(unsigned low, unsigned high);

  Draw draw_;
  Trace& trace_;
  std::vector<std::function<void()>> tickers_;
  std::vector<Line*> lines_;          ///< that have not ended; owned by their works
  Line* current_ = nullptr;           ///< null: the main line
  ucontext_t main_{};
  std::int64_t wall_ = 1'800'000'000'000'000, steady_ = 1'000'000'000;
};

}  // namespace nano::simulation
