// SPDX-License-Identifier: Apache-2.0
#include "app/why_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "app/display_text.h"
#include "app/row_writer.h"

namespace nano::app {
namespace {

using land::History;
using land::HistoryEntry;
using land::RowValue;

constexpr std::size_t kIndent = 16;

/// The last row that the key had, column by column: what the source did not send is as it was there.
using LastRow = std::map<std::string, std::optional<std::string>>;

/// Whether the key has no row after it.
bool Ends(const HistoryEntry& entry) {
  return entry.operation == "delete" || entry.operation == "tombstone" || entry.operation == "truncate" || entry.operation == "snapshot" || entry.moves_away;
}

/// As DuckDB writes a timestamptz in UTC: `2026-01-05 09:12:00.5+00`.
std::string Time(std::int64_t micros) {
  if (micros == kNoTime) return {};
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(micros)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string out = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (std::string part = fmt::format("{:06}", clock.subseconds().count()); part != "000000") {
    part.erase(part.find_last_not_of('0') + 1);
    out += "." + part;
  }
  return out + "+00";
}

std::string KeyText(const std::vector<land::Condition>& key) {
  std::string out;
  for (const auto& part : key) out += (out.empty() ? "" : ", ") + part.column + " = " + Printable(part.value);
  return out;
}

std::string KeyText(const std::vector<RowValue>& key) {
  std::vector<land::Condition> parts;
  for (const auto& part : key) parts.push_back({part.column, part.text.value_or("NULL")});
  return KeyText(parts);
}

class Lines {
 public:
  explicit Lines(const Terminal& terminal) : terminal_(terminal) {}

  /// `    label     text`, the text cut to the width.
  void Add(std::string_view label, std::string_view text) {
    const std::string shown = terminal_.width > kIndent + 20 ? Clip(Printable(text), terminal_.width - kIndent, terminal_.unicode ? "…" : "~") : Printable(text);
    out += fmt::format("    {:12}{}\n", label, shown);
  }
  void Row(std::string_view label, const std::vector<RowValue>& row, const LastRow& last, bool compared) {
    std::size_t width = 0;
    for (const auto& value : row) width = std::max(width, DisplayWidth(value.column));
    for (const auto& value : row) {
      const auto before = last.find(value.column);
      std::string line = Printable(value.column) + std::string(width - DisplayWidth(value.column), ' ') + " = ";
      if (value.unsent) {
        line += (before == last.end() ? std::string("?") : before->second.value_or("NULL")) + "   (not sent, as it had not changed)";
      } else {
        line += value.text.value_or("NULL");
        if (compared && before != last.end() && before->second != value.text) line += "   (was " + before->second.value_or("NULL") + ")";
      }
      Add(label, line);
      label = "";
    }
  }

  std::string out;

