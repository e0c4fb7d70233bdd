// SPDX-License-Identifier: Apache-2.0
// source resync|heal|reset: tables of a database read once more, by the warehouse that runs, or here where none does.
#include "app/cmd_source_reread.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/ingest_command.h"
#include "app/report.h"
#include "app/run/control.h"
#include "app/source_reread.h"
#include "app/terminal.h"
#include "app/warehouse.h"
#include "io/signals.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;
using ingest::Asked;

struct Wanted {
  std::string source;
  std::vector<std::string> tables;
  bool yes = false;
};

/// On a terminal a person decides, as of `apply`.
bool Agreed(const Wanted& wanted) {
  if (!CanAsk()) return true;
  fmt::print(stderr, "The replication slot of source \"{}\" is dropped, its place forgotten, and everything read anew. Reset? [y/N] ", wanted.source);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

Exit Do(const Invocation& invocation, Asked asked, const Wanted& wanted) {
  const auto warehouse = FindWarehouse(invocation.folder);
  if (!warehouse) return Report(invocation, warehouse.error());
  if (asked == Asked::kReset && !wanted.yes && !invocation.json && !Agreed(wanted)) {
    fmt::print(stderr, "nothing was changed\n");
    return Exit::kFailed;
  }
  const std::string verb = ingest::Name(asked);
  const auto running = AskRunning(warehouse->layout, {{"do", "source " + verb}, {"source", wanted.source}, {"tables", wanted.tables}});
  if (!running) return Report(invocation, running.error());
  if (!*running) {
    const auto before = [&](const Warehouse& here, const contract::Contract& deployed) { return AskSource(deployed, here.layout, wanted.source, asked, wanted.tables); };
    return IngestSources(invocation, {.command = "source " + verb, .sources = {wanted.source}, .before = before});
  }
  if ((*running)->error) {
    (void)Report(invocation, *(*running)->error);
    return (*running)->exit;
  }
  if (invocation.json) fmt::print("{}\n", (*running)->result.dump(2, ' ', false, Json::error_handler_t::replace));
  else if (!invocation.quiet) fmt::print("{} of source \"{}\" has begun; readers see the old rows until it is complete. `nanohouse source list` shows how far it is.\n", verb, wanted.source);
  return Exit::kDone;
}

}  // namespace

void AddSourceRereads(CommandLine& line, CLI::App& group) {
  struct Verb {
    Asked asked;
    const char* description;
    std::vector<std::string> examples;
  };
  const Verb verbs[] = {
      {Asked::kResync, "Read tables of a database once more, and replace their rows", {"nanohouse source resync shop_db", "nanohouse source resync shop_db orders customers"}},
      {Asked::kHeal, "Read tables of a database once more, and write only what differs; with a new replication slot where the old one is lost",
       {"nanohouse source heal shop_db", "nanohouse source heal shop_db orders"}},
      {Asked::kReset, "Forget a database's replication slot and place, and read everything anew", {"nanohouse source reset shop_db --yes"}},
  };
  for (const Verb& verb : verbs) {
    const auto wanted = std::make_shared<Wanted>();
    const Asked asked = verb.asked;
    CLI::App& app = AddVerb(line, group, ingest::Name(asked), verb.description, verb.examples,
                            [asked, wanted](const Invocation& invocation) { return Do(invocation, asked, *wanted); });
    app.add_option("source", wanted->source, "Which one")->type_name("SOURCE")->required();
    if (asked == Asked::kReset) app.add_flag("--yes", wanted->yes, "Don't ask");
    else app.add_option("tables", wanted->tables, "Only these tables (default: all)")->type_name("TABLE");
  }
}

}  // namespace nano::app
