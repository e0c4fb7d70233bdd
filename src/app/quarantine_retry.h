// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `quarantine retry`: lands what fits since the schema was mended.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/command.h"
#include "contract/layout.h"
#include "lake/lake.h"

namespace nano::app {

struct RetryArguments {
  std::vector<std::string> records;   ///< SOURCE:POSITION
  std::string table;
  bool all = false, dry_run = false;
};

/// As a request to the running warehouse, and back.
nlohmann::ordered_json RetryRequest(const RetryArguments& arguments);
RetryArguments RetryArgumentsOf(const nlohmann::ordered_json& request);

/// Does it, by what was deployed; what became of each record, as `--json` prints it.
Result<nlohmann::ordered_json> RetryNow(lake::Writer& lake, const contract::Layout& layout, const contract::Contract& contract, const RetryArguments& arguments);

/// Adds it to the verb `quarantine`.
void AddQuarantineRetry(CommandLine& line, CLI::App& quarantine);

}  // namespace nano::app
