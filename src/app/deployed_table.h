// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One table of what was applied, with its build: for verbs that ask about a table by its name.

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "contract/model.h"
#include "lake/build.h"

namespace nano::app {

struct DeployedTable {
  std::shared_ptr<const contract::Contract> contract;   ///< as it was applied
  const contract::Table* table = nullptr;               ///< in it
  lake::Build build;
};

/// kNotFound: nothing was applied yet, or it has no such table; the hint names the nearest.
Result<DeployedTable> FindDeployedTable(engine::Connection& connection, const std::filesystem::path& folder, const std::string& name);

}  // namespace nano::app
