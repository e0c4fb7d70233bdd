// SPDX-License-Identifier: Apache-2.0
#include "land/singer_events.h"

#include "land/rules.h"

namespace nano::land {

Status AddSingerEvent(const TablePlan& plan, SingerRowReader& reader, const Record& record, Position position, std::int64_t number,
                      const StreamFacts& facts, Arena& arena, std::vector<Event>& events, std::vector<Reject>& rejects) {
  Event event;
  event.position = position;
  event.row_position = lake::RowPosition(number, position);
  event.committed_at = record.committed_at != kNoTime ? record.committed_at : record.ingested_at;
  event.versioned = !facts.versions.empty();
  if (plan.is_history())
    if (const auto said = wire::SingerTime(record.bytes, arena)) event.committed_at = *said;
  event.after = arena.Array<wire::Cell>(plan.inputs.size());
  const auto reject = [&](std::string_view reason) {
    event.rejected = true;
    rejects.push_back({std::string(record.stream), plan.table->name, plan.build.id, "", std::string(record.bytes.substr(0, 4096)),
                       std::string(reason), position, event.committed_at, std::string(event.key)});
    events.push_back(event);
  };
  std::string_view unreadable;
  if (!reader.Read(record.bytes, arena, event.after, unreadable)) {
    reject(unreadable);
    return {};
  }
  if (plan.build.definition.identity == lake::Identity::kKey && !TakeKey(plan, event.after, arena, event.key_cells, event.key)) {
    event.key = {};
    if (reader.misfits().empty()) {
      reject("has no value in a key column");
      return {};
    }
  }
  std::vector<Misfit> misfits;
  for (const auto& misfit : reader.misfits()) misfits.push_back({misfit.field, std::string(misfit.token), misfit.reason});
  TRY(JudgeRow(plan, record.stream, event, misfits, rejects));
  for (const auto& field : reader.unknown())
    if (field.token != "null" && !facts.fields.count(std::string(field.name)))
      TRY(JudgeNewField(plan, record.stream, event, field.name, field.token, rejects));
  events.push_back(event);
  return {};
}

}  // namespace nano::land
