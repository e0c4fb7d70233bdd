// SPDX-License-Identifier: Apache-2.0
#include "land/plan.h"

#include "contract/expressions.h"

namespace nano::land {
namespace {

std::size_t InputFor(TablePlan& plan, const std::vector<std::string>& path, const DataType& type, const std::string& source_type) {
  for (std::size_t i = 0; i < plan.inputs.size(); ++i)
    if (plan.inputs[i].path == path && plan.inputs[i].type == type) return i;
  plan.inputs.push_back({path, type, source_type});
  return plan.inputs.size() - 1;
}

wire::Special SpecialOf(contract::SpecialValues rule) {
  switch (rule) {
    case contract::SpecialValues::kQuarantine: return wire::Special::kQuarantine;
    case contract::SpecialValues::kNull: return wire::Special::kNull;
    case contract::SpecialValues::kClamp: return wire::Special::kClamp;
  }
  return wire::Special::kQuarantine;
}

}  // namespace

std::string Input::name() const {
  std::string out;
  for (const auto& part : path) out += (out.empty() ? "" : ".") + part;
  return out;
}

const Output* TablePlan::DirectOutput(std::size_t input) const {
  for (const auto& output : outputs)
    if (output.expr.empty() && output.mark == lake::Mark::kNone && output.input == input) return &output;
  return nullptr;
}

lake::Build SetOf(const lake::Build& build, const std::string& source) {
  lake::Build set = build;
  set.id += "_set_" + source;
  return set;
}

Result<TablePlan> MakePlan(const contract::Table& table, const lake::Build& build, const std::string& source) {
  TablePlan plan;
  plan.build = build;
  plan.target = table.mode == contract::Mode::kReplace ? SetOf(build, source) : build;
  plan.table = &table;
  plan.mode = table.mode;
  plan.deletes = table.deletes;
  plan.special = SpecialOf(table.special_values);
  plan.sources_of_same_name = 0;
  for (const auto& feed : table.sources) plan.sources_of_same_name += feed.source == source ? 1 : 0;

  for (const auto& built : build.definition.columns) {
    Output output;
    output.column = built.name;
    output.type = built.type;
    output.not_null = built.not_null;
    if (built.mark != lake::Mark::kNone) {
      output.mark = built.mark;
      output.not_null = false;
      plan.has_marks = true;
      plan.outputs.push_back(std::move(output));
      continue;
    }
    const contract::Column* declared = nullptr;
    for (const auto& column : table.columns)
      if (column.name == built.name) declared = &column;
    output.not_null = output.not_null || (declared && declared->not_null);
    if (!declared) {  // inferred
      output.input = InputFor(plan, {built.name}, built.type, "");
    } else if (!declared->expr) {
      const auto path = declared->field.empty() ? std::vector<std::string>{declared->name} : declared->field;
      output.input = InputFor(plan, path, built.type, declared->source_type.value_or(""));
    } else {
      output.expr = *declared->expr;
      plan.has_expressions = true;
      output.value = contract::ValueSql(*declared);
      for (const auto& input : declared->inputs) {
        std::vector<std::string> leaves;
        for (const auto& leaf : input.leaves) {
          output.reads.push_back(InputFor(plan, leaf.path, leaf.type, leaf.source_type));
          leaves.push_back(fmt::format("i{}", output.reads.back()));
        }
        output.fields.emplace(input.field, contract::InputSql(input, leaves));
      }
    }
    plan.outputs.push_back(std::move(output));
  }
  for (const auto& key : build.definition.key)
    for (const auto& output : plan.outputs)
      if (output.column == key && output.mark == lake::Mark::kNone) {
        if (!output.expr.empty())
          return Fail(Code::kUnsupported, "key column \"{}\" of table \"{}\" is an expression, which is not supported yet", key, table.name);
        plan.key.push_back(output.input);
      }
  return plan;
}

}  // namespace nano::land
