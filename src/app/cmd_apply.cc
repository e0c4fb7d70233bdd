// SPDX-License-Identifier: Apache-2.0
// apply: makes the tables what the files say.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/findings.h"
#include "app/plan_run.h"
#include "app/report.h"
#include "app/run/control.h"
#include "io/signals.h"
#include "migrate/apply.h"

namespace nano::app {
namespace {

/// On a terminal a person decides; where nobody can be asked, apply means apply.
bool Agreed(const Plan& plan) {
  if (!CanAsk()) return true;
  fmt::print(stderr, "{}Apply? [y/N] ", PlanText(plan, Terminal::Of(STDERR_FILENO)));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

/// What a running warehouse says that it did.
migrate::AppliedTables AppliedOf(const nlohmann::ordered_json& json) {
  return {json.value("version", 0), json.value("created", std::vector<std::string>{}), json.value("revised", std::vector<std::string>{})};
}

Exit Tell(const Invocation& invocation, const Plan& plan, const migrate::AppliedTables& applied) {
  if (invocation.json) {
    auto out = nlohmann::ordered_json::parse(PlanJson(plan));
    out["version"] = applied.version;
    out["created"] = applied.created;
    out["revised"] = applied.revised;
    fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else if (!invocation.quiet) {
    if (applied.created.empty() && applied.revised.empty()) {
      fmt::print("version v{}: nothing to do\n", applied.version);
    } else {
      fmt::print("applied version v{}\n", applied.version);
      for (const auto& name : applied.created) fmt::print("  made     {}\n", name);
      for (const auto& name : applied.revised) fmt::print("  changed  {}\n", name);
    }
  }
  return Exit::kDone;
}

Exit ApplyPlan(const Invocation& invocation, bool yes) {
  const auto warehouse = LoadWarehouse(invocation.folder);
  if (!warehouse) return Report(invocation, warehouse.error());
  if (!warehouse->parsed.ok()) return ShowFindings(invocation, warehouse->parsed);
  const auto plan = MakePlan(*warehouse);
  if (!plan) return Report(invocation, plan.error());
  if (!plan->refusals.empty()) {
    if (invocation.json) std::fputs(PlanJson(*plan).c_str(), stdout);
    else std::fputs(PlanText(*plan, Terminal::Of(STDERR_FILENO)).c_str(), stderr);
    return Exit::kFailed;
  }
  if (!plan->empty() && !yes && !invocation.json && !Agreed(*plan)) {
    fmt::print(stderr, "nothing was changed\n");
    return Exit::kFailed;
  }
  migrate::AppliedTables applied;
  applied.version = plan->deployed;
  if (!plan->same_files || plan->deployed == 0) {
    const auto running = AskRunning(warehouse->layout, {{"do", "apply"}, {"bundle", warehouse->contract->bundle}});
    if (!running) return Report(invocation, running.error());
    if (*running && (*running)->error) {
      (void)Report(invocation, *(*running)->error);
      return (*running)->exit;
    }
    if (*running) return Tell(invocation, *plan, AppliedOf((*running)->result));
    auto writer = OpenWriter(*warehouse, "apply");
    if (!writer) return Report(invocation, writer.error());
    auto done = migrate::Apply((*writer)->lake(), *warehouse->contract);
    if (!done) {
      (*writer)->Finish(state::Outcome::kFailed, done.error().message, "{}");
      (void)Report(invocation, done.error());
      return done.error().code == Code::kUnsupported ? Exit::kFailed : Exit::kCouldNot;
    }
    applied = *std::move(done);
    (*writer)->Finish(state::Outcome::kOk, "", nlohmann::json{{"created", applied.created.size()}, {"revised", applied.revised.size()}}.dump());
  }
  return Tell(invocation, *plan, applied);
}

}  // namespace

void AddApply(CommandLine& line) {
  const auto yes = std::make_shared<bool>(false);
  CLI::App& verb = AddVerb(line, line.program, "apply", "Make the tables what the files say",
                           {"nanohouse apply", "nanohouse apply --yes"}, [yes](const Invocation& invocation) { return ApplyPlan(invocation, *yes); });
  verb.add_flag("--yes", *yes, "Don't ask");
}

}  // namespace nano::app
