// SPDX-License-Identifier: Apache-2.0
#include "ingest/singer_lines.h"

#include <chrono>

namespace nano::ingest {

void SingerLines::Tick() {
  now_ = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Status SingerLines::Take(std::string_view line, std::uint64_t end) {
  using Kind = wire::SingerMessage::Kind;
  const auto known = classifier_.Classify(line);
  Record record;
  switch (known.kind) {
    case Kind::kBlank: return {};
    case Kind::kRecord: record.kind = RecordKind::kData; break;
    case Kind::kSchema: record.kind = RecordKind::kSchema; break;
    case Kind::kState: record.kind = RecordKind::kState; break;
    case Kind::kActivateVersion: record.kind = RecordKind::kActivateVersion; break;
    case Kind::kBatch:
      return WithHint(Fail(Code::kUnsupported, "stream \"{}\" sends BATCH messages, which are not supported yet", known.stream),
                      "Remove batch_config from the tap's config, so that it sends RECORD messages.");
    case Kind::kUnknown: record.kind = RecordKind::kOther; break;
    case Kind::kUnreadable: record.kind = RecordKind::kUnreadable; break;
  }
  record.format = Format::kSinger;
  record.flags = kEndsTransaction;
  record.stream = known.stream;
  record.bytes = line;
  record.source_offset = end;
  record.ingested_at = now_;
  ++progress_.messages;
  ASSIGN([[maybe_unused]] const Position position, journal_.Append(record));
  return {};
}

}  // namespace nano::ingest
