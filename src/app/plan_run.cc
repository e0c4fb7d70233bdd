// SPDX-License-Identifier: Apache-2.0
#include "app/plan_run.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/display_text.h"
#include "app/report.h"
#include "lake/build.h"
#include "migrate/apply.h"

namespace nano::app {
namespace {

using contract::ChangeClass;
using Json = nlohmann::ordered_json;

/// Columns that tables without `columns` have by now.
Result<contract::BuiltColumns> ReadBuiltColumns(engine::Connection& connection, int version) {
  contract::BuiltColumns out;
  ASSIGN(const auto builds, lake::ReadBuilds(connection));
  ASSIGN(const auto names, lake::ReadVersion(connection, version));
  for (const auto& [name, id] : names) {
    const auto build = builds.find(id);
    if (build == builds.end()) continue;
    for (const auto& column : build->second.definition.columns) {
      if (column.mark != lake::Mark::kNone) continue;
      contract::Column built;
      built.name = column.name;
      built.type = column.type;
      built.field = {column.name};
      built.not_null = column.not_null;
      built.description = column.description;
      out[name].push_back(std::move(built));
    }
  }
  return out;
}

Error Refusal(const contract::Change& change) {
  Error error{Code::kUnsupported, change.what, {}, change.place, {}};
  switch (change.change_class()) {
    case ChangeClass::kBreaking: error.hint = "It breaks readers: a changed table needs a second version beside the first, which is not supported yet."; break;
    case ChangeClass::kRewrite: error.hint = "Its rows or files would have to be made anew, which is not supported yet."; break;
    default: error.hint = "It can't be done by a change of the contract."; break;
  }
  return error;
}

std::string_view Sign(ChangeClass change_class) {
  switch (change_class) {
    case ChangeClass::kAdditive: return "+";
    case ChangeClass::kRewrite: return "~";
    case ChangeClass::kBreaking: return "!";
    case ChangeClass::kForbidden: return "x";
  }
  return "?";
}

std::string Placed(const Place& place) {
  return place.in.empty() ? "" : place.at == 0 ? place.in : fmt::format("{}:{}:{}", place.in, place.at, place.column);
}

}  // namespace

Result<Plan> MakePlan(const Warehouse& warehouse) {
  const contract::Contract& wanted = *warehouse.contract;
  Plan out;
  for (const auto& key : wanted.not_yet)
    out.refusals.push_back({Code::kUnsupported, key.what + " is not supported yet", "Remove the key; it belongs to a later release.", key.place, {}});
  auto reader = OpenReader(warehouse.layout, "");
  if (!reader && reader.error().code != Code::kNotFound) return tl::make_unexpected(std::move(reader).error());
  std::optional<migrate::Deployed> deployed;
  if (reader) { ASSIGN(deployed, migrate::ReadDeployed((*reader)->connection(), wanted.folder)); }
  if (!deployed) {
    out.changes = contract::DiffFromNothing(wanted);
    return out;
  }
  out.deployed = deployed->version;
  out.same_files = deployed->contract->bundle == wanted.bundle;
  ASSIGN(const auto built, ReadBuiltColumns((*reader)->connection(), deployed->version));
  out.changes = contract::Diff(*deployed->contract, wanted, built);
  for (const auto& change : out.changes)
    if (change.change_class() != ChangeClass::kAdditive) out.refusals.push_back(Refusal(change));
  for (const auto& finding : contract::CheckVersion(*deployed->contract, wanted, out.changes)) {
    Error error{Code::kInvalid, finding.message, finding.hint, finding.place, {}};
    (finding.severity == contract::Severity::kError ? out.refusals : out.warnings).push_back(std::move(error));
  }
  return out;
}

std::string PlanText(const Plan& plan, const Terminal& terminal) {
  std::string out;
  std::map<ChangeClass, int> counts;
  for (const auto& change : plan.changes) {
    ++counts[change.change_class()];
    const std::string text = fmt::format("{} {:<9} {}", Sign(change.change_class()), ClassName(change.change_class()), Printable(change.what));
    const std::size_t width = DisplayWidth(text);
    const std::string place = Printable(Placed(change.place));
    const std::string painted = change.change_class() == ChangeClass::kAdditive ? terminal.Green(text) : terminal.Red(text);
    out += painted + (place.empty() ? "" : std::string(width < 70 ? 70 - width : 2, ' ') + terminal.Dim(place)) + "\n";
    if (!change.fill.empty()) out += fmt::format("            older rows: {}\n", Printable(change.fill));
    if (!change.readers.empty()) out += fmt::format("            read by: {}\n", Printable(fmt::format("{}", fmt::join(change.readers, ", "))));
  }
  if (plan.changes.empty()) out += plan.deployed == 0 ? "nothing to make: there are no tables\n" : "nothing to do\n";
  else {
    out += fmt::format("{} change{}:", plan.changes.size(), plan.changes.size() == 1 ? "" : "s");
    bool first = true;
    for (const auto& [change_class, count] : counts) {
      out += fmt::format("{} {} {}", first ? "" : ",", count, ClassName(change_class));
      first = false;
    }
    out += "\n";
  }
  for (const auto& warning : plan.warnings) {
    out += terminal.Yellow("warning:") + " " + Printable(warning.message) + "  " + Printable(Placed(warning.place)) + "\n";
    if (!warning.hint.empty()) out += "hint: " + Printable(warning.hint) + "\n";
  }
  for (const auto& refusal : plan.refusals) out += ErrorText(refusal, terminal);
  return out;
}

std::string PlanJson(const Plan& plan) {
  Json out = Json::parse(contract::RenderChangesJson(plan.changes), nullptr, false);
  if (!out.is_object()) out = Json{{"changes", Json::array()}};
  for (const auto& [name, errors] : {std::pair{"refused", &plan.refusals}, std::pair{"warnings", &plan.warnings}}) {
    out[name] = Json::array();
    for (const auto& error : *errors) out[name].push_back(Json::parse(ErrorJson(error))["error"]);
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nano::app
