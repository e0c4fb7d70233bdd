// SPDX-License-Identifier: Apache-2.0
// source verify SOURCE [TABLE…]: do the tables hold what the database has? Lists the keys of rows that differ.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cmd_source_reread.h"
#include "app/deployed_contract.h"
#include "app/ingest_run.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/row_writer.h"
#include "app/run/control.h"
#include "app/source_reread.h"
#include "app/verify_run.h"
#include "app/warehouse.h"
#include "io/signals.h"
#include "journal/journal.h"
#include "lake/place.h"
#include "migrate/apply.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using land::RowDifference;

struct Wanted {
  std::string source;
  std::vector<std::string> tables;
  std::size_t most = 1000;
};

/// A running warehouse that has not landed what was committed so long ago is not merely behind.
constexpr auto kPatience = std::chrono::minutes(10);

/// Until the running warehouse has landed what its database had committed.
Status WaitForLanding(const Warehouse& warehouse, const std::string& source, engine::Connection& lake, ingest::PostgresTableRows& database) {
  ASSIGN(const wire::Lsn mark, database.Mark());
  const auto until = Clock::now() + kPatience;
  std::optional<Position> journaled;
  while (!io::StopRequested()) {
    if (!journaled) {
      ASSIGN(const auto journal, journal::Reader::Open(warehouse.layout.journal(source)));
      ASSIGN(const auto tail, journal->Refresh());
      ASSIGN(const wire::Lsn at, ingest::JournaledLsn(tail.checkpoint));
      if (at >= mark) journaled = tail.end;
    }
    if (journaled) {
      ASSIGN(const auto landed, lake.Query("SELECT coalesce(max(position), 0) FROM lake.nanohouse.position WHERE source = ? AND lane = 'main'", {source}));
      if (static_cast<std::uint64_t>(landed.integer(0, 0)) >= journaled->value) return {};
    }
    if (Clock::now() > until)
      return WithHint(Fail(Code::kUnavailable, "the running warehouse does not land what the database commits"), "`nanohouse source list` says how it fares.");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return Fail(Code::kUnavailable, "stopped before everything was compared");
}

Result<std::vector<VerifiedTable>> Verify(const Invocation& invocation, const Wanted& wanted, Progress& progress) {
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  TRY(RereadableSource(*warehouse.contract, wanted.source));
  const auto on_progress = [&](const std::string& table, std::uint64_t rows) { progress.Show({table, rows, 0, std::nullopt, "rows"}); };
  ASSIGN(const auto running, AskRunning(warehouse.layout, {{"do", "status"}}));
  if (running) {   // it goes on meanwhile
    ASSIGN(const auto reader, lake::Reader::Open(lake::PlaceOf(warehouse.layout), {}));
    ASSIGN(const auto deployed, migrate::ReadDeployed(reader->connection(), invocation.folder));
    if (!deployed) return WithHint(Fail(Code::kNotFound, "the warehouse was never applied"), "Run `nanohouse apply`.");
    const auto contract = deployed->contract;
    ASSIGN(const contract::Source* const source, RereadableSource(*contract, wanted.source));
    const auto catch_up = [&](ingest::PostgresTableRows& database) { return WaitForLanding(warehouse, wanted.source, reader->connection(), database); };
    return VerifySource({reader->database(), reader->connection(), catch_up, on_progress}, *contract, *source, wanted.tables, wanted.most);
  }
  ASSIGN(const auto writer, OpenWriter(warehouse, "source verify"));
  ASSIGN(const auto contract, DeployedContract(invocation.folder, warehouse, writer->lake(), [&](const std::string& text) { progress.Say(text); }));
  ASSIGN(const contract::Source* const source, RereadableSource(*contract, wanted.source));
  const auto catch_up = [&](ingest::PostgresTableRows&) -> Status {
    for (auto& outcome : RunIngest(writer->lake(), contract, warehouse.layout, {wanted.source}, {}))
      if (outcome.error) return tl::make_unexpected(*std::move(outcome.error));
    return io::StopRequested() ? Status(Fail(Code::kUnavailable, "stopped before everything was compared")) : Status();
  };
  auto verified = VerifySource({writer->lake().database(), writer->lake().connection(), catch_up, on_progress}, *contract, *source, wanted.tables, wanted.most);
  writer->Finish(verified ? state::Outcome::kOk : state::Outcome::kFailed, verified ? "" : verified.error().message, "{}");
  return verified;
}

const char* What(RowDifference::What what) {
  switch (what) {
    case RowDifference::What::kMissing: return "missing";
    case RowDifference::What::kExtra: return "extra";
    case RowDifference::What::kDiffers: return "differs";
  }
  return "differs";
}

Json AsJson(const std::string& source, const std::vector<VerifiedTable>& verified, bool ok) {
  Json out{{"source", source}, {"ok", ok}, {"tables", Json::array()}};
  for (const auto& table : verified) {
    Json rows = Json::array();
    for (const auto& row : table.diverging) {
      Json key = table.key.empty() ? Json::array() : Json::object();
      for (std::size_t k = 0; k < row.key.size(); ++k) {
        const Json value = row.key[k] ? Json(*row.key[k]) : Json();
        if (table.key.empty()) key.push_back(value);
        else key[table.key[k]] = value;
      }
      rows.push_back({{"key", std::move(key)}, {"what", What(row.what)}, {"columns", row.columns}, {"times", row.times}});
    }
    out["tables"].push_back({{"table", table.table}, {"rows", table.rows}, {"quarantined", table.unfit}, {"unsettled", table.unsettled}, {"more", table.more},
                             {"not_compared", table.not_compared.empty() ? Json() : Json(table.not_compared)}, {"diverging", std::move(rows)}});
  }
  return out;
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

Status PrintText(const std::vector<VerifiedTable>& verified, bool ok, bool quiet) {
  Output output;
  if (!ok) {
    const auto printer = MakeTablePrinter(output, {.terminal = Terminal::Of(STDOUT_FILENO), .max_rows = 0, .footer = false});
    TRY(printer->Begin({{"table", "VARCHAR"}, {"key", "VARCHAR"}, {"row", "VARCHAR"}, {"columns", "VARCHAR"}}));
    for (const auto& table : verified)
      for (const auto& row : table.diverging) {
        std::vector<std::string> values;
        for (const auto& value : row.key) values.push_back(value.value_or("NULL"));
        const std::string key = Joined(values), what = row.times > 1 ? fmt::format("{} {} times", What(row.what), row.times) : What(row.what), columns = Joined(row.columns);
        const std::vector<std::optional<std::string_view>> cells{table.table, key, what, columns};
        TRY(printer->Row(cells));
      }
    TRY(printer->End());
    TRY(output.Write("\n"));
  }
  for (const auto& table : quiet ? std::vector<VerifiedTable>() : verified) {
    if (!table.not_compared.empty()) {
      TRY(output.Write(fmt::format("{}: not compared: {}\n", table.table, table.not_compared)));
      continue;
    }
    std::string line = fmt::format("{}: {} rows, {}", table.table, CountText(table.rows),
                                   table.diverging.empty() ? "all the same" : fmt::format("{}{} diverge", table.more ? "more than " : "", CountText(table.diverging.size())));
    if (table.unfit > 0) line += fmt::format(", {} do not fit and are in quarantine", CountText(table.unfit));
    if (table.unsettled > 0) line += fmt::format(", {} changed each time they were looked at", CountText(table.unsettled));
    TRY(output.Write(line + "\n"));
  }
  return output.Finish();
}

Exit Do(const Invocation& invocation, const Wanted& wanted) {
  io::CatchStopSignals();
  Progress progress(Terminal::Of(STDERR_FILENO), invocation.quiet ? Progress::Voice::kQuiet : Progress::Voice::kSpeaks);
  const auto verified = Verify(invocation, wanted, progress);
  progress.Clear();
  if (!verified) return Report(invocation, verified.error());
  const bool ok = std::all_of(verified->begin(), verified->end(), [](const auto& table) { return table.diverging.empty(); });
  if (invocation.json) fmt::print("{}\n", AsJson(wanted.source, *verified, ok).dump(2, ' ', false, Json::error_handler_t::replace));
  else if (const Status printed = PrintText(*verified, ok, invocation.quiet); !printed) return Report(invocation, printed.error());
  return ok ? Exit::kDone : Exit::kFailed;
}

}  // namespace

void AddSourceVerify(CommandLine& line, CLI::App& group) {
  const auto wanted = std::make_shared<Wanted>();
  CLI::App& app = AddVerb(line, group, "verify", "Hold the tables against the database itself, row by row, and list the keys of those that differ",
                          {"nanohouse source verify shop_db", "nanohouse source verify shop_db orders --json"}, [wanted](const Invocation& invocation) { return Do(invocation, *wanted); });
  app.add_option("source", wanted->source, "Which one")->type_name("SOURCE")->required();
  app.add_option("tables", wanted->tables, "Only these tables (default: all)")->type_name("TABLE");
  app.add_option("--most", wanted->most, "Of one table so many rows that differ are listed (default: 1000)")->type_name("N");
}

}  // namespace nano::app
