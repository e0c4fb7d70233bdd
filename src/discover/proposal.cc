// SPDX-License-Identifier: Apache-2.0
#include "discover/proposal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace nano::discover {
namespace {

std::string Lower(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x80) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool IsReserved(const std::string& name) {
  const std::string lower = Lower(name);
  const bool version = lower.size() > 1 && lower[0] == 'v' && lower.find_first_not_of("0123456789", 1) == std::string::npos;
  return version || lower == "build" || lower == "nanohouse" || lower == "journal";
}

/// `name`, or `name_2`, `name_3`, … where one that is equal but for case is there already.
std::string Unique(const std::string& name, std::set<std::string>& taken) {
  for (int n = 1;; ++n) {
    const std::string candidate = n == 1 ? name : fmt::format("{}_{}", name, n);
    if (taken.insert(Lower(candidate)).second) return candidate;
  }
}

/// Without what readers or the warehouse keep for themselves at a name's begin, and without control characters.
std::string Plain(std::string name, const char* fallback) {
  name.erase(0, std::min(name.find_first_not_of("_$"), name.size()));
  name.erase(std::remove_if(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }), name.end());
  return name.empty() ? fallback : name.substr(0, 200);
}

/// `public.orders`, `public-orders`: orders, in letters that need no quotes.
std::string TableName(const std::string& stream, bool whole) {
  std::string name = stream;
  if (!whole)
    if (const auto cut = name.find_last_of(".-"); cut != std::string::npos && cut + 1 < name.size()) name.erase(0, cut + 1);
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte)) out += byte < 0x80 ? static_cast<char>(std::tolower(byte)) : c;
    else if (!out.empty() && out.back() != '_') out += '_';
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  if (out.empty()) out = "stream";
  if (std::isdigit(static_cast<unsigned char>(out[0])) || IsReserved(out)) out = "t_" + out;
  return out;
}

ProposedColumn Column(const SeenField& field, std::set<std::string>& taken) {
  ProposedColumn column;
  column.field = field.name;
  column.name = Unique(Plain(field.name, "field"), taken);
  column.type = field.type;
  column.description = field.description;
  if (!field.typed) column.note = "only NULL was seen";
  else if (!field.widened_by.empty()) column.note = "a value " + field.widened_by;
  return column;
}

/// `parted_2025` without its number; empty where there is none.
std::string Stem(const std::string& name) {
  const auto end = name.find_last_not_of("0123456789_-p");
  if (end == std::string::npos || end + 1 >= name.size()) return {};
  const std::string tail = name.substr(end + 1);
  return tail.find_first_of("0123456789") == std::string::npos || tail.find_first_of("_-") == std::string::npos ? std::string() : name.substr(0, end + 1);
}

}  // namespace

std::vector<std::vector<std::string>> PartsOfOne(const std::vector<ProposedTable>& tables) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const auto& table : tables) {
    const std::string stem = Stem(table.stream);
    if (stem.empty()) continue;
    std::string shape = stem + "\n";
    std::vector<std::string> columns;
    for (const auto& column : table.columns) columns.push_back(column.name);
    std::sort(columns.begin(), columns.end());
    for (const auto& column : columns) shape += column + "\n";
    groups[shape].push_back(table.stream);
  }
  std::vector<std::vector<std::string>> out;
  for (auto& [shape, streams] : groups)
    if (streams.size() > 1) out.push_back(std::move(streams));
  return out;
}

Proposal Propose(const std::vector<SeenStream>& streams, const std::set<std::string>& taken) {
  Proposal out;
  std::set<std::string> names;
  for (const auto& name : taken) names.insert(Lower(name));
  for (const auto& stream : streams) {
    ProposedTable table;
    table.stream = stream.name;
    table.description = stream.description;
    table.records = stream.records;
    const std::string brief = TableName(stream.name, false);
    table.name = Unique(names.contains(Lower(brief)) ? TableName(stream.name, true) : brief, names);
    std::set<std::string> columns;
    for (const auto& field : stream.fields) table.columns.push_back(Column(field, columns));
    for (const auto& part : stream.key)
      for (const auto& column : table.columns)
        if (column.field == part) table.key.push_back(column.name);
    if (!stream.key.empty() && (stream.key_is_null || table.key.size() != stream.key.size())) {
      table.notes.push_back(fmt::format("the source's key ({}) is not in every record", fmt::join(stream.key, ", ")));
      table.key.clear();
      table.append = true;
    }
    if (!table.columns.empty()) out.tables.push_back(std::move(table));
    else out.notes.push_back(fmt::format("stream \"{}\" has no fields", stream.name));
  }
  for (const auto& parts : PartsOfOne(out.tables))
    out.notes.push_back(fmt::format("{} look like parts of one table: a table's `source` may be a list of them", fmt::join(parts, ", ")));
  return out;
}

}  // namespace nano::discover
