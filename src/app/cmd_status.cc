// SPDX-License-Identifier: Apache-2.0
// status: how the warehouse stands: positions, lag, rows, files, quarantine, versions, the last commit.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/command.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/row_writer.h"
#include "app/run/control.h"
#include "app/warehouse.h"
#include "io/signals.h"
#include "watch/standing.h"
#include "wire/json_get.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;

/// As SCHEMA-LANGUAGE "status --json" says: sources, tables, versions, runs.
Json AsJson(const watch::Standing& standing) {
  Json out;
  out["snapshot"] = standing.snapshot;
  out["committed_at"] = standing.committed_at.empty() ? Json() : Json(standing.committed_at);
  out["sources"] = Json::array();
  for (const auto& source : standing.sources)
    out["sources"].push_back({{"name", source.name},
                              {"state", source.state},
                              {"reason", source.reason.empty() ? Json() : Json(source.reason)},
                              {"hint", source.hint.empty() ? Json() : Json(source.hint)},
                              {"position", source.position},
                              {"journaled", source.journaled},
                              {"lag", {{"bytes", source.lag_bytes}, {"seconds", source.lag_seconds}}}});
  out["tables"] = Json::array();
  for (const auto& table : standing.tables)
    out["tables"].push_back({{"name", table.name},
                             {"build", table.build},
                             {"rows", table.rows},
                             {"files", table.files},
                             {"bytes", table.bytes},
                             {"deleted", table.deleted},
                             {"freshness", table.freshness.empty() ? Json() : Json(table.freshness)},
                             {"quarantine", table.quarantine}});
  out["versions"] = Json::array();
  for (const auto& version : standing.versions) {
    Json builds = Json::array();
    for (const auto& build : version.builds) {
      Json positions = Json::object();
      for (const auto& [source, position] : build.positions) positions[source] = position;
      builds.push_back({{"name", build.name}, {"build", build.build}, {"revision", build.revision}, {"position", positions},
                        {"lag", {{"bytes", build.lag_bytes}}}, {"backfill", Json()}});
    }
    out["versions"].push_back({{"number", version.number}, {"version", version.contract_version}, {"state", version.state},
                               {"builds", builds}, {"readers", version.readers}});
  }
  out["runs"] = Json::array();
  for (const auto& run : standing.runs)
    out["runs"].push_back({{"id", run.id}, {"command", run.command}, {"state", run.state}, {"started_at", run.started_at},
                           {"ended_at", run.ended_at.empty() ? Json() : Json(run.ended_at)},
                           {"reason", run.reason.empty() ? Json() : Json(run.reason)},
                           {"counters", Json::parse(run.counters, nullptr, false)}});
  out["quarantine"] = standing.quarantine;
  return out;
}

/// A table of ours, of texts.
struct Grid {
  std::vector<ResultColumn> columns;
  std::vector<std::vector<std::string>> rows;

  Status Print(Output& output) const {
    const auto printer = MakeTablePrinter(output, {.terminal = Terminal::Of(STDOUT_FILENO), .max_rows = 0, .footer = false});
    TRY(printer->Begin(columns));
    for (const auto& row : rows) {
      std::vector<std::optional<std::string_view>> cells(row.begin(), row.end());
      TRY(printer->Row(cells));
    }
    TRY(printer->End());
    return output.Write("\n");
  }
};

std::string Behind(const watch::SourceStatus& source) {
  if (source.journaled <= source.position) return "nothing";
  return fmt::format("{} records, {}, {}", CountText(source.journaled - source.position), BytesText(source.lag_bytes),
                     TimeText(std::chrono::duration<double>(source.lag_seconds)));
}

