// SPDX-License-Identifier: Apache-2.0
// completion bash|zsh|fish|man: the command line for shells and readers, made of its own declaration.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <memory>

#include "app/command.h"
#include "app/completion.h"
#include "app/report.h"
#include "app/warehouse.h"

namespace nano::app {
namespace {

Exit Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return Exit::kDone;
}

/// The names that the files have, one a line; files with mistakes have names too.
Exit PrintWords(const Invocation& invocation, const std::string& what) {
  const auto warehouse = FindWarehouse(invocation.folder);
  if (!warehouse) return Report(invocation, warehouse.error());
  std::string out;
  if (what == "tables")
    for (const auto& table : warehouse->contract->tables) out += table.name + "\n";
  else
    for (const auto& source : warehouse->contract->sources) out += source.name + "\n";
  return Print(out);
}

}  // namespace

void AddCompletion(CommandLine& line) {
  CLI::App& verb = AddVerb(line, line.program, "completion", "Print what completes the command line in a shell, or the manual page",
                           {"source <(nanohouse completion bash)"}, nullptr);
  verb.require_subcommand(1);
  const CLI::App& program = line.program;
  AddVerb(line, verb, "bash", "For bash", {"source <(nanohouse completion bash)                # in ~/.bashrc"},
          [&program](const Invocation&) { return Print(BashCompletion(ReadCommandTree(program))); });
  AddVerb(line, verb, "zsh", "For zsh", {"nanohouse completion zsh > ~/.zfunc/_nanohouse     # a folder of $fpath"},
          [&program](const Invocation&) { return Print(ZshCompletion(ReadCommandTree(program))); });
  AddVerb(line, verb, "fish", "For fish", {"nanohouse completion fish > ~/.config/fish/completions/nanohouse.fish"},
          [&program](const Invocation&) { return Print(FishCompletion(ReadCommandTree(program))); });
  AddVerb(line, verb, "man", "The manual page, nanohouse.1", {"nanohouse completion man | man -l -"},
          [&program](const Invocation&) { return Print(ManualPage(ReadCommandTree(program), NANO_VERSION)); });
  const auto what = std::make_shared<std::string>();
  CLI::App& words = AddVerb(line, verb, "words", "Names that the warehouse's files have, for the scripts", {},
                            [what](const Invocation& invocation) { return PrintWords(invocation, *what); });
  words.add_option("what", *what, "tables or sources")->required()->check(CLI::IsMember({"tables", "sources"}).description(""));
  words.group("");   // the scripts' own
}

}  // namespace nano::app
