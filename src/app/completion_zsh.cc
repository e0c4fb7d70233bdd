// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/completion.h"

namespace nano::app {
namespace {

/// Inside single quotes of zsh; `:` parts a word from its description and is escaped in a word.
std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// Inside an _arguments specification.
std::string Spec(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string Action(const CommandOption& option) {
  switch (option.value) {
    case ValueKind::kChoice: {
      std::string out = "(";
      for (const auto& choice : option.choices) out += (out.size() > 1 ? " " : "") + choice;
      return out + ")";
    }
    case ValueKind::kFile: return "_files";
    case ValueKind::kFolder: return "_files -/";
    case ValueKind::kTable: return "{_nanohouse_words tables}";
    case ValueKind::kSource: return "{_nanohouse_words sources}";
    case ValueKind::kFileOrSource: return "{_nanohouse_words sources; _files}";
    case ValueKind::kAny:
    case ValueKind::kNone: break;
  }
  return " ";
}

std::string Function(const CommandNode& command) {
  std::string name = "_nanohouse";
  for (const char c : command.path.empty() ? std::string() : " " + command.path) name += c == ' ' || c == '-' ? '_' : c;
  return name;
}

}  // namespace

std::string ZshCompletion(const CommandNode& program) {
  std::string out =
      "#compdef nanohouse\n# zsh completion for nanohouse, made by `nanohouse completion zsh`\n\n"
      "_nanohouse_words() {\n  local -a found\n  found=(${(f)\"$(nanohouse -C ${opt_args[-C]:-.} completion words $1 2>/dev/null)\"})\n  compadd -a found\n}\n";
  for (const CommandNode* command : AllCommands(program)) {
    out += "\n" + Function(*command) + "() {\n";
    if (!command->children.empty()) out += "  local state line\n  typeset -A opt_args\n";
    out += "  _arguments -C";
    for (const auto& option : command->options)
      for (const auto& name : option.names) {
        const std::string value = option.type.empty() ? "" : ":" + Spec(option.type) + ":" + Action(option);
        out += " \\\n    " + Quoted((option.repeated ? "*" : "") + name + "[" + Spec(option.description) + "]" + value);
      }
    if (command->children.empty()) {
      for (const auto& positional : command->positionals)
        out += " \\\n    " + Quoted((positional.repeated ? "*:" : positional.required ? ":" : "::") + Spec(positional.type) + ":" + Action(positional));
      out += "\n}\n";
      continue;
    }
    out += " \\\n    '1: :->command' '*:: :->rest'\n  case $state in\n    command)\n      local -a commands\n      commands=(";
    for (const auto& child : command->children) out += "\n        " + Quoted(LastWord(child) + ":" + child.description);
    out += ")\n      _describe command commands ;;\n    rest)\n      case $words[1] in\n";
    for (const auto& child : command->children) out += "        " + LastWord(child) + ") " + Function(child) + " ;;\n";
    out += "      esac ;;\n  esac\n}\n";
  }
  return out + "\nif [ \"$funcstack[1]\" = _nanohouse ]; then _nanohouse \"$@\"; else compdef _nanohouse nanohouse; fi\n";
}

}  // namespace nano::app
