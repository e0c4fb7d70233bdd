// SPDX-License-Identifier: Apache-2.0
// run: everything, until stopped: sources, landing, publishing, upkeep, doors. reload: the files as they are now.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/command.h"
#include "app/deployed_contract.h"
#include "app/findings.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/run/supervisor.h"
#include "app/warehouse.h"
#include "io/log.h"
#include "io/signals.h"

namespace nano::app {
namespace {

/// After a stop was asked for, what was received is landed for at most so long; the process is gone a second later.
constexpr std::chrono::milliseconds kGrace{8000};

struct RunArguments {
  std::string log, level = "info";
};

io::LogLevel LevelOf(const std::string& name) {
  if (name == "debug") return io::LogLevel::kDebug;
  if (name == "warning") return io::LogLevel::kWarning;
  return name == "error" ? io::LogLevel::kError : io::LogLevel::kInfo;
}

/// One line for a terminal: `shop_cdc 1,204 records, 2 behind · payments backoff`.
std::string Line(const std::map<std::string, SourceHealth>& sources) {
  std::string out;
  for (const auto& [name, health] : sources) {
    if (!out.empty()) out += "  ·  ";
    out += fmt::format("{} {} records", name, CountText(health.in_tables.value));
    if (health.lag_records() > 0) out += fmt::format(", {} behind", CountText(health.lag_records()));
    if (health.worst().state != SourceState::kRunning) out += fmt::format(" ({})", Name(health.worst().state));
  }
  return out;
}

Status Run(const Invocation& invocation, const RunArguments& arguments) {
  const Terminal terminal = Terminal::Of(STDERR_FILENO);
  io::SetLog(arguments.log == "json" || (arguments.log.empty() && invocation.json) ? io::LogForm::kJson : io::LogForm::kText, LevelOf(arguments.level));
  ASSIGN(auto warehouse, FindWarehouse(invocation.folder));
  if (warehouse.contract->sources.empty() && !warehouse.parsed.ok()) return FindingsError(warehouse.parsed.findings);
  ASSIGN(auto writer, OpenWriter(warehouse, "run"));
  ASSIGN(auto contract, DeployedContract(invocation.folder, warehouse, writer->lake(), [](const std::string& text) { io::Log(io::LogLevel::kInfo, text); }));
  Supervisor supervisor(invocation.folder, std::move(warehouse), std::move(writer), std::move(contract));
  TRY(supervisor.Start());
  Progress progress(terminal, invocation.quiet || !terminal.interactive ? Progress::Voice::kQuiet : Progress::Voice::kSpeaks);
  supervisor.Run(kGrace, [&] { progress.ShowLine(Line(supervisor.health())); });
  progress.Clear();
  return {};
}

Exit Reload(const Invocation& invocation) {
  const auto answer = [&]() -> Result<ControlAnswer> {
    ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
    return AskRunningOrFail(warehouse.layout, {{"do", "apply"}});
  }();
  if (!answer) return Report(invocation, answer.error());
  if (answer->error) {
    (void)Report(invocation, *answer->error);
    return answer->exit;
  }
  if (invocation.json) fmt::print("{}\n", answer->result.dump(2));
  else if (!invocation.quiet)
    fmt::print("version v{}: {} tables made, {} changed, {} sources started anew\n", answer->result.value("version", 0), answer->result["created"].size(),
               answer->result["revised"].size(), answer->result["restarted"].size());
  return Exit::kDone;
}

}  // namespace

void AddRun(CommandLine& line) {
  const auto arguments = std::make_shared<RunArguments>();
  CLI::App& verb = AddVerb(line, line.program, "run", "Run the warehouse until it is stopped: ingest, land, publish, serve",
                           {"nanohouse run", "nanohouse run --log json", "systemctl start nanohouse@shop"}, [arguments](const Invocation& invocation) {
                             io::CatchStopSignals();
                             io::CatchReloadSignal();
                             const auto done = Run(invocation, *arguments);
                             return done ? Exit::kDone : Report(invocation, done.error());
                           });
  verb.add_option("--log", arguments->log, "How lines of the log are written (default: text)")->check(CLI::IsMember({"text", "json"}))->type_name("FORM");
  verb.add_option("--log-level", arguments->level, "The least that is logged (default: info)")->check(CLI::IsMember({"debug", "info", "warning", "error"}))->type_name("LEVEL");
  AddVerb(line, line.program, "reload", "Have the running warehouse take the files as they are now, where nothing breaks",
          {"nanohouse reload", "kill -HUP $(pidof nanohouse)"}, Reload);
}

}  // namespace nano::app
