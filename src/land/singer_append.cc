// SPDX-License-Identifier: Apache-2.0
#include "land/singer_append.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>

#include "land/cell_writer.h"
#include "land/rules.h"
#include "land/singer_row_reader.h"

namespace nano::land {
namespace {

using engine::RowScan;
using engine::RowSource;
using engine::Vector;
using wire::Cell;

/// As many threads as DuckDB has.
constexpr std::size_t kManyThreads = 1024;

/// A record where it lies, with its row's place.
struct RawRow {
  std::string_view bytes;
  std::int64_t row_position = 0;
  std::int64_t committed_at = kNoTime;
};

class RawRows final : public RowSource {
 public:
  RawRows(const TablePlan& plan, const StreamFacts& facts, const std::string& stream, std::int64_t number,
          std::vector<RawSpan> spans, MoreSpans more)
      : plan_(plan), facts_(facts), stream_(stream), number_(number), streaming_(more != nullptr), more_(std::move(more)),
        spans_(std::move(spans)) {
    for (const RawSpan& span : spans_) rows_ += span.end - span.begin;
    columns_.push_back({lake::kPositionColumn, {TypeKind::kBigint, 0, 0, {}, {}}});
    columns_.push_back({lake::kCommittedAtColumn, {TypeKind::kTimestamptz, 0, 0, {}, {}}});
    for (const auto& output : plan.outputs) columns_.push_back({output.column, output.type});
  }
  const std::vector<Column>& columns() const override { return columns_; }
  std::size_t max_threads() const override { return streaming_ ? kManyThreads : rows_ / (2 * engine::kChunkRows) + 1; }
  std::uint64_t cardinality() const override { return streaming_ ? 0 : rows_; }
  /// Hands out a span; false at the end.
  bool NextSpan(RawSpan& out) {
    const std::lock_guard lock(span_mutex_);
    while (next_ == spans_.size()) {
      spans_.clear();
      next_ = 0;
      if (!more_ || !more_(spans_)) {
        more_ = nullptr;
        return false;
      }
    }
    out = std::move(spans_[next_++]);
    return true;
  }
  Result<std::unique_ptr<RowScan>> Open(std::vector<std::size_t> wanted, const engine::Cursor&) override;

  std::uint64_t written() const { return written_; }
  std::vector<Reject>& rejects() { return rejects_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  class Scan;
  const TablePlan& plan_;
  const StreamFacts& facts_;
  const std::string& stream_;
  const std::int64_t number_;
  const bool streaming_;
  std::uint64_t rows_ = 0;
  std::vector<Column> columns_;
  std::mutex span_mutex_;            // guards the three that follow
  MoreSpans more_;
  std::vector<RawSpan> spans_;
  std::size_t next_ = 0;             ///< span that is handed out next
  std::atomic<std::uint64_t> written_ = 0;
  std::mutex mutex_;                 // guards what follows
  std::vector<Reject> rejects_;
  std::optional<Error> failure_;
};

class RawRows::Scan final : public RowScan {
 public:
  Scan(RawRows& source, std::vector<std::size_t> wanted)
      : source_(source), wanted_(std::move(wanted)), reader_(source.plan_), cells_(source.plan_.inputs.size()) {}

  /// Fills a chunk from span after span; a span that is not used up is gone on with by the same thread.
  Result<std::size_t> Fill(std::vector<Vector>& columns) override {
    std::size_t row = 0;
    arena_.Reset();
    while (row < engine::kChunkRows) {
      if (at_ == span_.end) {
        span_ = {};
        at_ = 0;
        if (!source_.NextSpan(span_)) break;
        at_ = span_.begin;
        continue;
      }
      const Record record = span_.block->record(at_);
      const RawRow raw{record.bytes, lake::RowPosition(source_.number_, Position{span_.block->begin().value + at_}),
                       record.committed_at != kNoTime ? record.committed_at : record.ingested_at};
      ++at_;
      ASSIGN(const bool fits, ReadRow(raw));
      if (fits) WriteRow(raw, columns, row++);
    }
    source_.written_ += row;
    return row;
  }

