// SPDX-License-Identifier: Apache-2.0
#include "app/findings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/terminal.h"
#include "contract/render.h"

namespace nano::app {

Exit ShowFindings(const Invocation& invocation, const contract::Parsed& parsed) {
  if (invocation.json) {
    fmt::print("{}\n", contract::RenderJson(parsed.findings));
  } else {
    const Terminal terminal = Terminal::Of(STDOUT_FILENO);
    std::fputs(contract::RenderText(parsed.findings, parsed.files, terminal.colour ? contract::Colour::kOn : contract::Colour::kOff).c_str(), stdout);
    if (!invocation.quiet || !parsed.ok())
      fmt::print("{} in {} file{}\n", contract::Summary(parsed.findings), parsed.files.size(), parsed.files.size() == 1 ? "" : "s");
  }
  return parsed.ok() ? Exit::kDone : Exit::kFailed;
}

tl::unexpected<Error> FindingsError(const contract::Findings& findings) {
  const auto is_error = [](const contract::Finding& finding) { return finding.severity == contract::Severity::kError; };
  const auto count = std::count_if(findings.begin(), findings.end(), is_error);
  Error error{Code::kInvalid, "the warehouse's files have mistakes", "`nanohouse check` shows all mistakes.", {}, {}};
  if (const auto first = std::find_if(findings.begin(), findings.end(), is_error); first != findings.end()) {
    error.message = first->message;
    error.place = first->place;
    if (count == 1) error.hint = first->hint;
    else error.hint = fmt::format("There are {} mistakes in all: `nanohouse check` shows them.", count);
  }
  return tl::make_unexpected(std::move(error));
}

}  // namespace nano::app
