// SPDX-License-Identifier: Apache-2.0
// quarantine list|show|retry|drop: values that did not fit, what their messages said, landing them after all, forgetting them.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/display_text.h"
#include "app/quarantine_retry.h"
#include "app/record_name.h"
#include "app/report.h"
#include "app/run_query.h"
#include "app/warehouse.h"
#include "io/signals.h"
#include "journal/journal.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;

/// Which entries: of a table, of a source, of one record (SOURCE:POSITION).
struct Selection {
  std::string table, source, record;
  bool all = false, yes = false;
};

/// A WHERE clause with its parameters.
struct Condition {
  std::string sql;
  std::vector<engine::Value> values;
};

Result<Condition> ConditionOf(const Selection& selection) {
  Condition out;
  const auto add = [&out](const std::string& test, engine::Value value) {
    out.sql += (out.sql.empty() ? " WHERE " : " AND ") + test;
    out.values.push_back(std::move(value));
  };
  if (!selection.table.empty()) add("table_name = ?", selection.table);
  if (!selection.source.empty()) add("source = ?", selection.source);
  if (!selection.record.empty()) {
    ASSIGN(const RecordName name, ReadRecordName(selection.record));
    add("source = ?", name.source);
    add("position = ?", static_cast<std::int64_t>(name.position));
  }
  return out;
}

Status List(const Invocation& invocation, const Selection& selection, std::optional<std::size_t> max_rows) {
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  ASSIGN(const auto reader, OpenReader(warehouse.layout, ""));
  QueryOptions options;
  options.format = invocation.json ? QueryFormat::kJson : QueryFormat::kTable;
  options.terminal = Terminal::Of(STDOUT_FILENO);
  options.max_rows = max_rows;
  std::string where;
  if (!selection.table.empty()) where += " AND table_name = $table", options.parameters["table"] = selection.table;
  if (!selection.source.empty()) where += " AND source = $source", options.parameters["source"] = selection.source;
  const std::string columns = invocation.json ? "source, position, stream, table_name AS \"table\", \"column\", value, reason, committed_at, quarantined_at"
                                              : "source || ':' || position AS record, coalesce(table_name, stream) AS \"table\", \"column\", value, reason";
  Output output;
  TRY(RunQuery(reader->connection(),
               "SELECT " + columns + " FROM nanohouse.quarantine WHERE true" + where + " ORDER BY source, position, table_name, \"column\"",
               options, output));
  return output.Finish();
}

/// The record as the source sent it; kNotFound where its journal segment has expired.
Result<std::string> ReadRecord(const contract::Layout& layout, const RecordName& name) {
  ASSIGN(const auto reader, journal::Reader::Open(layout.journal(name.source)));
  ASSIGN(const auto tail, reader->Refresh());
  const Position at{name.position};
  if (at < reader->first() || !(at < tail.end)) return Fail(Code::kNotFound, "the journal does not hold position {} of \"{}\"", name.position, name.source);
  ASSIGN(const auto block, reader->Read(at));
  if (!block) return Fail(Code::kNotFound, "the journal does not hold position {} of \"{}\"", name.position, name.source);
  return std::string(block->record(static_cast<std::size_t>(at.value - block->begin().value)).bytes);
}

