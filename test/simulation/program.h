// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The program under test, as `nanohouse run` puts it together, without its threads: journal and feed of one source, landing, the lake. A
/// step at a time; what fails is begun again as there. What a person would have to mend is a failure of the run.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/warehouse.h"
#include "connection.h"
#include "disk.h"
#include "ingest/feed.h"
#include "journal/journal.h"
#include "land/lander.h"
#include "state/state.h"

namespace nano::simulation {

/// A table of the warehouse, from one of the database.
struct WantedTable {
  const Table* of = nullptr;
  std::string name;
  std::string yaml = {};           ///< of its own: `mode: history, `
  std::string now = "true";        ///< of its rows, those that the database's table has
};

struct Expectations {
  std::vector<WantedTable> tables;
  std::int64_t money = 0;          ///< on all accounts, in cents
  bool slot_may_be_lost = false;   ///< what differs is written then, a table after the other
};

class Program {
 public:
  Program(std::filesystem::path folder, Draw draw, Scheduler& scheduler, Network& network, Disk& disk, Trace& trace, const Expectations& expected);
  ~Program();

  /// Reads a little and journals it; opens the source where it is not open.
  void Read();
  /// Lands what was journaled; opens the lake where it is not open.
  void Land();
  /// Old segments of the journal become its base image.
  void Fold();
  /// Ends, as at a signal: what is open is closed in order.
  void Stop();
  /// Everything that the process had is gone; its disk fails all calls meanwhile.
  void Drop() { Stop(); }

  /// Why a person would have to look; empty: nothing is wrong.
  const std::string& failure() const { return failure_; }
  /// The rows of a table that the database's should have, each value as text, in no order.
  Result<std::vector<Row>> Rows(const WantedTable& table);
  /// What `doctor` finds in the stores; empty: all is well. The program is stopped for it.
  std::string Examine();
  std::uint64_t commits() const { return commits_; }
  std::uint64_t looks() const { return looks_; }

 private:
  Status TryRead();
  Status OpenSource();
  Status TryLand();
  Status OpenLake();
  /// Where something was committed since the last look: no money came or went.
  Status Look();
  void Met(const char* what, const Status& status);

  const std::filesystem::path folder_;
  Draw draw_;
  Scheduler& scheduler_;
  Network& network_;
  Disk& disk_;
  Trace& trace_;
  const Expectations& expected_;
  app::Warehouse warehouse_;
  std::string failure_;
  std::uint64_t commits_ = 0, looks_ = 0;
  bool complete_ = false;                  ///< all accounts were there once
  std::int64_t looked_at_ = 0;             ///< a snapshot of the lake

  std::unique_ptr<state::State> state_;
  std::unique_ptr<state::WriterLease> lease_;
  std::unique_ptr<lake::Writer> lake_;
  std::unique_ptr<land::Lander> lander_;
  std::unique_ptr<journal::Writer> journal_;
  std::unique_ptr<ingest::Feed> feed_;     ///< ends before its journal
  std::vector<journal::BlockPtr> blocks_;  ///< journaled, for landing
  Position journaled_;
};

}  // namespace nano::simulation
