// SPDX-License-Identifier: Apache-2.0
// Verbs of the language that this release can't do: known, and refused in words.
#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/report.h"

namespace nano::app {

void AddLater(CommandLine& line) {
  for (const char* name : {"build", "test", "docs", "version", "contract", "snapshot", "policy",
                           "user", "push", "target", "backup", "ci", "deploy"}) {
    const std::string verb = name;
    CLI::App& app = AddVerb(line, line.program, verb, "Not supported yet", {}, [verb](const Invocation& invocation) {
      Error error{Code::kUnsupported, "command \"" + verb + "\" is not supported yet", "A later release will have it.", {}, {}};
      return Report(invocation, error);
    });
    app.allow_extras();
    app.group("");   // not listed by --help
  }
}

}  // namespace nano::app
