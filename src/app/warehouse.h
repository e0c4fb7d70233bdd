// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How verbs get at a warehouse: from its folder to where its stores lie, and a reader of its tables. A mistake in some
/// table's YAML does not stand in the way of those that only read.

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "contract/layout.h"
#include "lake/reader.h"

namespace nano::app {

/// Where the stores of the warehouse in `folder` lie.  kNotFound: there is no nanohouse.yaml in it.
Result<contract::Layout> FindLayout(const std::filesystem::path& folder);

lake::Place LakePlace(const contract::Layout& layout);

/// The tables, newest or as they were `at` (empty: newest); plain names are those of the promoted version.
/// kNotFound: nothing was applied yet.
Result<std::unique_ptr<lake::Reader>> OpenReader(const contract::Layout& layout, const std::string& at);

}  // namespace nano::app
