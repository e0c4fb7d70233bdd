// SPDX-License-Identifier: Apache-2.0
#include "land/row_matcher.h"

#include <algorithm>

#include <fmt/ranges.h>

#include "change/key.h"
#include "contract/finding.h"

namespace nano::land {
namespace {

std::string Wanted(const std::vector<std::string>& columns) {
  std::string out = "Give its value";
  if (columns.size() > 1) out += "s";
  out += ":";
  for (const auto& column : columns) out += " " + column + "=…";
  return out;
}

Result<const Output*> FindColumn(const TablePlan& plan, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& output : plan.outputs) {
    if (output.column == name) return &output;
    names.push_back(output.column);
  }
  const std::string near = contract::Nearest(name, names);
  return WithHint(Fail(Code::kInvalid, "table \"{}\" has no column \"{}\"", plan.table->name, name),
                  near.empty() ? fmt::format("It has {}.", fmt::join(names, ", ")) : fmt::format("Did you mean `{}`?", near));
}

}  // namespace

Result<RowMatcher> RowMatcher::Make(const TablePlan& plan, const std::vector<Condition>& conditions) {
  RowMatcher out;
  const auto key = plan.build.definition.source_key();
  const std::string& table = plan.table->name;
  out.keyed_ = plan.build.definition.identity == lake::Identity::kKey;
  std::vector<Condition> ordered;
  for (const auto& condition : conditions) {
    ASSIGN(const Output* output, FindColumn(plan, condition.column));
    if (std::any_of(ordered.begin(), ordered.end(), [&](const Condition& other) { return other.column == condition.column; }))
      return Fail(Code::kInvalid, "column \"{}\" is given twice", condition.column);
    if (out.keyed_ && std::find(key.begin(), key.end(), condition.column) == key.end())
      return WithHint(Fail(Code::kInvalid, "column \"{}\" is not in the key of table \"{}\"", condition.column, table), Wanted(key));
    if (!output->expr.empty() || output->mark != lake::Mark::kNone)
      return WithHint(Fail(Code::kInvalid, "column \"{}\" of table \"{}\" is {}", condition.column, table,
                           output->expr.empty() ? "made by nanohouse" : "an expression"),
                      "Name columns that the source itself sends.");
    ordered.push_back(condition);
  }
  if (out.keyed_) {
    std::vector<Condition> sorted;
    for (const auto& column : key) {
      const auto at = std::find_if(ordered.begin(), ordered.end(), [&](const Condition& condition) { return condition.column == column; });
      if (at == ordered.end())
        return WithHint(Fail(Code::kInvalid, "column \"{}\" of the key of table \"{}\" is missing", column, table), Wanted(key));
      sorted.push_back(*at);
    }
    ordered = std::move(sorted);
  }
  out.cells_ = out.arena_.Array<wire::Cell>(ordered.size());
  for (std::size_t n = 0; n < ordered.size(); ++n) {
    ASSIGN(const Output* output, FindColumn(plan, ordered[n].column));
    std::string reason;
    if (!wire::ReadText(output->type, out.arena_.Keep(ordered[n].value), wire::Special::kQuarantine, out.arena_, out.cells_[n], reason)) {
      Error error{Code::kInvalid, fmt::format("the value for column \"{}\" {}", output->column, reason),
                  fmt::format("The column's type is {}.", ToString(output->type)), {}, ordered[n].value};
      return tl::make_unexpected(std::move(error));
    }
    out.columns_.push_back(output->column);
    out.inputs_.push_back(output->input);
    out.canonical_.emplace_back();
    AppendKey(output->type, out.cells_[n], out.canonical_.back());
    out.key_ += out.canonical_.back();
  }
  return out;
}

bool RowMatcher::Matches(const TablePlan& plan, std::span<const wire::Cell> image) const {
  if (image.empty() || inputs_.empty()) return false;
  std::string bytes;
  for (std::size_t n = 0; n < inputs_.size(); ++n) {
    const wire::Cell& cell = image[inputs_[n]];
    if (cell.kind != wire::Cell::Kind::kValue) return false;
    bytes.clear();
    AppendKey(plan.inputs[inputs_[n]].type, cell, bytes);
    if (bytes != canonical_[n]) return false;
  }
  return true;
}

}  // namespace nano::land
