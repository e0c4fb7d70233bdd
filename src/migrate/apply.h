// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The stage that makes the lake what a contract says: new tables, and what may change in place (new nullable columns,
/// wider types, descriptions). One transaction, with the bundle of files that it came from. Anything else is another
/// version's business and refused. The caller holds the writer.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/model.h"
#include "lake/build.h"
#include "lake/lake.h"

namespace nano::migrate {

/// What was applied last.
struct Deployed {
  int version = 0;
  std::shared_ptr<const contract::Contract> contract;
};

/// Nothing where nothing was applied yet. `folder` is where the contract's relative paths begin.
Result<std::optional<Deployed>> ReadDeployed(engine::Connection& connection, const std::filesystem::path& folder,
                                             const std::string& relation = "lake.nanohouse.bundle");

/// The definition that a table's build is born with.  kInvalid: its mode can't have such columns.
Result<lake::BuildDefinition> DefinitionOf(const contract::Table& table);

struct AppliedTables {
  int version = 0;
  std::vector<std::string> created, revised;
};

/// Makes it so.  kUnsupported: the contract uses what is not there yet, or asks for a change that can't be made in place;
/// the place names the first. Applying again what is applied is no change.
Result<AppliedTables> Apply(lake::Writer& writer, const contract::Contract& wanted);

}  // namespace nano::migrate
