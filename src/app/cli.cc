// SPDX-License-Identifier: Apache-2.0
// The command line as a whole: global options, the verbs, wrong use.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/command.h"
#include "app/report.h"
#include "app/version.h"
#include "contract/finding.h"

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

/// The parts of a verb that --help lists.
std::vector<std::string> PartNames(const CLI::App& verb) {
  std::vector<std::string> out;
  for (const CLI::App* part : verb.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); })) out.push_back(part->get_name());
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

/// The chosen verb, and of it the chosen part (`quarantine list`); the program itself where there is none.
const CLI::App& Chosen(const CLI::App& program) {
  const CLI::App* chosen = &program;
  while (!chosen->get_subcommands().empty()) chosen = chosen->get_subcommands().front();
  return *chosen;
}

std::string FullName(const CLI::App& app) {
  if (!app.get_parent()) return "nanohouse";
  return FullName(*app.get_parent()) + " " + app.get_name();
}

/// Wrong use, in our words where the parser's are not a person's.
Error WrongUse(const CLI::App& program, const CLI::ParseError& wrong, int argc, char** argv) {
  const CLI::App& chosen = Chosen(program);
  Error error{Code::kInvalid, wrong.what(), fmt::format("`{} --help` shows how it is used.", FullName(chosen)), {}, {}};
  if (const std::string unknown = UnknownVerb(program, argc, argv); !unknown.empty()) {
    error.message = fmt::format("there is no command \"{}\"", unknown);
    const std::string near = contract::Nearest(unknown, VerbNames(program));
    error.hint = near.empty() ? "`nanohouse --help` lists the commands." : fmt::format("Did you mean `{}`?", near);
    return error;
  }
  const std::vector<std::string> extras = program.remaining(true);
  if (const auto parts = PartNames(chosen); &chosen != &program && !parts.empty()) {
    const auto part = std::find_if(extras.begin(), extras.end(), [](const std::string& text) { return !text.empty() && text[0] != '-'; });
    error.message = part == extras.end() ? fmt::format("\"{}\" needs one of {}", chosen.get_name(), fmt::join(parts, ", "))
                                         : fmt::format("there is no command \"{} {}\"", chosen.get_name(), *part);
    if (part != extras.end()) error.hint = fmt::format("It is one of {}.", fmt::join(parts, ", "));
    return error;
  }
  if (wrong.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError)) return error;
  const auto option = std::find_if(extras.begin(), extras.end(), [](const std::string& text) { return text.size() > 1 && text[0] == '-'; });
  if (option == extras.end()) {
    if (!extras.empty()) error.message = fmt::format("argument \"{}\" is one too many", extras.front());
    return error;
  }
  const std::string name = option->substr(0, option->find('='));
  error.message = fmt::format("there is no option \"{}\"", name);
  std::vector<std::string> known;
  for (const CLI::Option* each : chosen.get_options())
    for (const auto& word : each->get_lnames()) known.push_back("--" + word);
  if (const std::string near = contract::Nearest(name, known); !near.empty()) error.hint = fmt::format("Did you mean `{}`?", near);
  return error;
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
  AddDiscover(line);
  AddCheck(line);
  AddPlan(line);
  AddApply(line);
  AddIngest(line);
  AddRun(line);
  AddSource(line);
  AddQuery(line);
  AddStatus(line);
  AddQuarantine(line);
  AddWhy(line);
  AddPublish(line);
  AddDoctor(line);
  AddSchema(line);
  AddCompletion(line);
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
    return static_cast<int>(ReportUsage(line.invocation, WrongUse(program, wrong, argc, argv)));
  }
  if (version) return static_cast<int>(PrintVersion(line.invocation));
  if (!line.chosen) {
    std::fputs(program.help().c_str(), stderr);
    return static_cast<int>(Exit::kUsage);
  }
  return static_cast<int>(line.chosen(line.invocation));
}

}  // namespace nano::app
