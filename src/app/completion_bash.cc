// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "app/completion.h"

namespace nano::app {
namespace {

constexpr const char* kHead = R"text(# bash completion for nanohouse, made by `nanohouse completion bash`
# Load it with:  source <(nanohouse completion bash)

# Names that the warehouse's files have; what a shell must not see plain is quoted.
_nanohouse_words() {
  local word
  while IFS= read -r word; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
  done < <(nanohouse -C "$dir" completion words "$1" 2>/dev/null)
}

_nanohouse_choices() { COMPREPLY+=($(compgen -W "$1" -- "$cur")); }

_nanohouse_files() {
  compopt -o filenames 2>/dev/null
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$1" -- "$cur")
}

_nanohouse() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} dir=. path= word i given=0
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      -C) dir=${COMP_WORDS[i + 1]}; ((i++)) ;;
)text";

constexpr const char* kTail = R"text(  esac
}
complete -F _nanohouse nanohouse
)text";

/// The call that offers a value; empty where anything may stand.
std::string Offer(const CommandOption& option) {
  switch (option.value) {
    case ValueKind::kChoice: return fmt::format("_nanohouse_choices '{}'", fmt::join(option.choices, " "));
    case ValueKind::kFile: return "_nanohouse_files -f";
    case ValueKind::kFolder: return "_nanohouse_files -d";
    case ValueKind::kTable: return "_nanohouse_words tables";
    case ValueKind::kSource: return "_nanohouse_words sources";
    case ValueKind::kFileOrSource: return "_nanohouse_words sources; _nanohouse_files -f";
    case ValueKind::kAny:
    case ValueKind::kNone: break;
  }
  return ":";
}

/// What stands where neither a command nor an option does; `given` words of it are there already.
std::string OfferPositionals(const CommandNode& command) {
  if (command.positionals.empty()) return ":";
  std::string out = "case $given in";
  for (std::size_t n = 0; n < command.positionals.size(); ++n)
    out += fmt::format(" {}) {} ;;", command.positionals[n].repeated ? "*" : std::to_string(n), Offer(command.positionals[n]));
  return out + " esac";
}

}  // namespace

std::string BashCompletion(const CommandNode& program) {
  std::string out = kHead, paths;
  const auto commands = AllCommands(program);
  std::set<std::string> valued;
  for (const CommandNode* command : commands) {
    if (!command->path.empty()) paths += (paths.empty() ? "" : "|") + ("'" + command->path + "'");
    for (const auto& option : command->options)
      if (!option.type.empty()) valued.insert(option.names.begin(), option.names.end());
  }
  valued.erase("-C");
  out += fmt::format("      {}) ((i++)) ;;\n      -*) ;;\n      *) case ${{path:+$path }}$word in\n", fmt::join(valued, "|"));
  out += "           " + paths + ") path=${path:+$path }$word given=0 ;;\n           *) ((given++)) ;;\n         esac ;;\n    esac\n  done\n  case $path:$prev in\n";
  for (const CommandNode* command : commands)
    for (const auto& option : command->options)
      if (!option.type.empty())
        for (const auto& name : option.names) out += fmt::format("    '{}:{}') {}; return ;;\n", command->path, name, Offer(option));
  out += "  esac\n  case $path in\n";
  for (const CommandNode* command : commands) {
    std::vector<std::string> flags, words;
    for (const auto& option : command->options) flags.insert(flags.end(), option.names.begin(), option.names.end());
    for (const auto& child : command->children) words.push_back(LastWord(child));
    const std::string offer = words.empty() ? OfferPositionals(*command) : fmt::format("_nanohouse_choices '{}'", fmt::join(words, " "));
    out += fmt::format("    '{}') if [[ $cur == -* ]]; then _nanohouse_choices '{}'; else {}; fi ;;\n", command->path, fmt::join(flags, " "), offer);
  }
  return out + kTail;
}

}  // namespace nano::app
