// SPDX-License-Identifier: Apache-2.0
// schema: the language itself, as the program knows it: for editors and for the reference.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/command.h"
#include "app/report.h"
#include "contract/diff.h"
#include "contract/finding.h"
#include "contract/published.h"
#include "contract/type_table.h"

namespace nano::app {
namespace {

Exit Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  if (!text.ends_with('\n')) std::fputc('\n', stdout);
  return Exit::kDone;
}

/// Every code that a program can meet, as tables.
std::string ErrorsMarkdown() {
  std::string out = "# Codes\n\n| error | |\n|---|---|\n";
  for (const Code code : {Code::kInvalid, Code::kNotFound, Code::kExists, Code::kConflict, Code::kUnavailable, Code::kOutcomeUnknown,
                          Code::kDenied, Code::kUnsupported, Code::kCorrupt, Code::kInternal})
    out += fmt::format("| `{}` | {} |\n", CodeName(code), CodeAdvice(code));
  out += "\n| finding of `check` | says |\n|---|---|\n";
  for (const auto& rule : contract::Rules()) out += fmt::format("| `{}` | {} |\n", rule.code, rule.says);
  out += "\n| change of `plan` | class | says |\n|---|---|---|\n";
  for (const auto& rule : contract::ChangeRules()) out += fmt::format("| `{}` | {} | {} |\n", rule.id, contract::ClassName(rule.change_class), rule.says);
  return out;
}

}  // namespace

void AddSchema(CommandLine& line) {
  CLI::App& verb = AddVerb(line, line.program, "schema", "Print the language: JSON Schema, types, reference, codes",
                           {"nanohouse schema json-schema > nanohouse.schema.json"}, nullptr);
  verb.require_subcommand(1);
  AddVerb(line, verb, "json-schema", "The JSON Schema of a warehouse's files, for editors", {"nanohouse schema json-schema > nanohouse.schema.json"},
          [](const Invocation&) { return Print(contract::JsonSchema()); });
  AddVerb(line, verb, "types", "Every type, and its form in each engine", {"nanohouse schema types"},
          [](const Invocation&) { return Print(contract::TypesMarkdown()); });
  AddVerb(line, verb, "reference", "Every key, what it takes and means", {"nanohouse schema reference"},
          [](const Invocation&) { return Print(contract::SchemaReferenceMarkdown()); });
  AddVerb(line, verb, "errors", "Every code of errors, findings and changes", {"nanohouse schema errors"},
          [](const Invocation&) { return Print(ErrorsMarkdown()); });
}

}  // namespace nano::app
