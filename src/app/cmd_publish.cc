// SPDX-License-Identifier: Apache-2.0
// publish: Iceberg metadata over the tables' files, now.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/progress.h"
#include "app/publish_run.h"
#include "app/report.h"
#include "app/run/control.h"
#include "app/warehouse.h"
#include "io/signals.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;

Result<std::vector<PublishedName>> Publish(const Invocation& invocation) {
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  ASSIGN(const auto running, AskRunning(warehouse.layout, {{"do", "publish"}}));
  if (running) {
    if (running->error) return tl::make_unexpected(*running->error);
    return PublishedOf(running->result);
  }
  {
    ASSIGN(const auto reader, OpenReader(warehouse.layout, ""));   // nothing is made where nothing was applied
  }
  ASSIGN(const auto writer, OpenWriter(warehouse, "publish"));
  auto names = PublishNames(writer->lake().connection(), warehouse.layout);
  if (names) writer->Finish(state::Outcome::kOk, "", Json{{"tables", names->size()}}.dump());
  else writer->Finish(state::Outcome::kFailed, names.error().message, "{}");
  return names;
}

}  // namespace

void AddPublish(CommandLine& line) {
  AddVerb(line, line.program, "publish", "Write Iceberg metadata over the tables' files now",
          {"nanohouse publish", "nanohouse publish --json | jq -r .names.orders"}, [](const Invocation& invocation) {
            io::CatchStopSignals();
            const auto names = Publish(invocation);
            if (!names) return Report(invocation, names.error());
            bool refused = false;
            for (const auto& name : *names) refused |= !name.refused.empty();
            if (invocation.json) {
              fmt::print("{}\n", PublishedJson(*names).dump(2, ' ', false, Json::error_handler_t::replace));
            } else if (!invocation.quiet) {
              for (const auto& name : *names) {
                if (name.refused.empty())
                  fmt::print("{}  {} rows  {}{}\n", name.name, CountText(static_cast<std::uint64_t>(name.rows)), name.location,
                             name.written ? "" : "  (as before)");
                for (const auto& warning : name.warnings) fmt::print("{}  warning: {}\n", name.name, warning);
              }
            }
            for (const auto& name : *names)
              if (!name.refused.empty() && !invocation.json)
                fmt::print(stderr, "error: table \"{}\" can't be published exactly: {}\n", name.name, name.refused);
            return refused ? Exit::kFailed : Exit::kDone;
          });
}

}  // namespace nano::app
