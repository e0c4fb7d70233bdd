// SPDX-License-Identifier: Apache-2.0
// check: reads every file of the warehouse, reports every mistake of all of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/command.h"
#include "app/findings.h"
#include "app/report.h"
#include "app/version.h"
#include "contract/parse.h"
#include "contract/render.h"

namespace nano::app {
namespace {

/// What `apply` would refuse is no mistake, but better known early.
void TellNotYet(const contract::Contract& contract) {
  for (const auto& key : contract.not_yet)
    fmt::print("note: {} is not supported yet, and `apply` refuses it  {}:{}:{}\n", key.what, key.place.in, key.place.at, key.place.column);
}

}  // namespace

void AddCheck(CommandLine& line) {
  const auto format = std::make_shared<std::string>("text");
  CLI::App& verb = AddVerb(line, line.program, "check", "Read every file, report every mistake",
                           {"nanohouse check", "nanohouse check --format sarif > findings.sarif", "nanohouse -C shop check --json"},
                           [format](const Invocation& invocation) {
    const auto parsed = contract::Load(invocation.folder);
    if (!parsed) return Report(invocation, parsed.error());
    if (*format == "sarif") {
      fmt::print("{}\n", contract::RenderSarif(parsed->findings, ProgramVersion()));
      return parsed->ok() ? Exit::kDone : Exit::kFailed;
    }
    Invocation shown = invocation;
    shown.json |= *format == "json";
    const Exit exit = ShowFindings(shown, *parsed);
    if (!shown.json && !shown.quiet) TellNotYet(*parsed->contract);
    return exit;
  });
  verb.add_option("--format", *format, "text, json or sarif (default: text)")
      ->default_val("text")->type_name("FORMAT")->check(CLI::IsMember({"text", "json", "sarif"}).description(""));
}

}  // namespace nano::app
