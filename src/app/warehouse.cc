// SPDX-License-Identifier: Apache-2.0
#include "app/warehouse.h"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>

#include "io/files.h"
#include "lake/attach.h"


namespace nano::app {

namespace {

Result<Warehouse> Load(const std::filesystem::path& folder, const contract::Options& options) {
  auto parsed = contract::Load(folder, options);
  if (!parsed) return tl::make_unexpected(std::move(parsed).error());
  Warehouse out;
  out.contract = parsed->contract;
  out.layout = contract::LayoutOf(*parsed->contract);
  out.parsed = *std::move(parsed);
  return out;
}

}  // namespace

Result<Warehouse> FindWarehouse(const std::filesystem::path& folder) { return Load(folder, {.resolve_references = false}); }

Result<Warehouse> LoadWarehouse(const std::filesystem::path& folder) { return Load(folder, {.resolve_references = true}); }

namespace {

/// NANOHOUSE_LANE=extension leaves all writing to DuckLake's extension: slower, and a way to tell whose fault something is.
bool DirectLane() {
  const char* const lane = std::getenv("NANOHOUSE_LANE");
  return lane == nullptr || std::string_view(lane) != "extension";
}

constexpr auto kHold = std::chrono::minutes(10);

/// A cut, and the lease that keeps its files; renewed by a thread while the reader lives.
class LeasedReader final : public lake::Reader {
 public:
  Status Open(const contract::Layout& layout, const std::string& at) {
    const lake::Place place = lake::PlaceOf(layout);
    ASSIGN(reader_, lake::Reader::Open(place, {}));
    engine::Connection& connection = reader_->connection();
    std::int64_t snapshot = 0;
    if (at.empty()) {
      ASSIGN(const auto newest, connection.Query("SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot"));
      snapshot = newest.integer(0, 0);
    } else {
      ASSIGN(snapshot, lake::SnapshotAt(connection, at));
    }
    Lease(layout, snapshot);
    // Attached anew after the lease: if upkeep dropped the snapshot just before, this says so.
    TRY(connection.Execute(std::string("DETACH ") + lake::kCatalog));
    TRY(lake::Attach(connection, place, lake::Access::kReadOnly, snapshot));
    return connection.Execute(std::string("USE ") + lake::kCatalog + ".main");
  }
  ~LeasedReader() override {
    if (renewing_.joinable()) {
      renewing_.request_stop();
      renewing_.join();
    }
    if (state_) (void)state_->ReleaseLease(lease_);
  }
  engine::Database& database() override { return reader_->database(); }
  engine::Connection& connection() override { return reader_->connection(); }

 private:
  void Lease(const contract::Layout& layout, std::int64_t snapshot) {
    auto state = state::State::Open(layout.local);
    if (!state) return;
    const auto lease = (*state)->LeaseSnapshot(snapshot, kHold);
    if (!lease) return;
    lease_ = *lease;
    state_ = *std::move(state);
    renewing_ = std::jthread([this](const std::stop_token& stop) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any wake;
      while (!wake.wait_for(lock, stop, kHold / 3, [] { return false; }) && !stop.stop_requested()) (void)state_->RenewLease(lease_, kHold);
    });
  }

  std::unique_ptr<lake::Reader> reader_;
  std::unique_ptr<state::State> state_;
  std::int64_t lease_ = 0;
  std::jthread renewing_;
};

class Writing final : public WarehouseWriter {
 public:
  Status Open(const Warehouse& warehouse, const std::string& command) {
    TRY(io::MakeFolders(warehouse.layout.local, "state.folder"));
    ASSIGN(state_, state::State::Open(warehouse.layout.local));
    ASSIGN(lease_, state_->AcquireWriter());
    ASSIGN(run_, state_->StartRun(command, lease_->epoch()));
    open_lake_ = [warehouse] { return OpenLake(warehouse); };
    return ReopenLake();
  }
  Status ReopenLake() override {
    lake_.reset();
    ASSIGN(lake_, open_lake_());
    return {};
  }
  ~Writing() override {
    lake_.reset();
    if (run_ > 0) (void)state_->FinishRun(run_, state::Outcome::kFailed, "it ended early", "{}");
  }
  lake::Writer& lake() override { return *lake_; }
  void Finish(state::Outcome outcome, const std::string& message, const std::string& counters) override {
    if (state_->FinishRun(run_, outcome, message, counters)) run_ = 0;
  }

 private:
  std::unique_ptr<state::State> state_;
  std::unique_ptr<state::WriterLease> lease_;
  std::unique_ptr<lake::Writer> lake_;
  std::function<Result<std::unique_ptr<lake::Writer>>()> open_lake_;
  std::int64_t run_ = 0;
};

}  // namespace

Result<std::unique_ptr<lake::Reader>> OpenReader(const contract::Layout& layout, const std::string& at) {
  auto reader = std::make_unique<LeasedReader>();
  TRY(reader->Open(layout, at));
  return std::unique_ptr<lake::Reader>(std::move(reader));
}

Result<std::unique_ptr<lake::Writer>> OpenLake(const Warehouse& warehouse) {
  const contract::Storage& storage = warehouse.contract->storage;
  return lake::Writer::Open(lake::PlaceOf(warehouse.layout), {.compression = storage.compression, .target_file_bytes = storage.target_file_bytes, .direct = DirectLane()});
}

Result<std::unique_ptr<WarehouseWriter>> OpenWriter(const Warehouse& warehouse, const std::string& command) {
  auto writer = std::make_unique<Writing>();
  TRY(writer->Open(warehouse, command));
  return std::unique_ptr<WarehouseWriter>(std::move(writer));
}

}  // namespace nano::app
