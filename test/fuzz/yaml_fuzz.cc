// SPDX-License-Identifier: Apache-2.0
// A warehouse's files, from bytes to the Contract: every finding has a place in a file that was read. Expressions are
// not bound (that is DuckDB's parser, not ours). A line "--- PATH" begins a further file.
#include "contract/cross_check.h"
#include "contract/read.h"
#include "contract/tree.h"
#include "contract/units.h"
#include "contract/yaml.h"
#include "input.h"
#include "wire/json_scan.h"

using namespace nano;
using namespace nano::contract;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input(data, size);
  std::vector<SourceFile> files{{"nanohouse.yaml", ""}};
  std::string_view rest = input.text();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.starts_with("--- tables/") && files.size() < 4) files.push_back({std::string(line.substr(4)), ""});
    else files.back().text.append(line).append("\n");
  }
  std::sort(files.begin(), files.end(), [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  Findings findings;
  std::size_t at = 0;
  for (const auto& file : files) {
    const Node node = ReadYaml(file.path, file.text, findings);
    if (IsUtf8(file.text, at) && !HasErrors(findings)) fuzz::Require(wire::IsJson(ToJson(node), wire::Bare::kRefused));
  }
  findings.clear();
  Contract contract;
  const WarehouseTree tree = JoinFiles(files, findings, contract.not_yet);
  ReadContract(tree, contract, findings);
  for (const auto& table : contract.tables) {
    for (const auto& column : table.columns) fuzz::Require(ParseDataType(ToString(column.type)) == column.type);
    for (const auto& field : table.partition_by) fuzz::Require(!ToString(field).empty());
  }
  CrossCheck(tree, contract, files, findings);
  Sort(findings);
  for (const auto& finding : findings) fuzz::Require(!finding.message.empty() && !finding.code.empty() && finding.place.at > 0 && !finding.place.in.empty());
  return 0;
}
