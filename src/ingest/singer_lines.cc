// SPDX-License-Identifier: Apache-2.0
#include "ingest/singer_lines.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "wire/json_get.h"

namespace nano::ingest {

void SingerLines::Tick() {
  now_ = NowMicros();
}

Status SingerLines::Append(RecordKind kind, std::string_view stream, std::string_view bytes, std::uint64_t end) {
  if (marks_run_ && !in_run_) {
    in_run_ = true;
    TRY(Append(RecordKind::kSnapshotEdge, {}, kRunBegins, 0));
  }
  Record record;
  record.kind = kind;
  record.format = Format::kSinger;
  record.flags = kEndsTransaction;
  record.stream = stream;
  record.bytes = bytes;
  record.source_offset = end;
  record.ingested_at = now_;
  ASSIGN([[maybe_unused]] const Position position, journal_.Append(record));
  return {};
}

Status SingerLines::Take(std::string_view line, std::uint64_t end) {
  using Kind = wire::SingerMessage::Kind;
  const auto known = classifier_.Classify(line);
  RecordKind kind = RecordKind::kData;
  switch (known.kind) {
    case Kind::kBlank: return {};
    case Kind::kRecord: break;
    case Kind::kSchema: kind = RecordKind::kSchema; break;
    case Kind::kState: kind = RecordKind::kState; break;
    case Kind::kActivateVersion: kind = RecordKind::kActivateVersion; break;
    case Kind::kBatch: return BeginBatch(line, end);
    case Kind::kUnknown: kind = RecordKind::kOther; break;
    case Kind::kUnreadable: kind = RecordKind::kUnreadable; break;
  }
  ++progress_.messages;
  return Append(kind, known.stream, line, end);
}

Status SingerLines::BeginBatch(std::string_view line, std::uint64_t end) {
  Arena arena;
  ASSIGN(auto files, wire::ReadSingerBatch(wire::ParseSingerLine(line, arena)));
  batch_stream_ = files.stream;
  batch_end_ = end;
  ASSIGN(batch_, SingerBatchReader::Open(folder_, std::move(files), resumes_ ? resume_ : SingerBatchReader::Place{}));
  if (!std::exchange(resumes_, false)) {  // else it is in the journal
    ++progress_.messages;
    TRY(Append(RecordKind::kOther, batch_stream_, line, end));
  }
  return {};
}

Status SingerLines::TakeOfBatch() {
  ASSIGN(const auto state, batch_->Next(message_));
  if (state == SingerBatchReader::State::kEnd) {
    batch_.reset();
    return {};
  }
  ++progress_.messages;
  const bool is_record = state == SingerBatchReader::State::kRecord;
  return Append(is_record ? RecordKind::kData : RecordKind::kUnreadable, batch_stream_, message_, batch_end_);
}

Status SingerLines::End() {
  if (!in_run_) return {};
  TRY(Append(RecordKind::kSnapshotEdge, {}, kRunEnds, 0));
  in_run_ = false;
  return {};
}

void SingerLines::SaveTo(nlohmann::json& checkpoint) const {
  if (in_run_) checkpoint["in_run"] = true;
  if (batch_) checkpoint["batch"] = {batch_->place().files, batch_->place().lines};
  else if (resumes_) checkpoint["batch"] = {resume_.files, resume_.lines};
}

void SingerLines::GoOn(const nlohmann::json& checkpoint) {
  in_run_ = wire::Get(checkpoint, "in_run", false);
  const auto batch = wire::Get(checkpoint, "batch", nlohmann::json());
  resumes_ = batch.is_array();
  resume_ = {wire::Item(batch, 0, std::size_t{0}), wire::Item(batch, 1, std::uint64_t{0})};
}

}  // namespace nano::ingest
