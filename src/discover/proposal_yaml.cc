// SPDX-License-Identifier: Apache-2.0
#include "discover/proposal_yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "wire/cell.h"

namespace nano::discover {
namespace {

/// Words that YAML's readers, old and new, take for something else than text.
const std::set<std::string> kWords = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"};

bool IsPlain(std::string_view text) {
  if (text.empty() || !(std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '_')) return false;
  std::string lower;
  for (const char c : text) {
    if (!(std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '/' || c == '-')) return false;
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return !kWords.contains(lower);
}

/// On one line, as a comment.
std::string Comment(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return "# " + text;
}

std::string ColumnYaml(const ProposedColumn& column) {
  std::string out = "      - {name: " + YamlText(column.name) + ", data_type: " + YamlText(ToString(column.type));
  if (column.field != column.name) out += (column.field.find('.') == std::string::npos ? ", field: " : ", field: [") + YamlText(column.field) +
                                          (column.field.find('.') == std::string::npos ? "" : "]");
  if (!column.description.empty()) out += ", description: " + wire::Escape(column.description);
  out += "}";
  if (!column.note.empty()) out += "   " + Comment(column.note);
  return out + "\n";
}

}  // namespace

std::string YamlText(std::string_view text) { return IsPlain(text) ? std::string(text) : wire::Escape(text); }

std::string SourcesYaml(const ProposedSource& source) {
  if (source.definition.empty()) return {};
  std::string out = "sources:\n";
  if (!source.note.empty()) out += "  " + Comment(source.note) + "\n";
  return out + "  - name: " + YamlText(source.name) + "\n    " + source.definition + "\n";
}

std::string TablesYaml(const ProposedSource& source, const Proposal& proposal) {
  std::string out;
  for (const auto& note : proposal.notes) out += Comment(note) + "\n";
  if (proposal.tables.empty()) return out + "tables: []\n";
  out += "tables:\n";
  for (const auto& table : proposal.tables) {
    if (&table != &proposal.tables.front()) out += "\n";
    for (const auto& note : table.notes) out += "  " + Comment(note) + "\n";
    out += "  - name: " + YamlText(table.name) + "\n";
    if (!table.description.empty()) out += "    description: " + wire::Escape(table.description) + "\n";
    out += "    source: {name: " + YamlText(source.name) + ", stream: " + YamlText(table.stream) + "}\n";
    if (table.append) out += "    mode: append\n";
    std::string key;
    for (const auto& column : table.key) key += (key.empty() ? "" : ", ") + YamlText(column);
    if (!key.empty()) out += "    primary_key: [" + key + "]\n";
    out += "    columns:\n";
    for (const auto& column : table.columns) out += ColumnYaml(column);
  }
  return out;
}

}  // namespace nano::discover
