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

/// Rows that one thread takes at a time.
constexpr std::size_t kMorsel = engine::kChunkRows;

class RawRows final : public RowSource {
 public:
  RawRows(const TablePlan& plan, const StreamFacts& facts, const std::string& stream, const std::vector<RawRow>& rows)
      : plan_(plan), facts_(facts), stream_(stream), rows_(rows) {
    columns_.push_back({lake::kPositionColumn, {TypeKind::kBigint, 0, 0, {}, {}}});
    columns_.push_back({lake::kCommittedAtColumn, {TypeKind::kTimestamptz, 0, 0, {}, {}}});
    for (const auto& output : plan.outputs) columns_.push_back({output.column, output.type});
  }
  const std::vector<Column>& columns() const override { return columns_; }
  std::size_t max_threads() const override { return rows_.size() / (2 * kMorsel) + 1; }
  std::uint64_t cardinality() const override { return rows_.size(); }
  Result<std::unique_ptr<RowScan>> Open(std::vector<std::size_t> wanted) override;

  std::uint64_t written() const { return written_; }
  std::vector<Reject>& rejects() { return rejects_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  class Scan;
  const TablePlan& plan_;
  const StreamFacts& facts_;
  const std::string& stream_;
  const std::vector<RawRow>& rows_;
  std::vector<Column> columns_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::uint64_t> written_ = 0;
  std::mutex mutex_;                 // guards what follows
  std::vector<Reject> rejects_;
  std::optional<Error> failure_;
};

class RawRows::Scan final : public RowScan {
 public:
  Scan(RawRows& source, std::vector<std::size_t> wanted)
      : source_(source), wanted_(std::move(wanted)), reader_(source.plan_), cells_(source.plan_.inputs.size()) {}

  Result<std::size_t> Fill(std::vector<Vector>& columns) override {
    while (true) {  // a morsel may be all rejected
      const std::size_t begin = source_.next_.fetch_add(kMorsel);
      if (begin >= source_.rows_.size()) return std::size_t{0};
      const std::size_t end = std::min(begin + kMorsel, source_.rows_.size());
      std::size_t row = 0;
      arena_.Reset();
      for (std::size_t n = begin; n < end; ++n) {
        ASSIGN(const bool fits, ReadRow(source_.rows_[n]));
        if (!fits) continue;
        WriteRow(source_.rows_[n], columns, row++);
      }
      if (row == 0) continue;
      source_.written_ += row;
      return row;
    }
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
};

Result<std::unique_ptr<RowScan>> RawRows::Open(std::vector<std::size_t> wanted) {
  return std::unique_ptr<RowScan>(std::make_unique<Scan>(*this, std::move(wanted)));
}

}  // namespace

bool IsPlainAppend(const TablePlan& plan) {
  return plan.build.definition.identity == lake::Identity::kNone && !plan.has_expressions;
}

Result<std::uint64_t> AppendSingerRows(lake::Writer& writer, const TablePlan& plan, const StreamFacts& facts, const std::string& stream,
                                       const std::vector<RawRow>& rows, std::vector<Reject>& rejects) {
  const auto source = std::make_shared<RawRows>(plan, facts, stream, rows);
  const std::int64_t handle = writer.database().Register(source);
  const Status inserted =
      writer.connection().Execute(fmt::format("INSERT INTO {} SELECT * FROM nano_rows({})", lake::BuildTable(plan.build.id), handle));
  writer.database().Release(handle);
  if (source->failure()) return tl::make_unexpected(*source->failure());
  if (!inserted) return tl::make_unexpected(inserted.error());
  for (auto& reject : source->rejects()) rejects.push_back(std::move(reject));
  return source->written();
}

}  // namespace nano::land
