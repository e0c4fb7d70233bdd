// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The landing thread of a running warehouse: takes what the sources have journaled and lands it, a batch of one source
/// after the other, as the lake has one writer. A source that can't be landed is tried again later, from its journal, or waits for a
/// person; the others go on. Whatever else must write the lake (apply, retry, upkeep) is called here, between batches.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

#include "app/run/health.h"
#include "app/run/mailbox.h"
#include "app/warehouse.h"
#include "land/lander.h"

namespace nano::app {

struct LandingWatch {
  /// After a commit; from the landing thread.
  std::function<void(const std::string& source, const std::map<std::string, land::TableLanded>& tables, std::chrono::duration<double> took)> on_commit;
};

class Landing {
 public:
  Landing(WarehouseWriter& writer, std::shared_ptr<const contract::Contract> contract, contract::Layout layout, Mailbox& mailbox, Health& health,
          LandingWatch watch);
  ~Landing();
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;

  /// Runs `work` in the landing thread, between batches, and waits for it. Not from that thread.
  Status Call(std::function<Status(lake::Writer&)> work);
  /// Within Call(): another contract counts from now on.
  void SetContract(std::shared_ptr<const contract::Contract> contract);
  /// Within Call(): lands all that the journal of `source` holds, as if its input had ended; the end of what has landed.
  Result<Position> LandAll(const std::string& source, Position journaled);
  /// Within Call(): an earlier failure of the source no longer counts.
  void Forgive(const std::string& source);

  /// Lands what waits, then ends. Sources must have ended before.
  void Drain();
  /// When the thread last began a batch or found nothing to do: one that hangs is told by it.
  std::chrono::steady_clock::time_point last_beat() const { return last_beat_.load(); }
  /// Keeps the lake from being opened anew while somebody else uses its database.
  std::shared_lock<std::shared_mutex> HoldLake() { return std::shared_lock(lake_mutex_); }
  engine::Database& database() { return writer_.lake().database(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Source {
    std::unique_ptr<land::Lander> lander;
    std::vector<journal::BlockPtr> blocks;
    Position journaled;
    bool end = false;
    bool failed = false;            ///< waits for a person
    int failures = 0;               ///< in a row
    Clock::time_point retry_at{};
  };
  struct Called {
    std::function<Status(lake::Writer&)> work;
    Status result;
    bool done = false;
  };

  void Run();
  bool RunCalls();
  void LandSource(const std::string& name, Source& source);
  Status TryLand(const std::string& name, Source& source);
  void Failed(const std::string& name, Source& source, const Error& error);
  void ReopenLake();

  WarehouseWriter& writer_;
  std::shared_ptr<const contract::Contract> contract_;
  const contract::Layout layout_;
  Mailbox& mailbox_;
  Health& health_;
  const LandingWatch watch_;
  std::map<std::string, Source> sources_;       // of the landing thread
  bool lake_in_doubt_ = false;                  // it must be opened anew before anything else

  std::mutex mutex_;                            // guards calls_
  std::condition_variable called_;
  std::deque<Called*> calls_;
  std::shared_mutex lake_mutex_;
  std::atomic<Clock::time_point> last_beat_{Clock::now()};
  std::atomic<bool> draining_{false};
  std::jthread thread_;                         // last: it uses all of the above
};

}  // namespace nano::app