 private:
  const Terminal& terminal_;
};

void Keep(const HistoryEntry& entry, LastRow& last) {
  if (Ends(entry)) last.clear();
  else if (entry.has_row)
    for (const auto& value : entry.row)
      if (!value.unsent) last[value.column] = value.text;
}

std::string MisfitText(const land::Misfitting& misfit) {
  if (misfit.column.empty()) return misfit.reason;
  return misfit.column + ": " + (misfit.value.empty() ? std::string() : misfit.value + " ") + misfit.reason;
}

std::string Headline(const HistoryEntry& entry, const Terminal& terminal) {
  std::string out = terminal.Bold(fmt::format("{}:{}", entry.source, entry.position.value)) + "  " + entry.operation;
  if (entry.moves_away) out += ", the row gets another key";
  if (!entry.old_key.empty()) out += ", the row had the key " + KeyText(entry.old_key);
  if (const std::string time = Time(entry.committed_at); !time.empty()) out += "  " + terminal.Dim(time);
  if (!entry.landed) out += "  " + terminal.Yellow("not landed yet");
  return out + "\n";
}


/// `{"id":1,"amount":1.10}`, written by hand, as the values have digits that no parser keeps.
std::string RowJson(const std::vector<RowValue>& row, const LastRow& last) {
  std::string out = "{";
  for (const auto& value : row) {
    const auto before = last.find(value.column);
    const std::optional<std::string>& text = value.unsent && before != last.end() ? before->second : value.text;
    if (value.unsent && before == last.end()) continue;
    if (out.size() > 1) out += ",";
    AppendJsonText(value.column, out);
    out += ":" + text.value_or("null");
  }
  return out + "}";
}

std::string Text(std::string_view text) {
  std::string out;
  AppendJsonText(text, out);
  return out;
}

std::string MisfitsJson(const std::vector<land::Misfitting>& misfits) {
  std::string out = "[";
  for (const auto& misfit : misfits)
    out += fmt::format("{}{{\"column\":{},\"value\":{},\"reason\":{}}}", out.size() > 1 ? "," : "", misfit.column.empty() ? "null" : Text(misfit.column),
                       misfit.value.empty() ? "null" : Text(misfit.value), Text(misfit.reason));
  return out + "]";
}

std::string EntryJson(const HistoryEntry& entry, const LastRow& last) {
  std::string unsent;
  for (const auto& value : entry.row)
    if (value.unsent) unsent += (unsent.empty() ? "" : ",") + Text(value.column);
  std::string out = fmt::format(
      R"({{"source":{},"position":{},"stream":{},"committed_at":{},"operation":{},"landed":{},"moves_away":{},"old_key":{},"event":{},"event_key":{},"row":{},"not_sent":[{}],"misfits":{},"quarantine":{}}})",
      Text(entry.source), entry.position.value, Text(entry.stream), entry.committed_at == kNoTime ? "null" : Text(Time(entry.committed_at)), Text(entry.operation),
      entry.landed, entry.moves_away, entry.old_key.empty() ? "null" : RowJson(entry.old_key, {}), entry.has_message ? Text(entry.message) : "null",
      entry.has_key ? Text(entry.message_key) : "null", entry.has_row ? RowJson(entry.row, last) : "null", unsent, MisfitsJson(entry.misfits),
      MisfitsJson(entry.quarantine));
  return out;
}

}  // namespace

std::string WhyText(const WhyQuestion& question, const History& history, const Terminal& terminal) {
  Lines lines(terminal);
  lines.out = fmt::format("{}, {}\n", terminal.Bold(question.table), KeyText(question.key));
  LastRow last;
  for (const auto& source : history.expired) lines.out += fmt::format("the journal of {} no longer has its first records\n", source);
  if (history.entries.empty()) lines.out += "no record of the journals says anything of it\n";
  for (std::size_t n = 0; n < history.entries.size(); ++n) {
    const HistoryEntry& entry = history.entries[n];
    if (n > 0 && history.entries[n - 1].source != entry.source) last.clear();
    lines.out += "\n" + Headline(entry, terminal);
    if (entry.operation != "snapshot") {
      if (entry.has_key) lines.Add("key", entry.message_key);
      lines.Add("event", entry.has_message ? std::string_view(entry.message) : "none");
    }
    if (entry.operation == "snapshot") lines.Add("", "a snapshot begins: what the source sent before is replaced");
    lines.Row("row", entry.row, last, history.keyed);
    if (entry.quarantine.empty())
      for (const auto& misfit : entry.misfits) lines.Add("misfit", MisfitText(misfit));
    for (const auto& misfit : entry.quarantine) lines.Add("quarantine", MisfitText(misfit));
    Keep(entry, last);
  }
  lines.out += "\n" + terminal.Bold("now") + (history.now.empty() ? "  no such row in the table\n" : "\n");
  for (const auto& row : history.now) {
    lines.Row("row", row.values, {}, false);
    if (!row.source.empty()) lines.Add("set by", fmt::format("{}:{}", row.source, row.position.value));
  }
  return lines.out;
}

std::string WhyJson(const WhyQuestion& question, const History& history) {
  std::string out = "{\"table\":" + Text(question.table) + ",\"key\":{";
  for (std::size_t n = 0; n < question.key.size(); ++n) out += (n > 0 ? "," : "") + Text(question.key[n].column) + ":" + Text(question.key[n].value);
  out += "},\"events\":[";
  LastRow last;
  for (std::size_t n = 0; n < history.entries.size(); ++n) {
    if (n > 0 && history.entries[n - 1].source != history.entries[n].source) last.clear();
    out += (n > 0 ? ",\n" : "\n") + EntryJson(history.entries[n], last);
    Keep(history.entries[n], last);
  }
  out += "],\"expired\":[";
  for (std::size_t n = 0; n < history.expired.size(); ++n) out += (n > 0 ? "," : "") + Text(history.expired[n]);
  out += "],\"now\":[";
  for (std::size_t n = 0; n < history.now.size(); ++n) {
    const auto& row = history.now[n];
    out += fmt::format("{}{{\"source\":{},\"position\":{},\"row\":{}}}", n > 0 ? "," : "", Text(row.source), row.position.value, RowJson(row.values, {}));
  }
  return out + "]}\n";
}

}  // namespace nano::app
