// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A running warehouse: its sources, landing, publishing, upkeep and doors, each a thread that is started, watched and
/// stopped here; and what people ask of it while it runs. Follows what was applied, not the files as they happen to be.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "app/run/control.h"
#include "app/run/health.h"
#include "app/run/http_door.h"
#include "app/run/landing.h"
#include "app/run/mailbox.h"
#include "app/run/metrics.h"
#include "app/run/publishing.h"
#include "app/run/slots.h"
#include "app/run/source_task.h"
#include "app/warehouse.h"
#include "ingest/post_box.h"

namespace nano::app {

class Supervisor {
 public:
  Supervisor(std::filesystem::path folder, Warehouse warehouse, std::unique_ptr<WarehouseWriter> writer, std::shared_ptr<const contract::Contract> contract);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Starts everything; from here on it answers.
  Status Start();
  /// Until a stop is asked for; then everything that was received is landed, for at most `grace`. `tick` is called a few
  /// times a second.
  void Run(std::chrono::milliseconds grace, const std::function<void()>& tick);

  std::map<std::string, SourceHealth> health() const { return health_.All(); }
  /// Of the HTTP door; empty: it is not open.
  std::string address() const { return door_ ? door_->address() : ""; }

 private:
  using Json = nlohmann::ordered_json;

  SourceSurroundings Surroundings(const std::string& source);
  std::shared_ptr<ingest::PostBox> Posts(const std::string& source);
  PostAnswer TakePost(const std::string& path, const PostHeaders& headers, const std::string& body);
  void StartSource(const std::string& name);
  void StopSource(const std::string& name);
  void SlotDropped(const std::string& source, const std::string& why);
  void CheckDisks();
  void Reload();
  ControlAnswer Answer(const Json& request);
  Result<Json> Do(const std::string& what, const Json& request, Exit& exit);
  Result<Json> DoSource(const std::string& what, const Json& request);
  Result<Json> Apply(const std::string& bundle, Exit& exit);
  Result<Json> RetryQuarantine(const Json& request);
  Json Sources() const;
  std::shared_ptr<const contract::Contract> contract() const;
  DoorAnswers Answers();

  const std::filesystem::path folder_;
  Warehouse warehouse_;
  std::unique_ptr<WarehouseWriter> writer_;
  mutable std::mutex contract_mutex_;
  std::shared_ptr<const contract::Contract> contract_;
  Health health_;
  Metrics metrics_;
  Mailbox mailbox_;
  std::unique_ptr<Landing> landing_;
  std::unique_ptr<Publishing> publishing_;
  std::mutex changing_;                         // one start, stop or apply at a time; guards tasks_
  std::map<std::string, std::unique_ptr<SourceTask>> tasks_;
  mutable std::mutex disk_mutex_;
  std::string disk_full_;                       // why sources wait; empty: they need not
  std::mutex posts_mutex_;
  std::map<std::string, std::shared_ptr<ingest::PostBox>> posts_;   ///< of sources that are posted to; they outlive a start of theirs
  std::unique_ptr<HttpDoor> door_;
  std::unique_ptr<Slots> slots_;
  std::unique_ptr<io::LocalServer> control_;
};

}  // namespace nano::app
