// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "app/completion.h"

namespace nano::app {
namespace {

/// Text as roff takes it: nothing of it is an escape or a request, and a hyphen stays one that can be copied.
std::string Roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else if (c == '\'') out += "\\(aq";
    else if (c == '`') out += "\\(ga";
    else if (c == '^') out += "\\(ha";
    else if (c == '~') out += "\\(ti";
    else out += c;
  }
  return out.starts_with('.') ? "\\&" + out : out;
}

std::string Bold(const std::string& text) { return "\\fB" + Roff(text) + "\\fR"; }
std::string Italic(const std::string& text) { return "\\fI" + Roff(text) + "\\fR"; }

std::string OptionItem(const CommandOption& option) {
  std::string out = ".TP\n";
  for (const auto& name : option.names) out += (&name == &option.names.front() ? "" : ", ") + Bold(name);
  if (option.names.empty()) out += Italic(option.type.empty() ? option.name : option.type);
  else if (!option.type.empty()) out += " " + Italic(option.type);
  return out + "\n" + Roff(option.description) + ".\n";
}

std::string Usage(const CommandNode& command) {
  std::string out = ".B nanohouse " + Roff(command.path) + "\n.RI";
  std::string words = "[options]";
  for (const auto& positional : command.positionals) {
    const std::string word = positional.type + (positional.repeated ? "..." : "");
    words += positional.required ? " " + word : " [" + word + "]";
  }
  return out + " \"" + Roff(words) + "\"\n";
}

}  // namespace

std::string ManualPage(const CommandNode& program, const std::string& version) {
  std::string out = fmt::format(
      ".\\\" Made by `nanohouse completion man`.\n.TH NANOHOUSE 1 \"\" \"nanohouse {}\" \"User Commands\"\n.SH NAME\nnanohouse \\- {}\n", Roff(version),
      Roff("a nano warehouse: sources in, exact values in open tables, queried"));
  out += ".SH SYNOPSIS\n.B nanohouse\n.RI [ -C \" DIR\" ] \" COMMAND\" ...\n";
  out += ".SH DESCRIPTION\nA command works on the warehouse in the current folder, or in that of\n.BR \\-C .\n"
         "Nothing is asked where standard input is no terminal; nothing secret is printed; doing again what is done already ends with 0.\n";
  out += ".SH COMMANDS\n";
  for (const CommandNode* command : AllCommands(program)) {
    if (command->path.empty() || !command->children.empty()) continue;
    out += ".SS nanohouse " + Roff(command->path) + "\n" + Usage(*command) + ".PP\n" + Roff(command->description) + ".\n";
    for (const auto& positional : command->positionals) out += OptionItem(positional);
    for (const auto& option : command->options)
      if (!option.global) out += OptionItem(option);
    if (!command->examples.empty()) out += ".PP\nExamples:\n.PP\n.nf\n.RS\n";
    for (const auto& example : command->examples) out += Roff(example) + "\n";
    if (!command->examples.empty()) out += ".RE\n.fi\n";
  }
  out += ".SH OPTIONS\nEvery command has:\n";
  for (const auto& option : program.options) out += OptionItem(option);
  out += ".SH EXIT STATUS\n.TP\n0\nDone.\n.TP\n1\nA check, test, gate or comparison failed, or a change was refused.\n.TP\n2\n"
         ".B plan\nonly: there is something to do.\n.TP\n3\nCould not, and why, with a hint.\n.TP\n64\nWrong use.\n";
  out += ".SH FILES\n.TP\n.I nanohouse.yaml\nThe warehouse; with it the YAML files under sources/ and tables/.\n.TP\n.I data/\n"
         "What the warehouse makes, where its\n.B storage\nsays nothing else.\n";
  return out + ".SH SEE ALSO\nThe guide and the reference, under share/doc/nanohouse/docs of the installation.\n";
}

}  // namespace nano::app