Status PrintForPeople(const watch::Standing& standing) {
  Output output;
  Grid sources{{{"source", "VARCHAR"}, {"state", "VARCHAR"}, {"records landed", "BIGINT"}, {"behind", "VARCHAR"}}, {}};
  for (const auto& source : standing.sources)
    sources.rows.push_back({source.name, source.state, CountText(source.position), Behind(source)});
  TRY(sources.Print(output));
  for (const auto& source : standing.sources)
    if (!source.reason.empty()) TRY(output.Write(fmt::format("{}: {}\n{}\n", source.name, source.reason, source.hint)));
  if (standing.versions.empty()) {
    TRY(output.Write("no tables yet: `nanohouse apply` or `nanohouse ingest` makes them\n"));
    return output.Finish();
  }
  Grid tables{{{"table", "VARCHAR"}, {"rows", "BIGINT"}, {"files", "BIGINT"}, {"size", "BIGINT"}, {"deleted", "BIGINT"},
               {"newest change", "VARCHAR"}, {"quarantine", "BIGINT"}}, {}};
  for (const auto& table : standing.tables)
    tables.rows.push_back({table.name, CountText(static_cast<std::uint64_t>(table.rows)), CountText(static_cast<std::uint64_t>(table.files)),
                           BytesText(static_cast<std::uint64_t>(table.bytes)), CountText(static_cast<std::uint64_t>(table.deleted)),
                           table.freshness.empty() ? "-" : table.freshness, CountText(static_cast<std::uint64_t>(table.quarantine))});
  TRY(tables.Print(output));
  for (const auto& version : standing.versions)
    TRY(output.Write(fmt::format("version v{}{}, {}\n", version.number,
                                 version.contract_version.empty() ? "" : " (" + version.contract_version + ")", version.state)));
  TRY(output.Write(fmt::format("last commit {} (snapshot {})\n", standing.committed_at, standing.snapshot)));
  if (standing.quarantine > 0)
    TRY(output.Write(fmt::format("{} values in quarantine: `nanohouse quarantine list`\n", CountText(static_cast<std::uint64_t>(standing.quarantine)))));
  return output.Finish();
}

/// What the running warehouse itself says of its sources, in place of what its stores tell.
void TakeLive(const Json& live, watch::Standing& standing) {
  if (!live.contains("sources")) return;
  for (const auto& said : live["sources"])
    for (auto& source : standing.sources) {
      if (said.value("name", "") != source.name) continue;
      source.state = wire::Get(said, "state", "");
      source.reason = wire::Get(said, "reason", "");
      source.hint = wire::Get(said, "hint", "");
      source.position = std::max(source.position, said.value("position", std::uint64_t{0}));
      source.journaled = std::max(source.journaled, source.position);
      if (source.journaled > source.position) continue;
      source.lag_bytes = 0;
      source.lag_seconds = 0;
    }
}

Status ShowStatus(const Invocation& invocation) {
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  auto reader = OpenReader(warehouse.layout, "");
  if (!reader && reader.error().code != Code::kNotFound) return tl::make_unexpected(std::move(reader).error());
  std::error_code error;
  std::unique_ptr<state::State> state;
  if (std::filesystem::exists(warehouse.layout.state(), error)) { ASSIGN(state, state::State::Open(warehouse.layout.local)); }
  ASSIGN(watch::Standing standing,
         watch::ReadStanding(reader ? reader->get() : nullptr, state.get(), warehouse.layout, warehouse.contract.get()));
  if (const auto running = AskRunning(warehouse.layout, {{"do", "status"}}); running && *running) TakeLive((*running)->result, standing);
  if (!invocation.json) return PrintForPeople(standing);
  Output output;
  TRY(output.Write(AsJson(standing).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
  return output.Finish();
}

}  // namespace

void AddStatus(CommandLine& line) {
  const auto watch = std::make_shared<bool>(false);
  CLI::App& verb = AddVerb(line, line.program, "status", "Show positions, lag, rows, files, quarantine, versions",
                           {"nanohouse status", "nanohouse status --watch", "nanohouse status --json | jq '.tables[] | select(.quarantine > 0)'"},
                           [watch](const Invocation& invocation) {
                             if (*watch) io::CatchStopSignals();
                             const bool terminal = Terminal::Of(STDOUT_FILENO).interactive;
                             while (true) {
                               if (*watch && terminal && !invocation.json) fmt::print("\x1b[H\x1b[2J");
                               const auto done = ShowStatus(invocation);
                               if (!done) return Report(invocation, done.error());
                               std::fflush(stdout);
                               const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
                               while (*watch && !io::StopRequested() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(50));
                               if (!*watch || io::StopRequested()) return Exit::kDone;
                             }
                           });
  verb.add_flag("--watch", *watch, "Show it again every second, until Ctrl-C");
}

}  // namespace nano::app
