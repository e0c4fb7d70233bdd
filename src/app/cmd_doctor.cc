// SPDX-License-Identifier: Apache-2.0
// doctor: is the installation whole, and is everything there that the stores name? --fix: put right what can be.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/feed_options.h"
#include "app/publish_run.h"
#include "app/report.h"
#include "app/warehouse.h"
#include "ingest/postgres_ddl.h"
#include "ingest/postgres_discover.h"
#include "io/signals.h"
#include "watch/mend.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;

struct DoctorOptions {
  bool fix = false, dry_run = false;
  bool ddl_trigger = false;
};

struct Count {
  std::size_t troubles = 0, left_overs = 0, mended = 0;
};

Count CountOf(const std::vector<watch::Check>& checks) {
  Count count;
  for (const auto& check : checks)
    for (const auto& trouble : check.troubles) {
      if (trouble.fix == watch::Fix::kDone) ++count.mended;
      else if (trouble.harmless) ++count.left_overs;
      else ++count.troubles;
    }
  return count;
}

std::string Counted(std::size_t count, const char* one) { return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s"); }

void ShowJson(const std::vector<watch::Check>& checks, const Count& count) {
  Json out{{"ok", count.troubles == 0}, {"troubles", count.troubles}, {"left_overs", count.left_overs}, {"fixed", count.mended}, {"checks", Json::array()}};
  for (const auto& check : checks) {
    Json found = Json::array();
    for (const auto& trouble : check.troubles) {
      Json one = Json::parse(ErrorJson(trouble))["error"];
      one["harmless"] = trouble.harmless;
      one["cure"] = trouble.cure.empty() ? Json() : Json(trouble.cure);
      one["fixed"] = trouble.fix == watch::Fix::kNotTried ? Json() : Json(trouble.fix == watch::Fix::kDone);
      if (!trouble.failure.empty()) one["not_fixed_because"] = trouble.failure;
      found.push_back(std::move(one));
    }
    out["checks"].push_back({{"name", check.name}, {"ok", check.well()}, {"looked_at", check.looked_at}, {"troubles", found}});
  }
  fmt::print("{}\n", out.dump(2, ' ', false, Json::error_handler_t::replace));
}

void ShowCure(const watch::Trouble& trouble, const DoctorOptions& options) {
  if (trouble.fix == watch::Fix::kDone) fmt::print("     fixed: {}\n", trouble.cure);
  else if (trouble.fix == watch::Fix::kFailed) fmt::print("     not fixed: {}\n", trouble.failure);
  else if (!trouble.cure.empty()) fmt::print("     {}: {}\n", options.dry_run ? "would be fixed" : "`nanohouse doctor --fix`", trouble.cure);
}

void ShowText(const Invocation& invocation, const std::vector<watch::Check>& checks, const Count& count, const DoctorOptions& options) {
  const Terminal terminal = Terminal::Of(STDOUT_FILENO);
  for (const auto& check : checks) {
    const bool well = check.well();
    if (invocation.quiet && check.troubles.empty()) continue;
    fmt::print("{} {}{}{}\n", well ? terminal.Green("ok  ") : terminal.Red("FAIL"), check.name, check.looked_at.empty() ? "" : ": ", check.looked_at);
    for (const auto& trouble : check.troubles) {
      if (trouble.harmless) fmt::print("     note: {}\n", trouble.message);
      else fmt::print("     {}", ErrorText(trouble, terminal));
      ShowCure(trouble, options);
    }
  }
  if (invocation.quiet) return;
  std::string line = count.troubles == 0 ? "all is well" : Counted(count.troubles, "trouble");
  if (count.mended > 0) line += fmt::format("; {} fixed", count.mended);
  if (count.left_overs > 0) line += "; " + Counted(count.left_overs, "left-over");
  fmt::print("{}\n", line);
}

watch::Trouble TroubleOf(Error error) {
  watch::Trouble trouble;
  static_cast<Error&>(trouble) = std::move(error);
  return trouble;
}

/// What the database of a source lacks, as SQL, and how its slot stands.
watch::Check CheckDatabase(const contract::Contract& contract, const contract::Source& source) {
  watch::Check check{fmt::format("database of source {}", source.name), "", {}};
  const auto standing = ingest::LookAtDatabase(source, contract.warehouse, FeedOptionsOf(contract, contract::LayoutOf(contract), source.name).streams);
  if (!standing) {
    check.troubles.push_back(TroubleOf(standing.error()));
    return check;
  }
  for (const auto& lack : standing->lacks) check.troubles.push_back(TroubleOf(Error{Code::kInvalid, lack.what, "Run in the database: " + lack.sql, {}, {}}));
  check.looked_at = fmt::format("{} tables, ", standing->tables);
  switch (standing->slot.state) {
    case ingest::SlotState::kMissing: check.looked_at += fmt::format("slot {} is not made yet", standing->slot_name); break;
    case ingest::SlotState::kLost:
      check.troubles.push_back(TroubleOf(Error{Code::kCorrupt, fmt::format("replication slot \"{}\" is lost: changes did not come", standing->slot_name),
                                               "`nanohouse source heal` reads its tables once more and writes what differs; `on_slot_lost: heal` does so by itself.", {}, {}}));
      break;
    case ingest::SlotState::kThere:
      check.looked_at += fmt::format("slot {} holds back {:.1f} MB of log", standing->slot_name, static_cast<double>(standing->slot.held_bytes) / 1e6);
  }
  if (standing->ddl_trigger) check.looked_at += ", DDL that changes rows is told";
  return check;
}

Result<std::vector<watch::Check>> Look(const Invocation& invocation, const DoctorOptions& options) {
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  const watch::Looking looking{std::chrono::seconds(warehouse.contract->storage.grace_seconds), io::StopRequested};
  std::vector<watch::Check> checks = watch::CheckInstallation(warehouse.layout);
  std::vector<watch::Check> stores;
  const bool engine = checks.front().troubles.empty();
  if (!engine) {   // without it nothing can be said of the lake
    stores.push_back(watch::CheckState(warehouse.layout));
  } else if (options.fix && !options.dry_run) {
    watch::Tools tools;
    tools.open_lake = [&] { return OpenLake(warehouse); };
    tools.publish = [&](engine::Connection& connection) -> Status {
      ASSIGN(const auto names, PublishNames(connection, warehouse.layout));
      for (const auto& name : names)
        if (name.location.empty()) return Fail(Code::kUnsupported, "table \"{}\" can't be published exactly: {}", name.name, name.refused);
      return {};
    };
    ASSIGN(stores, watch::Mend(warehouse.layout, looking, tools));
  } else {
    stores = watch::CheckStores(warehouse.layout, looking);
    stores.insert(stores.begin(), watch::CheckState(warehouse.layout));
  }
  for (auto& check : stores) checks.push_back(std::move(check));
  for (const auto& source : warehouse.contract->sources)
    if (source.kind == contract::Source::Kind::kPostgres && !io::StopRequested()) checks.push_back(CheckDatabase(*warehouse.contract, source));
  if (io::StopRequested()) return Fail(Code::kUnavailable, "stopped before everything was looked at");
  return checks;
}

/// Prints what tells of DDL in a database, or runs it in those of all sources.
Exit DdlTrigger(const Invocation& invocation, const DoctorOptions& options) {
  if (!options.fix || options.dry_run) {
    fmt::print("{}", ingest::DdlTriggerSql());
    return Exit::kDone;
  }
  const auto warehouse = FindWarehouse(invocation.folder);
  if (!warehouse) return Report(invocation, warehouse.error());
  for (const auto& source : warehouse->contract->sources) {
    if (source.kind != contract::Source::Kind::kPostgres) continue;
    if (const Status installed = ingest::InstallDdlTrigger(source); !installed) return Report(invocation, installed.error());
    if (!invocation.quiet && !invocation.json) fmt::print("the database of source \"{}\" tells of DDL that changes rows\n", source.name);
  }
  return Exit::kDone;
}

}  // namespace

