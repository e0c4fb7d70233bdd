// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The command line as data, read off its declaration: what completion scripts and the manual page are made of. Verbs that
/// --help does not list are left out.

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nano::app {

/// What can stand where a value is wanted.
enum class ValueKind { kNone, kAny, kChoice, kFile, kFolder, kTable, kSource, kFileOrSource };

struct CommandOption {
  std::vector<std::string> names;      ///< with their dashes; none of a positional
  std::string name;                    ///< of a positional
  std::string type;                    ///< as help shows it: FILE; empty of a flag
  std::string description;
  ValueKind value = ValueKind::kNone;
  std::vector<std::string> choices;
  bool required = false, repeated = false, global = false;
};

struct CommandNode {
  std::string path;                    ///< `quarantine list`; empty of the program
  std::string description;
  std::vector<CommandOption> options, positionals;
  std::vector<std::string> examples;
  std::vector<CommandNode> children;
};

CommandNode ReadCommandTree(const CLI::App& program);
/// The node and all below it, parents first.
std::vector<const CommandNode*> AllCommands(const CommandNode& node);
/// The last word of the path.
std::string LastWord(const CommandNode& node);

}  // namespace nano::app
