// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/database.h"
#include "engine/row_source.h"
#include "io/fault.h"
#include "io/files.h"
#include "journal/base.h"
#include "journal/format.h"
#include "journal/segment.h"
#include "wire/utf8.h"

namespace nano::journal {
namespace {

using engine::Vector;

DataType Type(TypeKind kind) { return {kind, 0, 0, {}, {}}; }

/// Texts that are no UTF-8 stand in the column of bytes behind their own.
const std::vector<engine::RowSource::Column>& Columns() {
  static const std::vector<engine::RowSource::Column> columns = {
      {"position", Type(TypeKind::kBigint)},          {"kind", Type(TypeKind::kInt)},
      {"format", Type(TypeKind::kInt)},               {"flags", Type(TypeKind::kInt)},
      {"stream", Type(TypeKind::kString)},            {"stream_bytes", Type(TypeKind::kBinary)},
      {"key", Type(TypeKind::kString)},               {"key_bytes", Type(TypeKind::kBinary)},
      {"value", Type(TypeKind::kString)},             {"value_bytes", Type(TypeKind::kBinary)},
      {"headers", Type(TypeKind::kString)},           {"headers_bytes", Type(TypeKind::kBinary)},
      {"source_offset", Type(TypeKind::kBigint)},     {"committed_at", Type(TypeKind::kTimestamptz)},
      {"ingested_at", Type(TypeKind::kTimestamptz)}};
  return columns;
}

void PutText(std::string_view text, bool present, Vector& as_text, Vector& as_bytes, std::size_t row) {
  const bool readable = present && wire::IsUtf8(text);
  if (readable) as_text.SetString(row, text);
  else as_text.SetNull(row);
  if (present && !readable) as_bytes.SetString(row, text);
  else as_bytes.SetNull(row);
}

void PutTime(std::int64_t micros, Vector& column, std::size_t row) {
  if (micros == kNoTime) column.SetNull(row);
  else column.data<std::int64_t>()[row] = micros;
}

class FeedScan final : public engine::RowScan {
 public:
  FeedScan(const BaseFeed& feed, Position end, std::vector<std::size_t> wanted) : feed_(feed), end_(end), wanted_(std::move(wanted)) {}

  Result<std::size_t> Fill(std::vector<Vector>& columns) override {
    if (wanted_.size() != Columns().size()) return Fail(Code::kInternal, "a base image has all columns");
    std::size_t row = 0;
    for (; row < engine::kChunkRows; ++row) {
      ASSIGN(const auto next, feed_());
      if (!next) break;
      if (next->position < from_ || next->position >= end_) return Fail(Code::kInternal, "a record of the base image is not in its place");
      from_ = Position{next->position.value + 1};
      Put(*next, columns, row);
    }
    return row;
  }

 private:
  void Put(const BaseRecord& base, std::vector<Vector>& sorted, std::size_t row) const {
    std::vector<Vector*> to(sorted.size());
    for (std::size_t n = 0; n < wanted_.size(); ++n) to[wanted_[n]] = &sorted[n];
    const Record& record = base.record;
    to[0]->data<std::int64_t>()[row] = static_cast<std::int64_t>(base.position.value);
    to[1]->data<std::int32_t>()[row] = static_cast<std::int32_t>(record.kind);
    to[2]->data<std::int32_t>()[row] = static_cast<std::int32_t>(record.format);
    to[3]->data<std::int32_t>()[row] = record.flags;
    PutText(record.stream, !record.stream.empty(), *to[4], *to[5], row);
    PutText(record.key, record.has_key, *to[6], *to[7], row);
    PutText(record.bytes, record.has_value, *to[8], *to[9], row);
    PutText(record.headers, !record.headers.empty(), *to[10], *to[11], row);
    to[12]->data<std::int64_t>()[row] = static_cast<std::int64_t>(record.source_offset);
    PutTime(record.committed_at, *to[13], row);
    PutTime(record.ingested_at, *to[14], row);
  }

