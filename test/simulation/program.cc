// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <fstream>

#include "app/feed_options.h"
#include "app/run/health.h"
#include "base/check.h"
#include "engine/database.h"
#include "lake/place.h"
#include "land/fold.h"
#include "migrate/apply.h"
#include "watch/doctor.h"

namespace nano::simulation {
namespace {

constexpr const char* kSource = "db";

constexpr const char* kContract = R"yaml(nanohouse: 1
warehouse: simulated
storage: {journal: {commit_every: 300ms, keep: 10m}}
sources:
  - {name: db, postgres: {url: "postgresql://simulated/db", on_slot_lost: )yaml";

std::string ContractOf(const Expectations& expected) {
  std::string out = kContract;
  out += expected.slot_may_be_lost ? "heal}}\ntables:\n" : "fail}}\ntables:\n";
  for (const auto& table : expected.tables) {
    std::string columns;
    for (const auto& column : table.of->columns)
      columns += fmt::format("{}{{name: {}, data_type: {}}}", columns.empty() ? "" : ", ", column.name, column.name == "balance" ? "\"decimal(12,2)\"" : column.is_number ? "bigint" : "string");
    out += fmt::format("  - {{name: {}, source: {{name: db, stream: public.{}}}, {}columns: [{}]}}\n", table.name, table.of->name, table.yaml, columns);
  }
  return out;
}

}  // namespace

Program::Program(std::filesystem::path folder, Draw draw, Scheduler& scheduler, Network& network, Disk& disk, Trace& trace, const Expectations& expected)
    : folder_(std::move(folder)), draw_(draw), scheduler_(scheduler), network_(network), disk_(disk), trace_(trace), expected_(expected) {
  std::ofstream(folder_ / "nanohouse.yaml") << ContractOf(expected_);
  auto warehouse = app::LoadWarehouse(folder_);
  if (!warehouse) failure_ = warehouse.error().message;
  else if (!warehouse->parsed.ok()) failure_ = warehouse->parsed.findings.front().message;
  else warehouse_ = *std::move(warehouse);
}

Program::~Program() { Stop(); }

void Program::Stop() {
  feed_.reset();
  journal_.reset();
  lander_.reset();
  lake_.reset();
  lease_.reset();
  state_.reset();
  blocks_.clear();
}

void Program::Met(const char* what, const Status& status) {
  if (status || disk_.dead()) return;
  const Error& error = status.error();
  trace_.Say("{} failed: {}", what, error.message.substr(0, error.message.find('"')));
  if (!app::MayHealItself(error)) failure_ = fmt::format("{} needs a person: {} ({}; {})", what, error.message, static_cast<int>(error.code), error.place.in);
}

// --- reading

void Program::Read() {
  const Status read = TryRead();
  if (read) return;
  feed_.reset();
  journal_.reset();
  Met("reading", read);
}

Status Program::OpenSource() {
  feed_.reset();
  journal_.reset();
  journal::WriterOptions options;
  options.segment_bytes = draw_.Between(2, 60) << 10;
  options.block_bytes = static_cast<std::size_t>(draw_.Between(256, 4096));
  if (draw_.Chance(0.5)) options.keep_bytes = static_cast<std::size_t>(draw_.Between(1000, 20'000));   // else landing reads it from the journal
  ASSIGN(journal_, journal::Writer::Open(warehouse_.layout.journal(kSource), kSource, options));
  journaled_ = journal_->tail().end;
  if (lake_) TRY(app::CheckJournal(lake_->head(), kSource, journaled_));
  auto feed_options = app::FeedOptionsOf(*warehouse_.contract, warehouse_.layout, kSource);
  feed_options.follow = true;
  feed_options.on_log = [this](const std::string& line) { trace_.Say("the feed says: {}", line); };
  feed_options.connect = [this](const Secret&, io::Postgres::Mode mode) { return network_.Connect(mode); };
  ASSIGN(feed_, ingest::OpenFeed(*warehouse_.contract->source(kSource), *journal_, feed_options));
  trace_.Say("reads on from {}", journaled_.value);
  return {};
}

Status Program::TryRead() {
  if (!feed_) TRY(OpenSource());
  ASSIGN(const auto step, feed_->Next(static_cast<std::size_t>(draw_.Between(1, 64)) << 10));
  if (step.journaled > journaled_) trace_.Say("journaled to {}", step.journaled.value);
  journaled_ = step.journaled;
  blocks_.insert(blocks_.end(), step.blocks.begin(), step.blocks.end());
  return {};
}

// --- landing

void Program::Land() {
  if (failure_.empty()) Met("opening the lake", lake_ ? Status() : OpenLake());
  if (!lake_ || disk_.dead()) return;
  const Status landed = TryLand();
  if (!landed) {
    lander_.reset();
    blocks_.clear();
    if (landed.error().code == Code::kOutcomeUnknown || landed.error().code == Code::kConflict) lake_.reset();
    Met("landing", landed);
  }
  if (lake_ && !disk_.dead() && failure_.empty()) {
    const Status looked = Look();
    if (!looked && looked.error().code == Code::kCorrupt) failure_ = looked.error().message;
    else Met("looking", looked);
  }
}

Status Program::OpenLake() {
  lander_.reset();
  if (!lease_) {
    ASSIGN(state_, state::State::Open(warehouse_.layout.local));
    ASSIGN(lease_, state_->AcquireWriter());
  }
  ASSIGN(auto lake, lake::Writer::Open(lake::PlaceOf(warehouse_.layout), {.threads = 1}));
  ASSIGN(const auto deployed, migrate::ReadDeployed(lake->connection(), folder_, lake->Committed("bundle")));
  if (!deployed) TRY(migrate::Apply(*lake, *warehouse_.contract));
  lake_ = std::move(lake);
  return {};
}

/// From memory where its blocks are all there, else from the journal's files; as app/run/landing.cc does.
Status Program::TryLand() {
  if (journaled_.value == 0) return {};
  if (!lander_) { ASSIGN(lander_, land::Lander::Open(*lake_, warehouse_.contract, kSource)); }
  const std::uint64_t before = lander_->counters().commits;
  std::vector<journal::BlockPtr> blocks = std::exchange(blocks_, {});
  if (!journal::Cover(blocks, lander_->taken(), journaled_)) {
    blocks.clear();
    ASSIGN(const auto reader, journal::Reader::Open(warehouse_.layout.journal(kSource)));
    TRY(lander_->CatchUp(*reader));
  }
  TRY(lander_->Take(std::move(blocks), land::InputEnds::kNo));
  if (lander_->counters().commits == before) return {};
  ++commits_;
  trace_.Say("landed to {}, {} records, {} rows, {} in quarantine", lander_->next().value, lander_->counters().records, lander_->counters().rows, lander_->counters().quarantined);
  if (lander_->counters().quarantined > 0) return Fail(Code::kInternal, "values went to quarantine");
  return {};
}

void Program::Fold() {
  if (!lake_ || !journal_ || disk_.dead()) return;
  const auto folded = land::FoldJournal(*lake_, *warehouse_.contract, warehouse_.layout, kSource, *journal_, NowMicros());
  if (folded && *folded) trace_.Say("folded {}, kept {}", (*folded)->expired, (*folded)->kept);
  if (folded) return;
  feed_.reset();
  journal_.reset();
  Met("folding", tl::make_unexpected(folded.error()));
}

// --- looking

Status Program::Look() {
  const std::int64_t newest = lake_->head().snapshot;
  if (newest < looked_at_) return Fail(Code::kCorrupt, "the lake was at snapshot {}, and is at {} now", looked_at_, newest);
  if (newest == looked_at_) return {};
  ASSIGN(const auto rows, lake_->connection().Query("SELECT count(*), CAST(coalesce(sum(balance), 0) * 100 AS BIGINT) FROM (FROM lake.main.giro UNION ALL FROM lake.main.savings)"));
  const std::int64_t accounts = rows.integer(0, 0), cents = rows.integer(0, 1);
  if (accounts * 100'00 == expected_.money) complete_ = true;
  if (complete_ && !expected_.slot_may_be_lost && cents != expected_.money)
    return Fail(Code::kCorrupt, "half of a transaction is seen: at snapshot {} there are {} cents, not {}, on {} accounts", newest, cents, expected_.money, accounts);
  ++looks_;
  looked_at_ = newest;
  return {};
}

Result<std::vector<Row>> Program::Rows(const WantedTable& table) {
  if (!lake_) return Fail(Code::kUnavailable, "the lake is not open");
  std::string columns;
  for (const auto& column : table.of->columns) columns += fmt::format("{}CAST({} AS VARCHAR)", columns.empty() ? "" : ", ", engine::Quote(column.name));
  ASSIGN(auto rows, lake_->connection().Query(fmt::format("SELECT {} FROM lake.main.{} WHERE {}", columns, engine::Quote(table.name), table.now)));
  return std::move(rows.rows);
}

std::string Program::Examine() {
  Stop();
  for (const auto& check : watch::CheckStores(warehouse_.layout, {}))
    if (!check.well()) return fmt::format("doctor says of {}: {}", check.name, check.troubles.front().message);
  return {};
}

}  // namespace nano::simulation
