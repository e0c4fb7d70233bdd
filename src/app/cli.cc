// SPDX-License-Identifier: Apache-2.0
// The command line as a whole: global options, the verbs, wrong use.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/command.h"
#include "app/report.h"
#include "app/version.h"

namespace nano::app {
namespace {

void AddGlobalOptions(CLI::App& app, Invocation& invocation) {
  app.add_option("-C", invocation.folder, "The warehouse's folder (default: the current one)")->type_name("DIR")->group("Global options");
  app.add_flag("--json", invocation.json, "Print JSON, for programs")->group("Global options");
  app.add_flag("--quiet", invocation.quiet, "No progress, no notes")->group("Global options");
}

/// The verbs as a person reads them: those of later releases are left out.
class Help final : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    return CLI::Formatter::make_usage(app, app->get_parent() && app->get_parent()->get_parent() == nullptr
                                               ? "nanohouse " + app->get_name() : std::move(name));
  }
};

std::vector<std::string> VerbNames(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) out.push_back(verb->get_name());
  return out;
}

/// The word that stands where a verb should, if it is none.
std::string UnknownVerb(const CLI::App& program, int argc, char** argv) {
  const auto verbs = VerbNames(program);
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "-C") {
      ++i;
    } else if (word.empty() || word[0] != '-') {
      return std::find(verbs.begin(), verbs.end(), word) == verbs.end() ? word : "";
    }
  }
  return {};
}

}  // namespace

CLI::App& AddVerb(CommandLine& line, CLI::App& parent, const std::string& name, const std::string& description,
                  const std::vector<std::string>& examples, Action action) {
  CLI::App& verb = *parent.add_subcommand(name, description);
  std::string footer = "\nExamples:";
  for (const auto& example : examples) footer += "\n  " + example;
  if (!examples.empty()) verb.footer(footer);
  AddGlobalOptions(verb, line.invocation);
  if (action) verb.final_callback([&line, action = std::move(action)] { line.chosen = action; });
  return verb;
}

void AddVerbs(CommandLine& line) {
  AddInit(line);
  AddCheck(line);
  AddPlan(line);
  AddApply(line);
  AddIngest(line);
  AddQuery(line);
  AddStatus(line);
  AddQuarantine(line);
  AddPublish(line);
  AddDoctor(line);
  AddLater(line);
}

int Main(int argc, char** argv) {
  CLI::App program("A nano warehouse: sources in, exact values in open tables, queried.", "nanohouse");
  CommandLine line{program, {}, {}};
  program.formatter(std::make_shared<Help>());
  program.footer("\nExamples:\n  nanohouse init shop && cd shop && nanohouse ingest\n"
                 "  nanohouse query \"SELECT count(*) FROM orders\"\n  nanohouse query --help");
  AddGlobalOptions(program, line.invocation);
  bool version = false;
  program.add_flag("--version", version, "Print the versions of the program, DuckDB and its extensions");
  AddVerbs(line);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return program.exit(success);   // --help
  } catch (const CLI::ParseError& wrong) {
    const std::string unknown = UnknownVerb(program, argc, argv);
    Error error{Code::kInvalid, wrong.what(), "`nanohouse --help` lists the commands.", {}, {}};
    if (!unknown.empty()) {
      error.message = fmt::format("there is no command \"{}\"", unknown);
      if (const std::string near = Nearest(unknown, VerbNames(program)); !near.empty()) error.hint = fmt::format("Did you mean `{}`?", near);
    } else {
      for (const CLI::App* verb = &program; verb; verb = verb->get_subcommands().empty() ? nullptr : verb->get_subcommands()[0])
        if (verb != &program) error.hint = fmt::format("`nanohouse {} --help` shows how it is used.", verb->get_name());
    }
    return static_cast<int>(ReportUsage(line.invocation, error));
  }
  if (version) return static_cast<int>(PrintVersion(line.invocation));
  if (!line.chosen) {
    std::fputs(program.help().c_str(), stderr);
    return static_cast<int>(Exit::kUsage);
  }
  return static_cast<int>(line.chosen(line.invocation));
}

}  // namespace nano::app
