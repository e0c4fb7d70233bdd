// SPDX-License-Identifier: Apache-2.0
#include "run_seed.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "chance_calls.h"
#include "connection.h"
#include "database.h"
#include "disk.h"
#include "program.h"
#include "scheduler.h"
#include "server.h"

namespace nano::simulation {
namespace {

namespace fs = std::filesystem;

/// So many steps without a fault, and whatever is late has come.
constexpr int kLateSteps = 3000;

class World {
 public:
  World(const SeedOptions& options, const fs::path& folder)
      : draw_(options.seed), trace_(options.prints), scheduler_(draw_.Fork(), trace_), chance_(draw_.Fork(), scheduler_), disk_(folder / "data", draw_.Fork(), trace_),
        database_(draw_.Fork(), trace_, {draw_.Below(4) + 1, draw_.Below(30) + 3, draw_.Chance(0.1) ? 2000 + draw_.Below(3000) : draw_.Below(100)}),
        server_(draw_.Fork(), scheduler_, trace_, database_, draw_.Of<int>({120000, 130000, 140000, 150000, 160000, 170000})),
        network_(draw_.Fork(), scheduler_, trace_, server_, [this] { return disk_.dead(); }),
        expected_(Expect()), program_(folder, draw_.Fork(), scheduler_, network_, disk_, trace_, expected_), options_(options) {
    ReplaceClock(&scheduler_);
    io::ReplaceBackground(&scheduler_);
    scheduler_.AddTicker([this] { server_.Tick(); });
    disk_rate_ = draw_.Of<double>({0.02, 0.2, 0.4, 0.7});
    server_.Scale(draw_.Of<double>({0.2, 1, 2, 4}));
  }
  ~World() {
    if (!disk_.dead()) disk_.Die(DiskFault::kKill);   // its end need not be in order
    program_.Drop();
    io::ReplaceBackground(nullptr);
    ReplaceClock(nullptr);
  }

  Outcome Run() {
    Outcome out;
    for (; out.step < options_.steps && program_.failure().empty(); ++out.step) Step();
    if (program_.failure().empty()) out.failure = ComeToRest();
    if (!program_.failure().empty()) out.failure = program_.failure();
    out.digest = trace_.digest();
    out.faults = trace_.fault_count();
    out.faults_by_kind = trace_.faults();
    out.commits = program_.commits();
    out.looks = program_.looks();
    out.log_records = database_.log().size();
    out.last = trace_.last();
    return out;
  }

 private:
  /// The accounts and the events, and some of the others, perhaps in two forms.
  Expectations Expect() {
    Expectations out;
    out.money = database_.money();
    out.slot_may_be_lost = draw_.Chance(0.25);
    for (const auto& table : database_.tables()) {
      const bool account = table.name == "giro" || table.name == "savings", keeps_all = table.name == "log";
      // Of events that were in a gap nothing is known.
      if (table.name == "other" || (keeps_all && out.slot_may_be_lost) || (!account && !keeps_all && !draw_.Chance(0.4))) continue;
      out.tables.push_back({&table, table.name, keeps_all ? "mode: append, " : ""});
      if (account || keeps_all || table.key.empty()) continue;
      if (draw_.Chance(0.2)) out.tables.push_back({&table, table.name + "_soft", "deletes: soft, ", "_deleted_at IS NULL"});
      if (draw_.Chance(0.2) && !out.slot_may_be_lost) out.tables.push_back({&table, table.name + "_past", "mode: history, ", "valid_to IS NULL"});
    }
    return out;
  }

