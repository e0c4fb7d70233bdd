// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The replication slots of a running warehouse's sources, looked at by a thread of their own: a source that is stopped, fails or
/// is landed too slowly holds back its database's log all the same. Warns, and drops a slot above `max_wal`.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "app/run/health.h"
#include "contract/model.h"
#include "ingest/postgres_slot_watch.h"

namespace nano::app {

class Slots {
 public:
  /// `contract` is asked each time; `dropped` is told after a slot is gone, from the thread.
  Slots(Health& health, std::function<std::shared_ptr<const contract::Contract>()> contract, std::function<void(const std::string& source, const std::string& why)> dropped);
  ~Slots() = default;
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

 private:
  void Run(const std::stop_token& stop);
  void LookAtAll(const contract::Contract& contract);
  void LookAt(const contract::Source& source, ingest::SlotWatch& watch);

  Health& health_;
  const std::function<std::shared_ptr<const contract::Contract>()> contract_;
  const std::function<void(const std::string&, const std::string&)> dropped_;
  std::shared_ptr<const contract::Contract> seen_;
  std::map<std::string, ingest::SlotWatch> watches_;
  std::jthread thread_;          ///< last: it uses all of the above
};

}  // namespace nano::app
