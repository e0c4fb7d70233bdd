// SPDX-License-Identifier: Apache-2.0
#include "app/quarantine_retry.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/display_text.h"
#include "app/output.h"
#include "app/publish_run.h"
#include "app/record_name.h"
#include "app/report.h"
#include "app/run/control.h"
#include "app/warehouse.h"
#include "land/retry.h"
#include "migrate/apply.h"
#include "wire/json_get.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;
using land::RetriedRecord;
using Outcome = RetriedRecord::Outcome;

struct Tally {
  std::size_t landed = 0, stays = 0, moved_on = 0;

  explicit Tally(const std::vector<RetriedRecord>& records) {
    for (const auto& record : records) ++(record.outcome == Outcome::kLanded ? landed : record.outcome == Outcome::kStays ? stays : moved_on);
  }
};

std::string_view Name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kLanded: return "landed";
    case Outcome::kStays: return "stays";
    case Outcome::kMovedOn: return "moved_on";
  }
  return "stays";
}

/// What was asked for by name and is not in quarantine: it never was, or an earlier retry is done with it.
std::vector<std::string> NotThere(const std::vector<RetriedRecord>& records, const land::RetrySelection& selection) {
  std::vector<std::string> out;
  for (const auto& [source, position] : selection.records)
    if (std::none_of(records.begin(), records.end(), [&](const auto& record) { return record.source == source && record.position == position; }))
      out.push_back(fmt::format("{}:{}", source, position.value));
  return out;
}

Json AsJson(const std::vector<RetriedRecord>& records, const std::vector<std::string>& not_there, bool dry_run) {
  const Tally tally(records);
  Json out{{"dry_run", dry_run}, {"landed", tally.landed}, {"stays", tally.stays}, {"moved_on", tally.moved_on}, {"not_there", not_there}, {"records", Json::array()}};
  for (const auto& record : records) {
    Json reasons = Json::array();
    for (const auto& reason : record.reasons)
      reasons.push_back({{"column", reason.column.empty() ? Json() : Json(reason.column)}, {"value", reason.value}, {"reason", reason.reason}});
    out["records"].push_back({{"source", record.source},
                              {"position", record.position.value},
                              {"table", record.table.empty() ? Json() : Json(record.table)},
                              {"outcome", Name(record.outcome)},
                              {"overtaken_by", record.overtaken_by.empty() ? Json() : Json(record.overtaken_by)},
                              {"reasons", reasons}});
  }
  return out;
}

std::string Line(const Json& record) {
  const std::string table = wire::Get(record, "table", ""), outcome = wire::Get(record, "outcome", ""), overtaken_by = wire::Get(record, "overtaken_by", "");
  std::string out = fmt::format("{}:{}  {}  ", wire::Get(record, "source", ""), record["position"].get<std::uint64_t>(), table.empty() ? "-" : table);
  if (outcome == "moved_on") return out + "moved on: " + (overtaken_by.empty() ? std::string("the row was replaced or removed since") : overtaken_by + " is newer") + "\n";
  out += outcome;
  bool first = true;
  for (const auto& reason : record["reasons"]) {
    const std::string column = wire::Get(reason, "column", "");
    out += first ? (outcome == "landed" ? "; stays: " : ": ") : "; ";
    if (!column.empty()) out += Printable(column) + " " + Clip(Printable(wire::Get(reason, "value", "")), 60, "…") + " ";
    out += Printable(wire::Get(reason, "reason", ""));
    first = false;
  }
  return out + "\n";
}