  void Step() {
    if (!disk_.armed() && draw_.Chance(disk_rate_)) {
      const auto fault = draw_.Of<DiskFault>({DiskFault::kEio, DiskFault::kFull, DiskFault::kShort, DiskFault::kKill, DiskFault::kLose, DiskFault::kLoseSome});
      disk_.Arm(fault, draw_.Below(draw_.Chance(0.7) ? 12 : 150));
    }
    const std::size_t what = draw_.Below(1000);
    if (what < 720) {
      program_.Read();
    } else if (what < 800) {
      program_.Land();
    } else if (what < 930) {
      for (std::size_t n = draw_.Below(40); n > 0; --n) scheduler_.Tick();
    } else if (what < 935) {
      if (expected_.slot_may_be_lost) LoseSlot();
    } else if (what < 950) {
      trace_.Say("the program is stopped");
      program_.Stop();
    } else if (what < 980) {
      disk_.Die(draw_.Of<DiskFault>({DiskFault::kKill, DiskFault::kLose, DiskFault::kLoseSome}));
    } else if (what < 990) {
      trace_.SayFault("clock jumps");
      scheduler_.JumpWallClock(std::chrono::seconds(draw_.Between(-4000, 4000)));
    } else {
      program_.Fold();
    }
    Bury();
  }

  void LoseSlot() {
    if (backup_ && draw_.Chance(0.5)) server_.Restore(*backup_);
    else server_.DropSlot();
    backup_.reset();
    if (draw_.Chance(0.7)) backup_ = server_.Backup();
  }

  void Bury() {
    if (!disk_.dead()) return;
    program_.Drop();
    disk_.Restart();
  }

  /// Why the tables do not become the database's.
  std::string ComeToRest() {
    trace_.Say("now all is well");
    disk_.Disarm();
    server_.CalmDown();
    database_.Rest();
    std::string differs;
    for (int n = 0; n < kLateSteps && program_.failure().empty(); ++n) {
      program_.Read();
      for (int ticks = 0; ticks < 5; ++ticks) scheduler_.Tick();
      if (!database_.at_rest() || n % 10 != 9) continue;
      program_.Land();
      differs = Compare();
      if (differs.empty()) return program_.Examine();
    }
    return "at the end " + differs;
  }

  std::string Compare() {
    const Snapshot snapshot = database_.TakeLogged();
    for (const auto& table : expected_.tables) {
      std::vector<Row> expected;
      for (const auto& [key, row] : database_.RowsOf(snapshot, database_.Find(table.of->name))) expected.push_back(row);
      auto seen = program_.Rows(table);
      if (!seen) return seen.error().message;
      std::sort(expected.begin(), expected.end());
      std::sort(seen->begin(), seen->end());
      if (*seen == expected) continue;
      std::vector<Row> more, less;
      std::set_difference(seen->begin(), seen->end(), expected.begin(), expected.end(), std::back_inserter(more));
      std::set_difference(expected.begin(), expected.end(), seen->begin(), seen->end(), std::back_inserter(less));
      return fmt::format("table \"{}\" has {} rows, not {}: too many {}, missing {}", table.name, seen->size(), expected.size(), Show(more), Show(less));
    }
    return {};
  }

  static std::string Show(const std::vector<Row>& rows) {
    std::string out = std::to_string(rows.size());
    for (std::size_t n = 0; n < std::min<std::size_t>(rows.size(), 3); ++n) {
      out += " (";
      for (std::size_t i = 0; i < rows[n].size(); ++i) out += (i > 0 ? "|" : "") + rows[n][i].value_or("NULL").substr(0, 30);
      out += ")";
    }
    return out;
  }

  Draw draw_;
  Trace trace_;
  Scheduler scheduler_;
  Chance chance_;
  Disk disk_;
  Database database_;
  Server server_;
  Network network_;
  const Expectations expected_;
  Program program_;
  const SeedOptions options_;
  std::optional<ServerBackup> backup_;
  double disk_rate_ = 0;
};

}  // namespace

Outcome RunSeed(const SeedOptions& options, const fs::path& folder) {
  fs::remove_all(folder);
  fs::create_directories(folder / "data");
  Outcome out;
  {
    World world(options, folder);
    out = world.Run();
  }
  if (std::getenv("NANO_KEEP") == nullptr) fs::remove_all(folder);
  return out;
}

}  // namespace nano::simulation
