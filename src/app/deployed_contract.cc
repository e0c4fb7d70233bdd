// SPDX-License-Identifier: Apache-2.0
#include "app/deployed_contract.h"

#include "app/findings.h"
#include "migrate/apply.h"

namespace nano::app {

Result<std::shared_ptr<const contract::Contract>> DeployedContract(const std::filesystem::path& folder, const Warehouse& warehouse, lake::Writer& lake,
                                                                   const std::function<void(const std::string&)>& say) {
  ASSIGN(auto deployed, migrate::ReadDeployed(lake.connection(), folder, lake.Committed("bundle")));
  if (deployed) {
    if (!warehouse.parsed.ok() || warehouse.contract->bundle != deployed->contract->bundle)
      say("note: the files have changed since they were applied; `nanohouse plan` shows how");
    return deployed->contract;
  }
  if (!warehouse.parsed.ok()) return FindingsError(warehouse.parsed.findings);
  ASSIGN(const migrate::AppliedTables applied, migrate::Apply(lake, *warehouse.contract));
  say(fmt::format("applied version v{}: {} tables", applied.version, applied.created.size()));
  return warehouse.contract;
}

}  // namespace nano::app