void AddDoctor(CommandLine& line) {
  const auto options = std::make_shared<DoctorOptions>();
  CLI::App& verb = AddVerb(line, line.program, "doctor", "Check the installation and the stores: checksums, rows of the catalog, every file that it names",
                           {"nanohouse doctor", "nanohouse -C shop doctor --json", "nanohouse doctor --fix --dry-run"}, [options](const Invocation& invocation) {
                             io::CatchStopSignals();
                             if (options->ddl_trigger) return DdlTrigger(invocation, *options);
                             const auto checks = Look(invocation, *options);
                             if (!checks) return Report(invocation, checks.error());
                             const Count count = CountOf(*checks);
                             if (invocation.json) ShowJson(*checks, count);
                             else ShowText(invocation, *checks, count, *options);
                             return count.troubles == 0 ? Exit::kDone : Exit::kFailed;
                           });
  auto* const fix = verb.add_flag("--fix", options->fix, "Put right what can be; what is younger than `storage.grace` is never removed");
  verb.add_flag("--dry-run", options->dry_run, "With --fix: say what would be done")->needs(fix);
  verb.add_flag("--ddl-trigger", options->ddl_trigger, "Print the SQL by which a PostgreSQL database tells of DDL that changes rows; with --fix: run it there");
}

}  // namespace nano::app
