// SPDX-License-Identifier: Apache-2.0
#include "land/cell_rows.h"

#include <atomic>

#include "land/cell_writer.h"

namespace nano::land {
namespace {

using engine::kChunkRows;
using engine::RowScan;
using engine::RowSource;
using engine::Vector;

const DataType kBigint{TypeKind::kBigint, 0, 0, {}, {}};
const DataType kTimestamptz{TypeKind::kTimestamptz, 0, 0, {}, {}};
const DataType kBoolean{TypeKind::kBoolean, 0, 0, {}, {}};

/// Hands out row numbers to the scanning threads, a chunk at a time; what a column of a row holds is the subclass's.
class RowsByNumber : public RowSource {
 public:
  RowsByNumber(std::vector<Column> columns, std::size_t rows) : columns_(std::move(columns)), rows_(rows) {}
  const std::vector<Column>& columns() const override { return columns_; }
  std::size_t max_threads() const override { return rows_ / (4 * kChunkRows) + 1; }
  std::uint64_t cardinality() const override { return rows_; }
  Result<std::unique_ptr<RowScan>> Open(std::vector<std::size_t> wanted, const engine::Cursor& cursor) override;
  virtual void Write(std::size_t column, std::size_t row, Vector& vector, std::size_t at) const = 0;

 private:
  class Scan;
  std::vector<Column> columns_;
  std::size_t rows_;
};

class RowsByNumber::Scan final : public RowScan {
 public:
  Scan(const RowsByNumber& source, engine::Cursor next, std::vector<std::size_t> wanted)
      : source_(source), next_(std::move(next)), wanted_(std::move(wanted)) {}
  Result<std::size_t> Fill(std::vector<Vector>& columns) override {
    const std::size_t begin = next_->fetch_add(kChunkRows);
    if (begin >= source_.rows_) return std::size_t{0};
    const std::size_t count = std::min(kChunkRows, source_.rows_ - begin);
    for (std::size_t c = 0; c < columns.size(); ++c)
      for (std::size_t r = 0; r < count; ++r) source_.Write(wanted_[c], begin + r, columns[c], r);
    return count;
  }

 private:
  const RowsByNumber& source_;
  engine::Cursor next_;
  std::vector<std::size_t> wanted_;
};

/// Staged rows of one table.
class FinalRows final : public RowsByNumber {
 public:
  FinalRows(std::vector<Column> columns, const std::vector<Input>& inputs, const std::vector<FinalRow>& rows,
            const std::vector<std::size_t>& unsent)
      : RowsByNumber(std::move(columns), rows.size()), inputs_(inputs), rows_(rows), unsent_(unsent) {}
  void Write(std::size_t column, std::size_t row, Vector& vector, std::size_t at) const override {
    const FinalRow& final_row = rows_[row];
    switch (column) {
      case 0: vector.data<std::int64_t>()[at] = final_row.row_position; return;
      case 1:
        if (final_row.committed_at == kNoTime) vector.SetNull(at);
        else vector.data<std::int64_t>()[at] = final_row.committed_at;
        return;
      case 2:
        if (final_row.origin < 0) vector.SetNull(at);
        else vector.data<std::int64_t>()[at] = final_row.origin;
        return;
      case 3:
        if (final_row.deleted_at == kNoTime) vector.SetNull(at);
        else vector.data<std::int64_t>()[at] = final_row.deleted_at;
        return;
      case 4:
        if (final_row.op == 0) vector.SetNull(at);
        else vector.SetString(at, {&final_row.op, 1});
        return;
      default: break;
    }
    column -= 5;
    if (column < inputs_.size()) {
      WriteCell(inputs_[column].type, final_row.cells[column], vector, at);
      return;
    }
    vector.data<bool>()[at] = final_row.cells[unsent_[column - inputs_.size()]].kind == wire::Cell::Kind::kUnchanged;
  }

 private:
  const std::vector<Input>& inputs_;
  const std::vector<FinalRow>& rows_;
  const std::vector<std::size_t> unsent_;
};

class CellTable final : public RowsByNumber {
 public:
  CellTable(std::vector<Column> columns, std::vector<std::span<const wire::Cell>> rows)
      : RowsByNumber(std::move(columns), rows.size()), rows_(std::move(rows)) {}
  void Write(std::size_t column, std::size_t row, Vector& vector, std::size_t at) const override {
    WriteCell(columns()[column].type, rows_[row][column], vector, at);
  }

 private:
  std::vector<std::span<const wire::Cell>> rows_;
};

Result<std::unique_ptr<RowScan>> RowsByNumber::Open(std::vector<std::size_t> wanted, const engine::Cursor& cursor) {
  return std::unique_ptr<RowScan>(std::make_unique<Scan>(*this, cursor, std::move(wanted)));
}

}  // namespace

std::shared_ptr<RowSource> MakeRowSource(const std::vector<Input>& inputs, const std::vector<FinalRow>& rows,
                                         const std::vector<std::size_t>& unsent) {
  std::vector<RowSource::Column> columns{{"_position", kBigint},         {"_committed_at", kTimestamptz}, {"_origin", kBigint},
                                         {"_deleted_at", kTimestamptz},  {"_op", {}}};
  for (std::size_t i = 0; i < inputs.size(); ++i) columns.push_back({"i" + std::to_string(i), inputs[i].type});
  for (const std::size_t n : unsent) columns.push_back({"u" + std::to_string(n), kBoolean});
  return std::make_shared<FinalRows>(std::move(columns), inputs, rows, unsent);
}

std::shared_ptr<RowSource> MakeCellSource(std::vector<RowSource::Column> columns, std::vector<std::span<const wire::Cell>> rows) {
  return std::make_shared<CellTable>(std::move(columns), std::move(rows));
}

}  // namespace nano::land
