// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A table's decoded rows and keys as relations that SQL can read, inside the open transaction of the lake. What it hands
/// out lives as long as it does.

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "engine/row_source.h"
#include "lake/lake.h"
#include "land/plan.h"
#include "land/resolve.h"
#include "land/table_sql.h"

namespace nano::land {

/// Cells that are made, not read.
wire::Cell BigintCell(std::int64_t value);
wire::Cell TextCell(std::string_view value);
wire::Cell NullCell();

class Staging {
 public:
  Staging(lake::Writer& writer, const TablePlan& plan, Arena& arena) : writer_(writer), plan_(plan), arena_(arena) {}
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  engine::Connection& connection() { return writer_.connection(); }
  std::string table() const { return lake::BuildTable(plan_.target.id); }

  /// Registers a source.
  std::string Hold(std::shared_ptr<engine::RowSource> source);
  /// A relation of the source's key columns.
  std::string Keys(const std::vector<std::span<wire::Cell>>& keys);
  /// `a.key = b.key`, of the source's key columns.
  std::string KeyEqual(const std::string& a, const std::string& b) const;
  /// The columns of keys, behind `columns`.
  std::vector<engine::RowSource::Column> KeyColumns(std::vector<engine::RowSource::Column> columns) const;
  /// The source's key columns, quoted, with commas; each after `prefix`.
  std::string KeyList(const std::string& prefix = "") const;

  /// `SELECT <the build's columns> FROM …` of decoded rows; `extra` is put behind the columns. Values that the source did
  /// not send are taken from the table's own rows, so it is to be run before these go (`reads_table`).
  struct Select {
    std::string sql;
    bool reads_table = false;
  };
  Result<Select> Rows(const Resolved& resolved, const std::string& extra = "");
  /// `_n` and the columns of the row that each row of `keys` (`_n` and the source's key) names; of a history the present one.
  Result<std::string> RowsOf(const std::string& keys);
  /// A relation of one row: when (`_at`), and by which position (`_by`).
  std::string Cause(std::int64_t at, std::int64_t row_position);
  /// Rows that go, by all columns, with `_times`.
  std::string Vanished(const std::vector<Resolved::Vanished>& vanished);

 private:
  std::vector<std::size_t> Unsent(const Resolved& resolved) const;
  std::string SelectList(const std::vector<std::size_t>& unsent) const;
  std::shared_ptr<engine::RowSource> Origins(const Resolved& resolved);

  lake::Writer& writer_;
  const TablePlan& plan_;
  Arena& arena_;
  std::deque<Registered> held_;
  std::vector<std::unique_ptr<std::vector<FinalRow>>> rows_;   ///< made here, and read by what is held
};

}  // namespace nano::land
