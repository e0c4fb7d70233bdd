// SPDX-License-Identifier: Apache-2.0
#include "land/debezium_events.h"

#include <algorithm>
#include <numeric>

#include "land/rules.h"
#include "wire/debezium_document.h"
#include "wire/json_token.h"

namespace nano::land {
namespace {

using wire::Cell;
using wire::DebeziumField;

const DebeziumField* Find(const std::vector<DebeziumField>& fields, std::string_view name, std::size_t guess) {
  if (guess < fields.size() && fields[guess].name == name) return &fields[guess];
  for (const auto& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

/// Follows a path into nested records; nullopt where it leads nowhere.
std::optional<DebeziumField> Follow(const std::vector<DebeziumField>& fields, const std::vector<std::string>& path, std::size_t guess,
                                    Arena& arena) {
  const DebeziumField* found = Find(fields, path[0], guess);
  if (!found) return std::nullopt;
  DebeziumField at = *found;
  for (std::size_t depth = 1; depth < path.size(); ++depth) {
    std::optional<DebeziumField> inner;
    wire::ObjectScanner scanner(at.token);
    std::string_view key, value;
    while (scanner.Next(key, value)) {
      std::string_view name;
      if (wire::Unescape(key, arena, name) && name == path[depth])
        inner = DebeziumField{name, value, at.schema ? at.schema->child(name) : nullptr};
    }
    if (!inner) return std::nullopt;
    at = *inner;
  }
  return at;
}

/// The cells of one image. Misfits are collected; a field that isn't there is absent.
std::span<Cell> ReadImage(const TablePlan& plan, const std::vector<DebeziumField>& fields, Arena& arena, std::vector<Misfit>& misfits) {
  const auto cells = arena.Array<Cell>(plan.inputs.size());
  std::string reason;
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    const Input& input = plan.inputs[i];
    const auto field = Follow(fields, input.path, i, arena);
    if (!field) continue;
    reason.clear();
    if (!wire::ReadDebezium(input.type, *field, input.source_type, plan.special, arena, cells[i], reason)) {
      cells[i].kind = Cell::Kind::kNull;
      misfits.push_back({i, std::string(field->token), reason});
    }
  }
  return cells;
}

/// A value that was certainly not sent: it holds nothing that could be data.
Cell Unsent() {
  Cell cell;
  cell.kind = Cell::Kind::kUnchanged;
  return cell;
}

/// Columns (`inputs` of them) that an image lacks are taken from the message's own key.
void FillFromKey(const TablePlan& plan, const std::vector<std::size_t>& inputs, const std::vector<DebeziumField>& key, std::span<Cell> image,
                 Arena& arena) {
  std::string reason;
  for (const std::size_t input : inputs) {
    if (image[input].kind == Cell::Kind::kValue) continue;
    if (const auto field = Follow(key, plan.inputs[input].path, 0, arena))
      if (!wire::ReadDebezium(plan.inputs[input].type, *field, plan.inputs[input].source_type, plan.special, arena, image[input], reason))
        image[input].kind = Cell::Kind::kNull;
  }
}

Status JudgeNewFields(const TablePlan& plan, const wire::DebeziumEvent& change, const Record& record, const StreamFacts& facts,
                      const Event& event, std::vector<Reject>& rejects) {
  if (!facts.seen) return {};
  for (std::size_t i = 0; i < change.after.size(); ++i) {
    const auto& field = change.after[i];
    if (i < plan.inputs.size() && plan.inputs[i].path[0] == field.name) continue;   // as most do
    if (field.token == "null" || facts.fields.contains(field.name)) continue;
    const bool taken = std::any_of(plan.inputs.begin(), plan.inputs.end(), [&](const Input& input) { return input.path[0] == field.name; });
    if (!taken) TRY(JudgeNewField(plan, record.stream, event, field.name, field.token, rejects));
  }
  return {};
}

/// A delete as a row of a table of events: the old values, as far as the source sends them.
Status AddGoneRow(const TablePlan& plan, const wire::DebeziumEvent& change, const Record& record, Event& event,
                  std::vector<Misfit>& misfits, Arena& arena, std::vector<Event>& events, std::vector<Reject>& rejects) {
  std::vector<std::size_t> all(plan.inputs.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  FillFromKey(plan, all, change.key, event.before, arena);
  event.after = event.before;
  TRY(JudgeRow(plan, record.stream, event, misfits, rejects));
  event.after = {};
  events.push_back(event);
  return {};
}

}  // namespace

Status AddDebeziumEvent(const TablePlan& plan, const wire::DebeziumEvent& change, const Record& record, Position position,
                        std::int64_t number, const StreamFacts& facts, Arena& arena, std::vector<Event>& events,
                        std::vector<Reject>& rejects) {
  Event event;
  event.position = position;
  event.row_position = lake::RowPosition(number, position);
  event.committed_at = change.committed_at >= 0 ? change.committed_at : record.committed_at;
  if (event.committed_at == kNoTime && (plan.is_history() || plan.is_soft())) event.committed_at = record.ingested_at;
  const bool keyed = plan.build.definition.identity == lake::Identity::kKey;
  const bool whole = !keyed;
  const auto reject = [&](const std::string& reason) {
    event.rejected = true;
    rejects.push_back({std::string(record.stream), plan.table->name, plan.build.id, "", record.Whole(), reason, position,
                       event.committed_at, std::string(event.key)});
  };

  if (change.kind == wire::DebeziumEvent::Kind::kChange && change.op == 't') {
    event.op = Op::kTruncate;
    events.push_back(event);
    return {};
  }
  const bool tombstone = change.kind == wire::DebeziumEvent::Kind::kTombstone;
  if (tombstone && !keyed) return {};  // says nothing that the delete before it did not
  std::vector<Misfit> misfits;

  if (tombstone || change.op == 'd') {
    event.op = Op::kDelete;
    event.before = ReadImage(plan, change.before, arena, misfits);
    if (plan.keeps_events()) return AddGoneRow(plan, change, record, event, misfits, arena, events, rejects);
    if (keyed) {
      if (tombstone && plan.key.size() == 1 && plan.inputs[plan.key[0]].path == std::vector<std::string>{"_id"}) {
        std::vector<DebeziumField> key = change.key;   // only its delete said that it is a document's
        wire::RenameDocumentKey(key, arena);
        FillFromKey(plan, plan.key, key, event.before, arena);
      }
      FillFromKey(plan, plan.key, change.key, event.before, arena);
      if (!TakeKey(plan, event.before, arena, event.key_cells, event.key)) reject("deletes a row whose key columns it does not name");
    } else if (whole && !change.has_before) {
      event.before = {};
    } else if (whole && !misfits.empty()) {
      reject("deletes a row by old values that do not fit the table, so no such row is in it");
    }
    events.push_back(event);
    return {};
  }

  event.pending = change.pending;
  event.op = change.op == 'r' ? Op::kRead : change.op == 'u' ? Op::kUpdate : Op::kInsert;
  if (change.op_assumed && plan.build.definition.identity == lake::Identity::kWholeRow) event.op = Op::kInsert;  // a row without a key can only be added
  event.after = ReadImage(plan, change.after, arena, misfits);
  if (change.connector == "oracle")   // an unchanged LOB is never sent, however short: the mark is no data there
    for (Cell& cell : event.after)
      if (cell.kind == Cell::Kind::kUnchanged) cell = Unsent();
  if (change.partial)   // of a document that was not sent whole: the rest stays as it is
    for (Cell& cell : event.after)
      if (cell.kind == Cell::Kind::kAbsent) cell = Unsent();
  if (keyed) {
    FillFromKey(plan, plan.key, change.key, event.after, arena);
    if (!TakeKey(plan, event.after, arena, event.key_cells, event.key)) {
      event.key = {};
      if (misfits.empty() && change.unfit.empty()) {
        reject("has no value in a key column");
        events.push_back(event);
        return {};
      }
    }
    if (change.has_old_key) {
      const auto old = arena.Array<Cell>(plan.inputs.size());
      FillFromKey(plan, plan.key, change.old_key, old, arena);
      if (!TakeKey(plan, old, arena, event.old_key_cells, event.old_key)) event.old_key = {};
    }
  }
  if (!change.has_old_key && (event.op == Op::kInsert || event.op == Op::kRead)) {
    // Only the second half of a key change lacks values; in any other insert the text is data.
    for (std::size_t i = 0; i < event.after.size(); ++i)
      if (event.after[i].kind == Cell::Kind::kUnchanged && CanBeData(plan.inputs[i].type)) event.after[i].kind = Cell::Kind::kValue;
  }
  if (!change.unfit.empty()) {
    reject(std::string(change.unfit));
    events.push_back(event);
    return {};
  }
  if (whole && change.has_before && event.op == Op::kUpdate) {
    std::vector<Misfit> old_misfits;
    event.before = ReadImage(plan, change.before, arena, old_misfits);
  }
  if (plan.keeps_events() && change.has_before) {
    std::vector<Misfit> ignored;
    const auto before = ReadImage(plan, change.before, arena, ignored);
    for (std::size_t i = 0; i < event.after.size(); ++i)  // an unsent value is the one that it was
      if (event.after[i].kind == Cell::Kind::kUnchanged && before[i].kind == Cell::Kind::kValue) event.after[i] = before[i];
  }
  TRY(JudgeRow(plan, record.stream, event, misfits, rejects));
  TRY(JudgeNewFields(plan, change, record, facts, event, rejects));
  // An update that moves a row to another key without Debezium's pair (a source without such headers).
  if (keyed && event.op == Op::kUpdate && change.has_before && !change.has_old_key) {
    std::vector<Misfit> ignored;
    const auto before = ReadImage(plan, change.before, arena, ignored);
    Event gone = event;
    gone.op = Op::kDelete;
    gone.rejected = false;
    gone.after = {};
    if (TakeKey(plan, before, arena, gone.key_cells, gone.key) && !event.key.empty() && gone.key != event.key) {
      event.old_key = gone.key;
      event.old_key_cells = gone.key_cells;
      events.push_back(gone);
    }
  }
  events.push_back(event);
  return {};
}

}  // namespace nano::land
