// SPDX-License-Identifier: Apache-2.0
// doctor: is the installation whole, and is everything there that the stores name?
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/report.h"
#include "app/warehouse.h"
#include "io/signals.h"
#include "watch/doctor.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;

Exit Show(const Invocation& invocation, const std::vector<watch::Check>& checks) {
  std::size_t troubles = 0;
  for (const auto& check : checks) troubles += check.troubles.size();
  if (invocation.json) {
    Json out{{"ok", troubles == 0}, {"checks", Json::array()}};
    for (const auto& check : checks) {
      Json found = Json::array();
      for (const auto& error : check.troubles) found.push_back(Json::parse(ErrorJson(error))["error"]);
      out["checks"].push_back({{"name", check.name}, {"ok", check.troubles.empty()}, {"looked_at", check.looked_at}, {"troubles", found}});
    }
    fmt::print("{}\n", out.dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    const Terminal terminal = Terminal::Of(STDOUT_FILENO);
    for (const auto& check : checks) {
      const bool well = check.troubles.empty();
      if (!well || !invocation.quiet)
        fmt::print("{} {}{}{}\n", well ? terminal.Green("ok  ") : terminal.Red("FAIL"), check.name, check.looked_at.empty() ? "" : ": ", check.looked_at);
      for (const auto& error : check.troubles) fmt::print("     {}", ErrorText(error, terminal));
    }
    if (!invocation.quiet) fmt::print("{}\n", troubles == 0 ? "all is well" : fmt::format("{} trouble{}", troubles, troubles == 1 ? "" : "s"));
  }
  return troubles == 0 ? Exit::kDone : Exit::kFailed;
}

}  // namespace

void AddDoctor(CommandLine& line) {
  AddVerb(line, line.program, "doctor", "Check the installation and the stores: checksums, every file that the catalog names",
          {"nanohouse doctor", "nanohouse -C shop doctor --json"}, [](const Invocation& invocation) {
            io::CatchStopSignals();
            const auto warehouse = FindWarehouse(invocation.folder);
            if (!warehouse) return Report(invocation, warehouse.error());
            auto checks = watch::CheckInstallation(warehouse->layout);
            for (auto& check : watch::CheckStores(warehouse->layout, io::StopRequested)) checks.push_back(std::move(check));
            if (io::StopRequested()) {
              Error stopped{Code::kUnavailable, "stopped before everything was looked at", {}, {}, {}};
              return Report(invocation, stopped);
            }
            return Show(invocation, checks);
          });
}

}  // namespace nano::app
