// SPDX-License-Identifier: Apache-2.0
// source list|start|stop|restart: the sources of a running warehouse, one by one; and what else can be told to one.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/cmd_source_reread.h"
#include "app/command.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/report.h"
#include "app/row_writer.h"
#include "app/run/control.h"
#include "app/warehouse.h"
#include "wire/json_get.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;

/// Of a warehouse that does not run.
Result<Json> StoppedSources(const Warehouse& warehouse) {
  Json out{{"sources", Json::array()}};
  for (const auto& source : warehouse.contract->sources)
    out["sources"].push_back({{"name", source.name}, {"state", "stopped"}, {"reason", "the warehouse is not running"}, {"hint", "`nanohouse run` runs it."}});
  return out;
}

Status Print(const Invocation& invocation, const Json& sources) {
  Output output;
  if (invocation.json) {
    TRY(output.Write(sources.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
    return output.Finish();
  }
  if (invocation.quiet) return {};
  const auto printer = MakeTablePrinter(output, {.terminal = Terminal::Of(STDOUT_FILENO), .max_rows = 0, .footer = false});
  TRY(printer->Begin({{"source", "VARCHAR"}, {"state", "VARCHAR"}, {"records landed", "BIGINT"}, {"behind", "BIGINT"}, {"reason", "VARCHAR"}}));
  for (const auto& source : sources) {
    const std::string name = wire::Get(source, "name", ""), state = wire::Get(source, "state", "");
    std::string reason = wire::Get(source, "reason", "");
    for (const char* const more : {"warning", "doing"})
      if (reason.empty()) reason = wire::Get(source, more, "");
    const std::string landed = CountText(source.value("position", std::uint64_t{0}));
    const std::string behind = source.contains("lag") ? CountText(source["lag"].value("records", std::uint64_t{0})) : "-";
    const std::vector<std::optional<std::string_view>> row{name, state, landed, behind, reason};
    TRY(printer->Row(row));
  }
  TRY(printer->End());
  TRY(output.Write("\n"));
  for (const auto& source : sources)
    if (const std::string hint = wire::Get(source, "hint", ""); !hint.empty()) TRY(output.Write(fmt::format("{}: {}\n", wire::Get(source, "name", ""), hint)));
  return output.Finish();
}

Exit Ask(const Invocation& invocation, const std::string& what, const std::string& source) {
  const auto answer = [&]() -> Result<ControlAnswer> {
    ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
    if (what != "list") return AskRunningOrFail(warehouse.layout, {{"do", "source " + what}, {"source", source}});
    ASSIGN(auto running, AskRunning(warehouse.layout, {{"do", "source list"}}));
    if (running) return *std::move(running);
    ControlAnswer stopped;
    ASSIGN(stopped.result, StoppedSources(warehouse));
    return stopped;
  }();
  if (!answer) return Report(invocation, answer.error());
  if (answer->error) {
    (void)Report(invocation, *answer->error);
    return answer->exit;
  }
  Json sources = answer->result["sources"];
  if (!source.empty()) {
    Json one = Json::array();
    for (const auto& entry : sources)
      if (wire::Get(entry, "name", "") == source) one.push_back(entry);
    sources = one;
  }
  const auto printed = Print(invocation, sources);
  return printed ? Exit::kDone : Report(invocation, printed.error());
}

}  // namespace

void AddSource(CommandLine& line) {
  CLI::App& group = AddVerb(line, line.program, "source", "List, start and stop the sources of the running warehouse; have a database's tables read once more",
                            {"nanohouse source list", "nanohouse source restart shop_cdc", "nanohouse source heal shop_db"}, nullptr);
  group.require_subcommand(1);
  AddVerb(line, group, "list", "How each source fares", {"nanohouse source list", "nanohouse source list --json | jq '.[] | select(.state == \"failed\")'"},
          [](const Invocation& invocation) { return Ask(invocation, "list", ""); });
  for (const auto& [verb, description] : {std::pair{"start", "Start a source that was stopped, or try again one that failed"},
                                          std::pair{"stop", "Stop reading a source; what it sent is landed"},
                                          std::pair{"restart", "Stop a source and start it again"}}) {
    const auto source = std::make_shared<std::string>();
    const std::string what = verb;
    CLI::App& app = AddVerb(line, group, what, description, {fmt::format("nanohouse source {} shop_cdc", what)},
                            [what, source](const Invocation& invocation) { return Ask(invocation, what, *source); });
    app.add_option("source", *source, "Which one")->type_name("SOURCE")->required();
  }
  AddSourceRereads(line, group);
  AddSourceVerify(line, group);
}

}  // namespace nano::app