Status Print(const Invocation& invocation, const Json& retried) {
  Output output;
  if (invocation.json) {
    TRY(output.Write(retried.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
    return output.Finish();
  }
  if (invocation.quiet) return {};
  for (const auto& record : retried["records"]) TRY(output.Write(Line(record)));
  for (const auto& name : retried["not_there"]) TRY(output.Write(name.get<std::string>() + "  is not in quarantine\n"));
  TRY(output.Write(fmt::format("{}{} landed, {} stay, {} moved on\n", retried["dry_run"].get<bool>() ? "nothing was changed; would be: " : "",
                               retried["landed"].get<std::size_t>(), retried["stays"].get<std::size_t>(), retried["moved_on"].get<std::size_t>())));
  return output.Finish();
}

Result<land::RetrySelection> SelectionOf(const RetryArguments& arguments) {
  if (arguments.records.empty() && arguments.table.empty() && !arguments.all)
    return WithHint(Fail(Code::kInvalid, "retry needs to know what"), "Name SOURCE:POSITION or --table, or say --all.");
  land::RetrySelection selection;
  selection.table = arguments.table;
  for (const auto& text : arguments.records) {
    ASSIGN(const RecordName name, ReadRecordName(text));
    selection.records.emplace_back(name.source, Position{name.position});
  }
  return selection;
}

Status Retry(const Invocation& invocation, const RetryArguments& arguments) {
  TRY(SelectionOf(arguments));
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  ASSIGN(const auto running, AskRunning(warehouse.layout, RetryRequest(arguments)));
  if (running) {
    if (running->error) return tl::make_unexpected(*running->error);
    return Print(invocation, running->result);
  }
  ASSIGN(const auto writer, OpenWriter(warehouse, "quarantine retry"));
  ASSIGN(const auto deployed, migrate::ReadDeployed(writer->lake().connection(), invocation.folder));
  if (!deployed) return WithHint(Fail(Code::kNotFound, "the warehouse was never applied"), "Run `nanohouse apply`.");
  if (!invocation.quiet && (!warehouse.parsed.ok() || warehouse.contract->bundle != deployed->contract->bundle))
    fmt::print(stderr, "note: the files have changed since they were applied; `nanohouse plan` shows how\n");
  ASSIGN(const Json retried, RetryNow(writer->lake(), warehouse.layout, *deployed->contract, arguments));
  writer->Finish(state::Outcome::kOk, "", Json{{"landed", retried["landed"]}, {"stays", retried["stays"]}, {"moved_on", retried["moved_on"]}}.dump());
  TRY(Print(invocation, retried));
  if (retried["landed"] == 0 || arguments.dry_run || !deployed->contract->storage.publish) return {};
  ASSIGN([[maybe_unused]] const auto published, PublishNames(writer->lake().connection(), warehouse.layout));
  return {};
}

}  // namespace

Json RetryRequest(const RetryArguments& arguments) {
  return {{"do", "quarantine retry"}, {"records", arguments.records}, {"table", arguments.table}, {"all", arguments.all}, {"dry_run", arguments.dry_run}};
}

RetryArguments RetryArgumentsOf(const Json& request) {
  RetryArguments out;
  if (const auto records = request.find("records"); records != request.end() && records->is_array())
    for (const auto& record : *records)
      if (record.is_string()) out.records.push_back(record.get<std::string>());
  out.table = wire::Get(request, "table", "");
  out.all = request.value("all", false);
  out.dry_run = request.value("dry_run", false);
  return out;
}

Result<Json> RetryNow(lake::Writer& lake, const contract::Layout& layout, const contract::Contract& contract, const RetryArguments& arguments) {
  ASSIGN(const land::RetrySelection selection, SelectionOf(arguments));
  if (!arguments.table.empty() && !contract.table(arguments.table))
    return WithHint(Fail(Code::kNotFound, "there is no table \"{}\"", arguments.table), "`nanohouse status` lists the tables.");
  ASSIGN(const auto records, land::RetryQuarantine(lake, layout, contract, selection, arguments.dry_run ? land::DryRun::kYes : land::DryRun::kNo));
  return AsJson(records, NotThere(records, selection), arguments.dry_run);
}

void AddQuarantineRetry(CommandLine& line, CLI::App& quarantine) {
  const auto arguments = std::make_shared<RetryArguments>();
  CLI::App& verb = AddVerb(line, quarantine, "retry", "Land what fits since the schema was mended and applied",
                           {"nanohouse quarantine retry --all --dry-run", "nanohouse quarantine retry --table orders", "nanohouse quarantine retry shop:1042 shop:1043"},
                           [arguments](const Invocation& invocation) {
    const auto done = Retry(invocation, *arguments);
    return done ? Exit::kDone : Report(invocation, done.error());
  });
  verb.add_option("records", arguments->records, "Which records")->type_name("SOURCE:POSITION");
  verb.add_option("--table", arguments->table, "Of this table")->type_name("TABLE");
  verb.add_flag("--all", arguments->all, "Everything");
  verb.add_flag("--dry-run", arguments->dry_run, "Only say what would become of it");
}

}  // namespace nano::app
