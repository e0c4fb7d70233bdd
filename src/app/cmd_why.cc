// SPDX-License-Identifier: Apache-2.0
// why TABLE KEY…: every event of one row, what came of it, and the row as it is.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "app/command.h"
#include "app/deployed_table.h"
#include "app/interrupt.h"
#include "app/json_sql.h"
#include "app/output.h"
#include "app/report.h"
#include "app/warehouse.h"
#include "app/why_text.h"
#include "land/decide.h"

namespace nano::app {
namespace {

struct WhyArguments {
  std::string table;
  std::vector<std::string> key;
};

/// Where `column=` begins a part of the key, at `text` itself or after a comma; npos: nowhere from there on.
std::size_t NextPart(const std::string& text, std::size_t from, const lake::BuildDefinition& definition) {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (at > 0 && text[at - 1] != ',') continue;
    const std::size_t equals = text.find('=', at);
    if (equals == std::string::npos) return std::string::npos;
    if (definition.column(text.substr(at, equals - at))) return at;
  }
  return std::string::npos;
}

/// `idd=1`, where a key that is no text has no such value: the name is a mistake.
bool NamesAColumn(const std::string& text, const lake::BuildDefinition& definition) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  const auto key = definition.source_key();
  return key.size() != 1 || definition.column(key[0])->type.kind != TypeKind::kString;
}

/// `name=value`, several of them with commas between (a value may have commas too), or the plain value of a key of one column.
Result<std::vector<land::Condition>> ReadKey(const DeployedTable& deployed, const std::vector<std::string>& arguments) {
  const lake::BuildDefinition& definition = deployed.build.definition;
  const auto key = definition.source_key();
  std::vector<land::Condition> out;
  for (const auto& text : arguments) {
    if (NextPart(text, 0, definition) != 0) {
      if (NamesAColumn(text, definition)) {
        const std::size_t equals = text.find('=');
        out.push_back({text.substr(0, equals), text.substr(equals + 1)});
        continue;
      }
      if (key.size() == 1 && arguments.size() == 1) return std::vector<land::Condition>{{key[0], text}};
      std::string hint = key.empty() ? "Give any columns: name=value name=value …" : "Give its key:";
      for (const auto& column : key) hint += " " + column + "=…";
      return WithHint(Fail(Code::kInvalid, "\"{}\" names no column of table \"{}\"{}", text, deployed.table->name,
                           key.empty() ? ", which has no key" : ""),
                      hint);
    }
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t equals = text.find('=', at), next = NextPart(text, equals + 1, definition);
      const std::size_t end = next == std::string::npos ? text.size() : next - 1;
      out.push_back({text.substr(at, equals - at), text.substr(equals + 1, end - equals - 1)});
      at = next == std::string::npos ? text.size() : next;
    }
  }
  return out;
}

Status Why(const Invocation& invocation, const WhyArguments& arguments) {
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  ASSIGN(const auto reader, OpenReader(warehouse.layout, ""));
  ASSIGN(const auto deployed, FindDeployedTable(reader->connection(), invocation.folder, arguments.table));
  ASSIGN(const auto key, ReadKey(deployed, arguments.key));
  const OnInterrupt interrupt([&reader] { reader->connection().Interrupt(); });
  const bool json = invocation.json;
  ASSIGN(const auto history, land::ReadHistory(*reader, warehouse.layout, *deployed.table, deployed.build, key,
                                               [json](const std::string& value, const std::string& type) {
                                                 return json || IsNested(type) ? "CASE WHEN " + value + " IS NULL THEN NULL ELSE " + JsonExpression(value, type) + " END"
                                                                               : "CAST(" + value + " AS VARCHAR)";
                                               }));
  const WhyQuestion question{arguments.table, key};
  Output output;
  TRY(output.Write(json ? WhyJson(question, history) : WhyText(question, history, Terminal::Of(STDOUT_FILENO))));
  return output.Finish();
}

}  // namespace

void AddWhy(CommandLine& line) {
  const auto arguments = std::make_shared<WhyArguments>();
  CLI::App& verb = AddVerb(line, line.program, "why", "Show every event behind one row, and what came of it",
                           {"nanohouse why orders 1001", "nanohouse why order_lines order_id=1 line=2", "nanohouse why order_lines order_id=1,line=2 --json"},
                           [arguments](const Invocation& invocation) {
    const auto done = Why(invocation, *arguments);
    return done ? Exit::kDone : Report(invocation, done.error());
  });
  verb.add_option("table", arguments->table, "Which table")->type_name("TABLE")->required();
  verb.add_option("key", arguments->key, "Which row: name=value of each column of the key; the plain value, if the key is one column")
      ->type_name("KEY")->required();
}

}  // namespace nano::app