Status Show(const Invocation& invocation, const std::string& record) {
  ASSIGN(const RecordName name, ReadRecordName(record));
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  ASSIGN(const auto reader, OpenReader(warehouse.layout, ""));
  ASSIGN(const auto rows, reader->connection().Query(
                              "SELECT stream, table_name, \"column\", value, reason, committed_at::VARCHAR, quarantined_at::VARCHAR, build "
                              "FROM nanohouse.quarantine WHERE source = ? AND position = ? ORDER BY table_name, \"column\"",
                              {name.source, static_cast<std::int64_t>(name.position)}));
  if (rows.empty())
    return WithHint(Fail(Code::kNotFound, "nothing of record \"{}\" is in quarantine", record), "`nanohouse quarantine list` shows what is.");
  const auto bytes = ReadRecord(warehouse.layout, name);
  constexpr const char* kLabels[] = {"stream", "table", "column", "value", "reason", "committed_at", "quarantined_at", "build"};
  Output output;
  if (invocation.json) {
    Json out{{"source", name.source}, {"position", name.position}, {"entries", Json::array()}, {"record", bytes ? Json(*bytes) : Json()}};
    for (const auto& row : rows.rows) {
      Json entry;
      for (std::size_t c = 0; c < row.size(); ++c) entry[kLabels[c]] = row[c] ? Json(*row[c]) : Json();
      out["entries"].push_back(std::move(entry));
    }
    TRY(output.Write(out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
    return output.Finish();
  }
  for (const auto& row : rows.rows) {
    for (std::size_t c = 0; c < row.size(); ++c)
      if (row[c] && !row[c]->empty()) TRY(output.Write(fmt::format("{:15} {}\n", kLabels[c], Printable(*row[c]))));
    TRY(output.Write("\n"));
  }
  TRY(output.Write(bytes ? fmt::format("{:15} {}\n", "record", Printable(*bytes)) : fmt::format("{:15} {}\n", "record", bytes.error().message)));
  return output.Finish();
}

/// Asks on a terminal; elsewhere --yes must say so, since what is dropped is gone.
Result<bool> Agreed(const Selection& selection, std::int64_t count) {
  if (selection.yes) return true;
  if (!CanAsk()) return WithHint(Fail(Code::kInvalid, "nobody can be asked whether to drop {} entries", count), "Add --yes.");
  fmt::print(stderr, "Drop {} entries for good? [y/N] ", count);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

Status Drop(const Invocation& invocation, const Selection& selection) {
  if (selection.table.empty() && selection.source.empty() && selection.record.empty() && !selection.all)
    return WithHint(Fail(Code::kInvalid, "drop needs to know what"), "Name SOURCE:POSITION, --table or --source, or say --all.");
  ASSIGN(const Condition condition, ConditionOf(selection));
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  std::int64_t count = 0;
  {
    ASSIGN(const auto reader, OpenReader(warehouse.layout, ""));
    ASSIGN(const auto rows, reader->connection().Query("SELECT count(*) FROM nanohouse.quarantine" + condition.sql, condition.values));
    count = rows.integer(0, 0);
  }
  if (count > 0) {
    ASSIGN(const bool agreed, Agreed(selection, count));
    if (!agreed) return Fail(Code::kInvalid, "nothing was dropped");
    ASSIGN(const auto writer, OpenWriter(warehouse, "quarantine drop"));
    TRY(writer->lake().Begin());
    TRY(writer->lake().connection().Execute(std::string("DELETE FROM ") + lake::kCatalog + ".nanohouse.quarantine" + condition.sql, condition.values));
    TRY(writer->lake().Commit("quarantine"));
    writer->Finish(state::Outcome::kOk, "", Json{{"dropped", count}}.dump());
  }
  if (invocation.json) fmt::print("{{\"dropped\":{}}}\n", count);
  else if (!invocation.quiet) fmt::print("dropped {} entries\n", count);
  return {};
}

Exit Done(const Invocation& invocation, const Status& status) { return status ? Exit::kDone : Report(invocation, status.error()); }

}  // namespace

void AddQuarantine(CommandLine& line) {
  CLI::App& verb = AddVerb(line, line.program, "quarantine", "Look at values that did not fit their column",
                           {"nanohouse quarantine list --table orders", "nanohouse quarantine show shop:1042", "nanohouse quarantine drop --table orders --yes"},
                           nullptr);
  verb.require_subcommand(1);
  const auto selection = std::make_shared<Selection>();
  const auto max_rows = std::make_shared<std::optional<std::size_t>>();

  CLI::App& list = AddVerb(line, verb, "list", "What is in quarantine, and why",
                           {"nanohouse quarantine list", "nanohouse quarantine list --source shop --json"},
                           [selection, max_rows](const Invocation& invocation) { return Done(invocation, List(invocation, *selection, *max_rows)); });
  list.add_option("--max-rows", *max_rows, "Rows to show; 0: all (default: 100 on a terminal, else all)")->type_name("N");

  CLI::App& show = AddVerb(line, verb, "show", "One record: each value that did not fit, and the message as it came",
                           {"nanohouse quarantine show shop:1042"},
                           [selection](const Invocation& invocation) { return Done(invocation, Show(invocation, selection->record)); });
  show.add_option("record", selection->record, "Which record")->type_name("SOURCE:POSITION")->required();

  AddQuarantineRetry(line, verb);

  CLI::App& drop = AddVerb(line, verb, "drop", "Forget entries for good",
                           {"nanohouse quarantine drop shop:1042", "nanohouse quarantine drop --table orders --yes", "nanohouse quarantine drop --all"},
                           [selection](const Invocation& invocation) { return Done(invocation, Drop(invocation, *selection)); });
  drop.add_option("record", selection->record, "Which record")->type_name("SOURCE:POSITION");
  drop.add_flag("--all", selection->all, "Everything");
  drop.add_flag("--yes", selection->yes, "Don't ask");
  for (CLI::App* app : {&list, &drop}) {
    app->add_option("--table", selection->table, "Of this table")->type_name("TABLE");
    app->add_option("--source", selection->source, "Of this source")->type_name("SOURCE");
  }
}

}  // namespace nano::app
