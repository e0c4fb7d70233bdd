// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Findings as people and programs read them: on a terminal with the line and a caret, as JSON, as SARIF 2.1.0 for code
/// review. Pure.

#include <string>
#include <vector>

#include "contract/finding.h"
#include "contract/tree.h"

namespace nano::contract {

enum class Colour { kOff, kOn };

/// One finding after the other; empty where there is none. Control characters of files are shown as `?`, and the line
/// of what may be a secret isn't shown.
std::string RenderText(const Findings& findings, const std::vector<SourceFile>& files, Colour colour);

/// `{"errors":1,"warnings":0,"findings":[{"severity":…,"code":…,"message":…,"hint":…,"file":…,"line":…,"column":…,"end_column":…}]}`
std::string RenderJson(const Findings& findings);

/// SARIF 2.1.0, with every rule; `tool_version` is the program's.
std::string RenderSarif(const Findings& findings, const std::string& tool_version);

/// "2 errors, 1 warning"; "no mistakes" where there is none.
std::string Summary(const Findings& findings);

}  // namespace nano::contract