 private:
  Result<bool> ReadRow(const RawRow& raw) {
    std::string_view unreadable;
    const bool readable = reader_.Read(raw.bytes, arena_, cells_, unreadable);
    bool missing = false;
    for (const auto& output : source_.plan_.outputs)
      missing = missing || (output.not_null && cells_[output.input].kind != Cell::Kind::kValue);
    if (readable && reader_.misfits().empty() && reader_.unknown().empty() && !missing) [[likely]] return true;
    return Judge(raw, readable, unreadable);
  }

  /// The slow way of the few rows with something to say.
  Result<bool> Judge(const RawRow& raw, bool readable, std::string_view unreadable) {
    Event event;
    event.position = Position{static_cast<std::uint64_t>(raw.row_position) & 0xffffffffffffULL};
    event.committed_at = raw.committed_at;
    event.after = cells_;
    std::vector<Reject> rejects;
    if (!readable) {
      event.rejected = true;
      rejects.push_back({source_.stream_, source_.plan_.table->name, source_.plan_.build.id, "", std::string(raw.bytes.substr(0, 4096)),
                         std::string(unreadable), event.position, raw.committed_at, {}});
    } else {
      std::vector<Misfit> misfits;
      for (const auto& misfit : reader_.misfits()) misfits.push_back({misfit.field, std::string(misfit.token), misfit.reason});
      TRY(Told(JudgeRow(source_.plan_, source_.stream_, event, misfits, rejects)));
      for (const auto& field : reader_.unknown())
        if (field.token != "null" && !source_.facts_.fields.count(std::string(field.name)))
          TRY(Told(JudgeNewField(source_.plan_, source_.stream_, event, field.name, field.token, rejects)));
    }
    const std::lock_guard lock(source_.mutex_);
    for (auto& reject : rejects) source_.rejects_.push_back(std::move(reject));
    return !event.rejected;
  }

  /// Keeps the whole error, of which DuckDB hands on only the text.
  Status Told(Status status) {
    if (!status) {
      const std::lock_guard lock(source_.mutex_);
      if (!source_.failure_) source_.failure_ = status.error();
    }
    return status;
  }

  void WriteRow(const RawRow& raw, std::vector<Vector>& columns, std::size_t row) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (wanted_[c] == 0) {
        columns[c].data<std::int64_t>()[row] = raw.row_position;
      } else if (wanted_[c] == 1) {
        if (raw.committed_at == kNoTime) columns[c].SetNull(row);
        else columns[c].data<std::int64_t>()[row] = raw.committed_at;
      } else {
        const Output& output = source_.plan_.outputs[wanted_[c] - 2];
        WriteCell(output.type, cells_[output.input], columns[c], row);
      }
    }
  }

  RawRows& source_;
  std::vector<std::size_t> wanted_;
  SingerRowReader reader_;
  std::vector<Cell> cells_;
  Arena arena_;
  RawSpan span_;
  std::size_t at_ = 0;
};

Result<std::unique_ptr<RowScan>> RawRows::Open(std::vector<std::size_t> wanted, const engine::Cursor&) {
  return std::unique_ptr<RowScan>(std::make_unique<Scan>(*this, std::move(wanted)));
}

}  // namespace

bool IsPlainAppend(const TablePlan& plan) {
  return plan.build.definition.identity == lake::Identity::kNone && !plan.has_expressions && !plan.has_marks;
}

Result<std::uint64_t> AppendSingerRows(lake::Writer& writer, const TablePlan& plan, const StreamFacts& facts, const std::string& stream,
                                       std::int64_t number, std::vector<RawSpan> spans, const MoreSpans& more,
                                       std::vector<Reject>& rejects) {
  const auto source = std::make_shared<RawRows>(plan, facts, stream, number, std::move(spans), more);
  const std::int64_t handle = writer.database().Register(source);
  const Status inserted = writer.Append("build", plan.target.id, fmt::format("SELECT * FROM nano_rows({})", handle));
  writer.database().Release(handle);
  if (source->failure()) return tl::make_unexpected(*source->failure());
  if (!inserted) return tl::make_unexpected(inserted.error());
  for (auto& reject : source->rejects()) rejects.push_back(std::move(reject));
  return source->written();
}

}  // namespace nano::land
