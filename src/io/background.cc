// SPDX-License-Identifier: Apache-2.0
#include "io/background.h"

#include <atomic>
#include <thread>

namespace nano::io {
namespace {

class ThreadWork final : public Background::Work {
 public:
  explicit ThreadWork(std::function<void(const std::stop_token&)> work)
      : thread_([this, work = std::move(work)](const std::stop_token& stop) {
          work(stop);
          ended_ = true;
        }) {}
  void RequestStop() override { thread_.request_stop(); }
  bool ended() const override { return ended_; }

 private:
  std::atomic<bool> ended_{false};
  std::jthread thread_;   ///< last: it uses what is above
};

class ThreadBackground final : public Background {
 public:
  std::unique_ptr<Work> Start(std::function<void(const std::stop_token&)> work) override { return std::make_unique<ThreadWork>(std::move(work)); }
};

ThreadBackground g_threads;
std::atomic<Background*> g_background{&g_threads};

}  // namespace

Background& TheBackground() { return *g_background.load(std::memory_order_acquire); }
void ReplaceBackground(Background* background) { g_background.store(background != nullptr ? background : &g_threads, std::memory_order_release); }

}  // namespace nano::io
