// SPDX-License-Identifier: Apache-2.0
#include "app/deployed_table.h"

#include "contract/finding.h"
#include "migrate/apply.h"

namespace nano::app {

Result<DeployedTable> FindDeployedTable(engine::Connection& connection, const std::filesystem::path& folder, const std::string& name) {
  ASSIGN(const auto deployed, migrate::ReadDeployed(connection, folder));
  if (!deployed) return WithHint(Fail(Code::kNotFound, "the warehouse was never applied"), "Run `nanohouse apply`.");
  DeployedTable out;
  out.contract = deployed->contract;
  out.table = out.contract->table(name);
  if (!out.table) {
    std::vector<std::string> names;
    for (const auto& table : out.contract->tables) names.push_back(table.name);
    const std::string near = contract::Nearest(name, names);
    return WithHint(Fail(Code::kNotFound, "there is no table \"{}\"", name),
                    near.empty() ? "`nanohouse status` lists the tables." : "Did you mean `" + near + "`?");
  }
  ASSIGN(const auto builds, lake::ReadBuilds(connection));
  ASSIGN(const auto names, lake::ReadVersion(connection, deployed->version));
  const auto id = names.find(name);
  if (id == names.end() || !builds.count(id->second)) return Fail(Code::kNotFound, "table \"{}\" was not made yet", name);
  out.build = builds.at(id->second);
  return out;
}

}  // namespace nano::app
