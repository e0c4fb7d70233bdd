// SPDX-License-Identifier: Apache-2.0
#include "land/record_events.h"

#include "land/debezium_events.h"
#include "land/singer_events.h"

namespace nano::land {

Result<std::unique_ptr<RecordEvents>> RecordEvents::Make(const contract::Table& table, const lake::Build& build, const std::string& source,
                                                         std::int64_t number, engine::Connection& connection) {
  std::unique_ptr<RecordEvents> out(new RecordEvents());
  out->table_ = table;
  if (table.on_type_mismatch == contract::OnTypeMismatch::kFail) out->table_.on_type_mismatch = contract::OnTypeMismatch::kQuarantine;
  if (table.on_new_field == contract::OnNewField::kFail) out->table_.on_new_field = contract::OnNewField::kQuarantine;
  for (const auto& feed : table.sources)
    if (feed.source == source) out->streams_.insert(feed.stream);
  out->number_ = number;
  ASSIGN(out->plan_, MakePlan(out->table_, build, source));
  TRY(out->facts_.Load(connection, "lake.nanohouse.stream", source));
  out->reader_ = std::make_unique<SingerRowReader>(out->plan_);
  return out;
}

bool RecordEvents::Concerns(const Record& record) const {
  if (record.flags & kReplayed || !streams_.contains(record.stream)) return false;
  if (record.kind == RecordKind::kData) return true;
  if (record.format != Format::kDebezium) return false;
  return record.kind == RecordKind::kTruncate || record.kind == RecordKind::kTombstone || (record.kind == RecordKind::kSnapshotEdge && record.bytes != kRereadEnds);
}

Status RecordEvents::Add(const Record& record, Position position, Arena& arena, std::vector<Event>& events, std::vector<Reject>& rejects) {
  if (record.format == Format::kDebezium) return AddDebezium(record, position, arena, events, rejects);
  const std::string stream(record.stream);
  const StreamFacts& facts = facts_.of(stream);
  if (!facts.seen) {
    rejects.push_back({stream, "", "", "", std::string(record.bytes.substr(0, 4096)), "is a record of a stream that has sent no SCHEMA", position,
                       record.committed_at, {}});
    return {};
  }
  return AddSingerEvent(plan_, *reader_, record, position, number_, facts, arena, events, rejects);
}

Status RecordEvents::AddDebezium(const Record& record, Position position, Arena& arena, std::vector<Event>& events,
                                 std::vector<Reject>& rejects) {
  const std::string stream(record.stream);
  if (record.kind == RecordKind::kSnapshotEdge) {
    Event reread;
    reread.op = Op::kReread;
    reread.position = position;
    reread.committed_at = record.committed_at;
    events.push_back(reread);
    return {};
  }
  const auto change = decoder_.Decode(record.bytes, record.has_value, record.key, record.has_key, record.headers, record.stream, arena);
  if (!change) {
    rejects.push_back({stream, "", "", "", std::string(record.bytes.substr(0, 4096)), change.error().message, position, record.committed_at, {}});
    return {};
  }
  std::string snapshot = SnapshotOf(*change);
  if (!snapshot.empty() && snapshot != snapshots_[stream]) {
    snapshots_[stream] = std::move(snapshot);
    if (SnapshotReplacesAll(plan_)) {
      Event begin;
      begin.op = Op::kSnapshotBegin;
      begin.position = position;
      events.push_back(begin);
    }
  }
  return AddDebeziumEvent(plan_, *change, record, position, number_, facts_.of(stream), arena, events, rejects);
}

}  // namespace nano::land
