// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `plan` without its command line: what the files of a warehouse would change of what is deployed, and why `apply` would
/// refuse it. Reads only.

#include <string>
#include <vector>

#include "app/terminal.h"
#include "app/warehouse.h"
#include "base/result.h"
#include "contract/diff.h"

namespace nano::app {

struct Plan {
  int deployed = 0;                         ///< the live version; 0: nothing was applied yet
  bool same_files = false;                  ///< the files are those that were applied
  std::vector<contract::Change> changes;
  std::vector<Error> refusals;              ///< why apply would refuse; empty: it would not
  std::vector<Error> warnings;

  bool empty() const { return changes.empty() && deployed > 0; }
};

/// `warehouse.parsed` must be without errors.
Result<Plan> MakePlan(const Warehouse& warehouse);

/// One line a change, refusals and warnings below; for people.
std::string PlanText(const Plan& plan, const Terminal& terminal);
/// `changes` as the language says, with `refused` and `warnings` beside it.
std::string PlanJson(const Plan& plan);

}  // namespace nano::app
