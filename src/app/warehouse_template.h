// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The files of a new warehouse (`init`): a contract with the essentials explained, and a little data, so that the first
/// `ingest` and the first query work at once.

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace nano::app {

struct TemplateFile {
  std::filesystem::path path;   ///< in the warehouse's folder
  std::string text;
};

/// The files, for a warehouse of this name.
std::vector<TemplateFile> WarehouseTemplate(const std::string& warehouse);

/// A folder's name as a warehouse's: small letters, digits and `_`; `warehouse` where nothing is left.
std::string WarehouseName(const std::filesystem::path& folder);

/// Writes them; all or none.  kExists: a file of that name is there already; the message names it.
Status WriteTemplate(const std::filesystem::path& folder, const std::vector<TemplateFile>& files);

}  // namespace nano::app
