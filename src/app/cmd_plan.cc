// SPDX-License-Identifier: Apache-2.0
// plan: what would change, and whether apply would refuse it.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/command.h"
#include "app/findings.h"
#include "app/plan_run.h"
#include "app/report.h"

namespace nano::app {

void AddPlan(CommandLine& line) {
  AddVerb(line, line.program, "plan", "Show what apply would change, breaking or not",
          {"nanohouse plan", "nanohouse plan --json | jq '.changes[] | select(.class != \"additive\")'"}, [](const Invocation& invocation) {
            const auto warehouse = LoadWarehouse(invocation.folder);
            if (!warehouse) return Report(invocation, warehouse.error());
            if (!warehouse->parsed.ok()) return ShowFindings(invocation, warehouse->parsed);
            const auto plan = MakePlan(*warehouse);
            if (!plan) return Report(invocation, plan.error());
            if (invocation.json) std::fputs(PlanJson(*plan).c_str(), stdout);
            else if (!invocation.quiet) std::fputs(PlanText(*plan, Terminal::Of(STDOUT_FILENO)).c_str(), stdout);
            if (!plan->refusals.empty()) return Exit::kFailed;
            return plan->empty() ? Exit::kDone : Exit::kToDo;
          });
}

}  // namespace nano::app
