// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/completion.h"

namespace nano::app {
namespace {

constexpr const char* kHead = R"text(# fish completion for nanohouse, made by `nanohouse completion fish`
# Load it with:  nanohouse completion fish | source

# The verb, and its part, that the line has so far.
function __nanohouse_path
  set -l path
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
    else if test "$word" = -C
      set skip 1
    else if not string match -q -- '-*' $word; and contains -- (string join ' ' $path $word) $__nanohouse_commands
      set -a path $word
    end
  end
  string join ' ' $path
end

function __nanohouse_at
  set -l path (__nanohouse_path)
  test "$path" = "$argv[1]"
end

# Names that the warehouse's files have.
function __nanohouse_words
  set -l words (commandline -opc)
  set -l dir .
  if set -l at (contains -i -- -C $words)
    set dir $words[(math $at + 1)]
  end
  nanohouse -C $dir completion words $argv[1] 2>/dev/null
end

complete -c nanohouse -f
)text";

std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// The values that may follow.
std::string Values(const CommandOption& option) {
  switch (option.value) {
    case ValueKind::kChoice: return fmt::format(" -a {}", Quoted(fmt::format("{}", fmt::join(option.choices, " "))));
    case ValueKind::kFile: return " -F";
    case ValueKind::kFolder: return " -a '(__fish_complete_directories)'";
    case ValueKind::kTable: return " -a '(__nanohouse_words tables)'";
    case ValueKind::kSource: return " -a '(__nanohouse_words sources)'";
    case ValueKind::kFileOrSource: return " -F -a '(__nanohouse_words sources)'";
    case ValueKind::kAny:
    case ValueKind::kNone: break;
  }
  return "";
}

}  // namespace

std::string FishCompletion(const CommandNode& program) {
  std::string out = kHead;
  const auto commands = AllCommands(program);
  out += "set -g __nanohouse_commands";
  for (const CommandNode* command : commands)
    if (!command->path.empty()) out += " " + Quoted(command->path);
  out += "\n";
  for (const CommandNode* command : commands) {
    const std::string at = "complete -c nanohouse -n " + Quoted("__nanohouse_at " + Quoted(command->path));
    for (const auto& child : command->children) out += at + " -a " + Quoted(LastWord(child)) + " -d " + Quoted(child.description) + "\n";
    for (const auto& option : command->options) {
      out += at;
      for (const auto& name : option.names) out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.type.empty()) out += (option.value == ValueKind::kFile || option.value == ValueKind::kFileOrSource ? " -r" : " -x") + Values(option);
      out += " -d " + Quoted(option.description) + "\n";
    }
    if (!command->positionals.empty())
      if (const std::string values = Values(command->positionals.front()); !values.empty()) out += at + values + "\n";
  }
  return out;
}

}  // namespace nano::app