  const BaseFeed& feed_;
  Position from_, end_;
  std::vector<std::size_t> wanted_;
};

class FeedRows final : public engine::RowSource {
 public:
  FeedRows(const BaseFeed& feed, Position end) : feed_(feed), end_(end) {}
  const std::vector<Column>& columns() const override { return Columns(); }
  Result<std::unique_ptr<engine::RowScan>> Open(std::vector<std::size_t> wanted, const engine::Cursor&) override {
    return std::unique_ptr<engine::RowScan>(std::make_unique<FeedScan>(feed_, end_, std::move(wanted)));
  }

 private:
  const BaseFeed& feed_;
  Position end_;
};

Status Remove(const std::filesystem::path& path) {
  TRY(io::PassOrFail("base.remove"));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return Fail(Code::kUnavailable, "could not remove \"{}\": {}", path.string(), std::strerror(errno));
  return {};
}

}  // namespace

Status WriteBase(const std::filesystem::path& folder, const std::string& source, Position end, const BaseFeed& feed) {
  engine::Options options;
  options.threads = 1;
  options.memory_limit = "256MB";
  options.extensions = {};
  ASSIGN(const auto database, engine::Database::Open(options));
  ASSIGN(const auto connection, database->Connect());
  const std::filesystem::path path = folder / BaseName(end);
  const std::filesystem::path temporary = path.string() + ".tmp";
  TRY(io::PassOrFail("base.write"));
  const std::int64_t handle = database->Register(std::make_shared<FeedRows>(feed, end));
  const Status written = connection->Execute(fmt::format(
      "COPY (SELECT * FROM nano_rows({})) TO {} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, "
      "KV_METADATA {{nanohouse_base: '{}', nanohouse_source: {}, nanohouse_end: '{}'}})",
      handle, engine::Literal(temporary.string()), kBaseFormatNumber, engine::Literal(source), end.value));
  database->Release(handle);
  TRY(written);
  TRY(io::SyncFile(temporary, "base"));
  TRY(io::RenameFile(temporary, path, "base"));
  return io::SyncFolder(folder, "base");
}

Status DropExpired(const std::filesystem::path& folder, Position end) {
  std::vector<std::filesystem::path> gone;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), last; !error && entry != last; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const auto segment = ParseSegmentName(name);
    const auto base = ParseBaseName(name);
    if ((segment && *segment < end) || (base && *base < end) || name.ends_with(std::string(kBaseSuffix) + ".tmp")) gone.push_back(entry->path());
  }
  if (error) return Fail(Code::kUnavailable, "could not list folder \"{}\": {}", folder.string(), error.message());
  if (gone.empty()) return {};
  std::sort(gone.begin(), gone.end());   // the oldest first: what is left has no gap
  for (const auto& path : gone) TRY(Remove(path));
  return io::SyncFolder(folder, "base.remove");
}

Result<Position> EndOfExpired(const std::filesystem::path& folder, Position landed, std::int64_t before) {
  ASSIGN(const auto segments, ListSegments(folder));
  ASSIGN(const auto base, FindBase(folder));
  Position end = base.value_or(Position{});
  for (std::size_t n = 0; n + 1 < segments.size(); ++n) {
    if (segments[n] < end) continue;   // in the base image already
    ASSIGN(const auto next, Segment::Open(folder / SegmentName(segments[n + 1])));
    TRY(next->Scan());
    // The last segment needs the checkpoint of the one before until it has its own.
    if (!next->has_commit() || next->first() > landed) break;
    ASSIGN(const auto segment, Segment::Open(folder / SegmentName(segments[n])));
    TRY(segment->Scan());
    if (segment->end() != next->first() || segment->end() == segment->first()) break;   // damage is told by whoever reads it
    ASSIGN(const BlockPtr block, segment->Read(Position{segment->end().value - 1}));
    const std::int64_t ingested = block->record(block->size() - 1).ingested_at;
    if (ingested != kNoTime && ingested >= before) break;
    end = segment->end();
  }
  return end;
}

}  // namespace nano::journal
