// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What every verb of the program shares: the options that all have, the exit codes, and how a verb is added to the
/// command line. One file a verb (cmd_<verb>.cc); a verb reads its options, calls the stages, and prints. Main thread.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace nano::app {

/// The program's exit codes; scripts rely on them.
enum class Exit : int {
  kDone = 0,
  kFailed = 1,     ///< a check, test, gate or comparison failed, or a change was refused
  kToDo = 2,       ///< `plan` only: there is something to do
  kCouldNot = 3,   ///< and why, with a hint
  kUsage = 64,     ///< wrong use
};

/// The options that every verb has.
struct Invocation {
  std::filesystem::path folder = ".";   ///< -C
  bool json = false;
  bool quiet = false;
};

/// The verb that was chosen, once the command line is read.
using Action = std::function<Exit(const Invocation&)>;

/// Where verbs add themselves. `chosen` is set while the line is parsed, by the verb that it names.
struct CommandLine {
  CLI::App& program;
  Invocation invocation;
  Action chosen;
};

/// Adds a verb: its one-line description, its examples (one a line, printed by --help), and the global options.
CLI::App& AddVerb(CommandLine& line, CLI::App& parent, const std::string& name, const std::string& description,
                  const std::vector<std::string>& examples, Action action);

void AddInit(CommandLine& line);
void AddCheck(CommandLine& line);
void AddPlan(CommandLine& line);
void AddApply(CommandLine& line);
void AddIngest(CommandLine& line);
void AddRun(CommandLine& line);
void AddSource(CommandLine& line);
void AddQuery(CommandLine& line);
void AddStatus(CommandLine& line);
void AddQuarantine(CommandLine& line);
void AddWhy(CommandLine& line);
void AddPublish(CommandLine& line);
void AddDoctor(CommandLine& line);
void AddSchema(CommandLine& line);
void AddDiscover(CommandLine& line);
/// The program as data for shells and readers: completion scripts and the manual page, made of the command line itself.
void AddCompletion(CommandLine& line);
/// The verbs that the language names and this release can't do.
void AddLater(CommandLine& line);

/// Builds the whole command line.
void AddVerbs(CommandLine& line);

/// Runs the program: reads the line, runs the verb, reports what went wrong.
int Main(int argc, char** argv);

}  // namespace nano::app
