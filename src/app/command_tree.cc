// SPDX-License-Identifier: Apache-2.0
#include "app/command_tree.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace nano::app {
namespace {

/// `json` and `csv` of "json or csv (default: json)".
std::vector<std::string> ChoicesOf(const std::string& description) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : description.substr(0, description.find('(')) + " ") {
    if (c != ' ' && c != ',') word += c;
    else if (!word.empty() && word != "or") out.push_back(std::exchange(word, {}));
    else word.clear();
  }
  return out;
}

ValueKind KindOf(const std::string& type) {
  if (type.empty()) return ValueKind::kNone;
  if (type == "FORMAT") return ValueKind::kChoice;
  if (type == "FILE") return ValueKind::kFile;
  if (type == "DIR") return ValueKind::kFolder;
  if (type == "TABLE") return ValueKind::kTable;
  if (type == "SOURCE") return ValueKind::kSource;
  if (type == "SOURCE|FILE") return ValueKind::kFileOrSource;
  return ValueKind::kAny;
}

CommandOption Read(const CLI::Option& option) {
  CommandOption out;
  for (const auto& name : option.get_snames()) out.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) out.names.push_back("--" + name);
  if (option.get_positional()) out.name = option.get_single_name();
  if (option.get_items_expected_max() > 0) out.type = option.get_type_name();
  out.description = option.get_description();
  out.value = KindOf(out.type);
  if (out.value == ValueKind::kChoice) out.choices = ChoicesOf(out.description);
  out.required = option.get_required();
  out.repeated = option.get_items_expected_max() > 1;
  out.global = option.get_group() == "Global options" || option.check_lname("help");
  return out;
}

/// The lines of the footer after "Examples:".
std::vector<std::string> ExamplesOf(const CLI::App& app) {
  std::vector<std::string> out;
  std::string line;
  for (const char c : app.get_footer() + "\n") {
    if (c != '\n') {
      line += c;
      continue;
    }
    if (line.starts_with("  ")) out.push_back(line.substr(2));
    line.clear();
  }
  return out;
}

CommandNode Read(const CLI::App& app, const std::string& path) {
  CommandNode node;
  node.path = path;
  node.description = app.get_description();
  node.examples = ExamplesOf(app);
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? node.positionals : node.options).push_back(Read(*option));
  }
  for (const CLI::App* child : app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); }))
    node.children.push_back(Read(*child, path.empty() ? child->get_name() : path + " " + child->get_name()));
  return node;
}

}  // namespace

CommandNode ReadCommandTree(const CLI::App& program) { return Read(program, ""); }

std::vector<const CommandNode*> AllCommands(const CommandNode& node) {
  std::vector<const CommandNode*> out{&node};
  for (const auto& child : node.children)
    for (const CommandNode* below : AllCommands(child)) out.push_back(below);
  return out;
}

std::string LastWord(const CommandNode& node) { return node.path.substr(node.path.rfind(' ') + 1); }

}  // namespace nano::app
