// SPDX-License-Identifier: Apache-2.0
#include "app/journal_rows.h"

#include <algorithm>
#include <set>

#include "app/utf8_text.h"
#include "journal/journal.h"

namespace nano::app {
namespace {

using engine::kChunkRows;
using engine::RowSource;
using engine::Vector;

enum Field : std::size_t {
  kPosition, kKind, kFormat, kStream, kKey, kValue, kHeaders, kSourceOffset, kCommittedAt, kIngestedAt, kEndsTransactionField,
  kReplayedField, kBytes, kFilledField,
};

DataType Type(TypeKind kind) { return {kind, 0, 0, {}, {}}; }

const std::vector<RowSource::Column>& Columns() {
  static const std::vector<RowSource::Column> columns = {
      {"position", Type(TypeKind::kBigint)},      {"kind", Type(TypeKind::kString)},
      {"format", Type(TypeKind::kString)},        {"stream", Type(TypeKind::kString)},
      {"key", Type(TypeKind::kString)},           {"value", Type(TypeKind::kString)},
      {"headers", Type(TypeKind::kString)},       {"source_offset", Type(TypeKind::kBigint)},
      {"committed_at", Type(TypeKind::kTimestamptz)}, {"ingested_at", Type(TypeKind::kTimestamptz)},
      {"ends_transaction", Type(TypeKind::kBoolean)}, {"replayed", Type(TypeKind::kBoolean)},
      {"bytes", Type(TypeKind::kBinary)},         {"filled", Type(TypeKind::kBoolean)}};
  return columns;
}

std::string_view KindName(RecordKind kind) {
  switch (kind) {
    case RecordKind::kData: return "data";
    case RecordKind::kSchema: return "schema";
    case RecordKind::kState: return "state";
    case RecordKind::kActivateVersion: return "activate_version";
    case RecordKind::kBegin: return "begin";
    case RecordKind::kEnd: return "end";
    case RecordKind::kTruncate: return "truncate";
    case RecordKind::kSnapshotEdge: return "snapshot_edge";
    case RecordKind::kGap: return "gap";
    case RecordKind::kTombstone: return "tombstone";
    case RecordKind::kUnreadable: return "unreadable";
    case RecordKind::kOther: return "other";
  }
  return "other";
}

std::string_view FormatName(Format format) { return format == Format::kSinger ? "singer" : "debezium"; }

class Scan final : public engine::RowScan {
 public:
  Scan(std::unique_ptr<journal::Reader> reader, Position end, std::vector<std::size_t> wanted)
      : reader_(std::move(reader)), at_(reader_ ? reader_->first() : Position{}), end_(end), wanted_(std::move(wanted)) {}

  Result<std::size_t> Fill(std::vector<Vector>& columns) override {
    std::size_t rows = 0;
    while (rows == 0 && at_ < end_) { ASSIGN(rows, FillSome(columns)); }
    return rows;
  }

 private:
  /// None where all that was looked at has expired.
  Result<std::size_t> FillSome(std::vector<Vector>& columns) {
    if (!block_ || !(at_ < block_->end())) {
      ASSIGN(block_, reader_->Read(at_));
      if (!block_ || block_->size() == 0) return Fail(Code::kCorrupt, "the journal ends before its last commit");
    }
    const std::size_t count = std::min({kChunkRows, static_cast<std::size_t>(block_->end().value - at_.value),
                                        static_cast<std::size_t>(end_.value - at_.value)});
    std::size_t row = 0;
    for (std::size_t n = 0; n < count; ++n) {
      const Position position{at_.value + n};
      const auto in_block = static_cast<std::size_t>(position.value - block_->begin().value);
      if (!block_->has(in_block)) continue;   // it expired
      const Record record = block_->record(in_block);
      for (std::size_t c = 0; c < wanted_.size(); ++c) Write(static_cast<Field>(wanted_[c]), record, position, columns[c], row);
      ++row;
    }
    at_.value += count;
    return row;
  }

  static void Text(std::string_view text, bool present, Vector& column, std::size_t row) {
    if (!present) column.SetNull(row);
    else if (IsUtf8Text(text)) column.SetString(row, text);
    else column.SetString(row, ToUtf8Text(text));
  }
  static void Time(std::int64_t micros, Vector& column, std::size_t row) {
    if (micros == kNoTime) column.SetNull(row);
    else column.data<std::int64_t>()[row] = micros;
  }
  static void Write(Field field, const Record& record, Position position, Vector& column, std::size_t row) {
    switch (field) {
      case kPosition: column.data<std::int64_t>()[row] = static_cast<std::int64_t>(position.value); return;
      case kKind: column.SetString(row, KindName(record.kind)); return;
      case kFormat: column.SetString(row, FormatName(record.format)); return;
      case kStream: Text(record.stream, !record.stream.empty(), column, row); return;
      case kKey: Text(record.key, record.has_key, column, row); return;
      case kValue: Text(record.bytes, record.has_value, column, row); return;
      case kHeaders: Text(record.headers, !record.headers.empty(), column, row); return;
      case kSourceOffset: column.data<std::int64_t>()[row] = static_cast<std::int64_t>(record.source_offset); return;
      case kCommittedAt: Time(record.committed_at, column, row); return;
      case kIngestedAt: Time(record.ingested_at, column, row); return;
      case kEndsTransactionField: column.data<bool>()[row] = (record.flags & kEndsTransaction) != 0; return;
      case kFilledField: column.data<bool>()[row] = (record.flags & kFilled) != 0; return;
      case kReplayedField: column.data<bool>()[row] = (record.flags & kReplayed) != 0; return;
      case kBytes:
        if (record.has_value && !IsUtf8Text(record.bytes)) column.SetString(row, record.bytes);
        else column.SetNull(row);
        return;
    }
  }

  std::unique_ptr<journal::Reader> reader_;
  journal::BlockPtr block_;
  Position at_, end_;
  std::vector<std::size_t> wanted_;
};

class JournalRows final : public RowSource {
 public:
  explicit JournalRows(std::filesystem::path folder) : folder_(std::move(folder)) {}
  const std::vector<Column>& columns() const override { return Columns(); }
  Result<std::unique_ptr<engine::RowScan>> Open(std::vector<std::size_t> wanted, const engine::Cursor&) override {
    ASSIGN(auto reader, journal::Reader::Open(folder_));
    ASSIGN(const journal::Tail tail, reader->Refresh());
    return std::unique_ptr<engine::RowScan>(std::make_unique<Scan>(std::move(reader), tail.end, std::move(wanted)));
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace

std::shared_ptr<RowSource> MakeJournalRows(const std::filesystem::path& folder) { return std::make_shared<JournalRows>(folder); }

Status AttachJournals(engine::Database& database, engine::Connection& connection, const std::filesystem::path& folder) {
  std::set<std::filesystem::path> journals;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->is_directory(error)) journals.insert(entry->path());
  TRY(connection.Execute("ATTACH ':memory:' AS journal"));
  for (const auto& journal : journals) {
    const std::int64_t handle = database.Register(MakeJournalRows(journal));
    TRY(connection.Execute("CREATE VIEW journal.main." + engine::Quote(journal.filename().string()) + " AS SELECT * FROM nano_rows(" +
                           std::to_string(handle) + ")"));
  }
  return {};
}

}  // namespace nano::app
