// SPDX-License-Identifier: Apache-2.0
#include "land/rules.h"

#include "change/key.h"

namespace nano::land {
namespace {

using wire::Cell;

Reject MakeReject(const TablePlan& plan, std::string_view stream, const Event& event, std::string column, std::string value,
                  std::string reason) {
  return {std::string(stream), plan.table->name, plan.build.id, std::move(column), std::move(value), std::move(reason),
          event.position, event.committed_at, {}};
}

}  // namespace

Status JudgeRow(const TablePlan& plan, std::string_view stream, Event& event, std::vector<Misfit>& misfits, std::vector<Reject>& rejects) {
  const std::size_t before = rejects.size();
  for (auto& misfit : misfits) {
    const Output* output = plan.DirectOutput(misfit.input);
    const std::string column = output ? output->column : plan.inputs[misfit.input].name();
    switch (plan.table->on_type_mismatch) {
      case contract::OnTypeMismatch::kNull:
        event.after[misfit.input].kind = Cell::Kind::kNull;
        continue;
      case contract::OnTypeMismatch::kFail: {
        Error error{Code::kInvalid, fmt::format("table \"{}\": a value does not fit column \"{}\": it {}", plan.table->name, column, misfit.reason),
                    "The table says on_type_mismatch: fail. Mend the column, or let such rows go to quarantine.",
                    Place{std::string(stream), event.position.value, 0}, misfit.value};
        return tl::make_unexpected(std::move(error));
      }
      case contract::OnTypeMismatch::kQuarantine:
        rejects.push_back(MakeReject(plan, stream, event, column, std::move(misfit.value), std::move(misfit.reason)));
    }
  }
  if (event.op != Op::kDelete)
    for (const auto& output : plan.outputs) {
      if (!output.not_null || !output.expr.empty()) continue;
      const Cell::Kind kind = event.after[output.input].kind;
      if (kind != Cell::Kind::kNull && kind != Cell::Kind::kAbsent) continue;
      bool known = false;
      for (std::size_t r = before; r < rejects.size(); ++r) known = known || rejects[r].column == output.column;
      if (!known) rejects.push_back(MakeReject(plan, stream, event, output.column, "", "is NULL, and the column is not_null"));
    }
  if (rejects.size() == before) return {};
  event.rejected = true;
  for (std::size_t r = before; r < rejects.size(); ++r) rejects[r].key = std::string(event.key);
  return {};
}

Status JudgeNewField(const TablePlan& plan, std::string_view stream, const Event& event, std::string_view field,
                     std::string_view token, std::vector<Reject>& rejects) {
  switch (plan.table->on_new_field) {
    case contract::OnNewField::kIgnore: return {};
    case contract::OnNewField::kFail: {
      Error error{Code::kInvalid, fmt::format("table \"{}\": the source has a new field \"{}\"", plan.table->name, field),
                  "The table says on_new_field: fail. Add the column, or say on_new_field: quarantine.",
                  Place{std::string(stream), event.position.value, 0}, {}};
      return tl::make_unexpected(std::move(error));
    }
    case contract::OnNewField::kAppendNewColumns:
    case contract::OnNewField::kQuarantine: break;
  }
  // The row lands, so no key stands with it: nothing is in doubt about the row itself.
  rejects.push_back(MakeReject(plan, stream, event, std::string(field), std::string(token), std::string(kNewFieldReason)));
  return {};
}

bool CanBeData(const DataType& type) {
  return type.kind == TypeKind::kString || type.kind == TypeKind::kBinary || type.kind == TypeKind::kList;
}

bool TakeKey(const TablePlan& plan, std::span<Cell> image, Arena& arena, std::span<Cell>& key_cells, std::string_view& key) {
  key_cells = arena.Array<Cell>(plan.key.size());
  std::string bytes;
  for (std::size_t k = 0; k < plan.key.size(); ++k) {
    const Cell& cell = image[plan.key[k]];
    if (cell.kind != Cell::Kind::kValue) return false;
    key_cells[k] = cell;
    AppendKey(plan.inputs[plan.key[k]].type, cell, bytes);
  }
  key = arena.Keep(bytes);
  return true;
}

}  // namespace nano::land
