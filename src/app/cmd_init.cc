// SPDX-License-Identifier: Apache-2.0
// init [DIR]: a new warehouse from a template.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/report.h"
#include "app/warehouse_template.h"

namespace nano::app {

void AddInit(CommandLine& line) {
  const auto folder = std::make_shared<std::string>(".");
  CLI::App& verb = AddVerb(line, line.program, "init", "Make a new warehouse from a template",
                           {"nanohouse init shop && cd shop && nanohouse ingest", "nanohouse init      # here"},
                           [folder](const Invocation& invocation) {
    const std::filesystem::path where = (invocation.folder / *folder).lexically_normal();
    const std::string name = WarehouseName(where);
    const auto files = WarehouseTemplate(name);
    if (const auto done = WriteTemplate(where, files); !done) return Report(invocation, done.error());
    if (invocation.json) {
      nlohmann::ordered_json out{{"warehouse", name}, {"folder", where.string()}, {"files", nlohmann::ordered_json::array()}};
      for (const auto& file : files) out["files"].push_back(file.path.string());
      fmt::print("{}\n", out.dump());
      return Exit::kDone;
    }
    if (invocation.quiet) return Exit::kDone;
    fmt::print("made warehouse \"{}\"\n", name);
    for (const auto& file : files) fmt::print("  {}\n", (where / file.path).lexically_normal().string());
    fmt::print("next:\n");
    if (where != "." && where != "./") fmt::print("  cd {}\n", where.string());
    fmt::print("  nanohouse check\n  nanohouse plan && nanohouse apply\n  nanohouse ingest\n"
               "  nanohouse query \"SELECT status, count(*), sum(amount) FROM orders GROUP BY 1\"\n");
    return Exit::kDone;
  });
  verb.add_option("folder", *folder, "The new warehouse's folder (default: the current one)")->type_name("DIR");
}

}  // namespace nano::app
