// SPDX-License-Identifier: Apache-2.0
// init [DIR]: a new warehouse from a template.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/postgres_proposal.h"
#include "app/report.h"
#include "app/warehouse_template.h"

namespace nano::app {
namespace {

/// A warehouse of all the tables that the database has.
Result<std::vector<TemplateFile>> FilesFrom(const std::string& url, const std::string& warehouse) {
  if (!IsPostgresUrl(url))
    return WithHint(Fail(Code::kInvalid, "--from takes a URL of a PostgreSQL database"), "Write postgresql://user@host:port/database.");
  ASSIGN(const auto database, SeePostgres(Secret(url), {}));
  const auto source = PostgresSourceOf(WarehouseName(database.name));
  auto proposal = discover::Propose(database.seen.streams, {});
  proposal.notes.insert(proposal.notes.begin(), database.seen.notes.begin(), database.seen.notes.end());
  const std::string mark = "# Proposed from the database. Change what you know better.\n";
  return std::vector<TemplateFile>{
      {"nanohouse.yaml", fmt::format("nanohouse: 1\nwarehouse: {}\nversion: 1.0.0\n", discover::YamlText(warehouse))},
      {"sources/" + source.name + ".yaml", mark + SourcesYaml(source)},
      {"tables/" + source.name + ".yaml", mark + TablesYaml(source, proposal)}};
}

}  // namespace

void AddInit(CommandLine& line) {
  const auto folder = std::make_shared<std::string>(".");
  const auto from = std::make_shared<std::string>();
  CLI::App& verb = AddVerb(line, line.program, "init", "Make a new warehouse from a template",
                           {"nanohouse init shop && cd shop && nanohouse ingest", "nanohouse init      # here",
                            "nanohouse init shop --from \"$SHOP_DB_URL\"   # tables of a PostgreSQL database"},
                           [folder, from](const Invocation& invocation) {
    const std::filesystem::path where = (invocation.folder / *folder).lexically_normal();
    const std::string name = WarehouseName(where);
    const auto proposed = from->empty() ? Result<std::vector<TemplateFile>>(WarehouseTemplate(name)) : FilesFrom(*from, name);
    if (!proposed) return Report(invocation, proposed.error());
    const auto& files = *proposed;
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
    fmt::print("  nanohouse check\n{}  nanohouse plan && nanohouse apply\n  nanohouse ingest\n", from->empty() ? "" : "  nanohouse doctor\n");
    if (from->empty()) fmt::print("  nanohouse query \"SELECT status, count(*), sum(amount) FROM orders GROUP BY 1\"\n");
    return Exit::kDone;
  });
  verb.add_option("folder", *folder, "The new warehouse's folder (default: the current one)")->type_name("DIR");
  verb.add_option("--from", *from, "Propose sources and tables from this PostgreSQL database")->type_name("URL");
}

}  // namespace nano::app
