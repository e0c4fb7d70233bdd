// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The contract by which data is landed: what was applied, whatever the files say now.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "app/warehouse.h"
#include "lake/lake.h"

namespace nano::app {

/// What was applied; where nothing was, the folder's contract is applied first. `say` is told of that, and of files that
/// have changed since.
Result<std::shared_ptr<const contract::Contract>> DeployedContract(const std::filesystem::path& folder, const Warehouse& warehouse, lake::Writer& lake,
                                                                   const std::function<void(const std::string&)>& say);

}  // namespace nano::app
