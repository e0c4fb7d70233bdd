// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The rows that a database shows now, decoded as landing decodes them, held against those that a table has. Changes nothing but
/// temporary tables of the connection. One thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "land/record_events.h"
#include "land/resolve.h"

namespace nano::land {

/// A row in which table and database differ.
struct RowDifference {
  enum class What : std::uint8_t {
    kMissing,   ///< the table lacks it
    kExtra,     ///< the database has it not
    kDiffers,   ///< in `columns`
  };
  What what = What::kDiffers;
  std::vector<std::optional<std::string>> key;   ///< values of key_columns(), as PostgreSQL reads them; of all columns where rows have no key
  std::vector<std::string> columns;
  std::string state;                             ///< of both sides: the same text, the same rows
  std::uint64_t times = 1;                       ///< of equal rows
};

class ShownRows {
 public:
  static Result<std::unique_ptr<ShownRows>> Make(const contract::Table& table, const lake::Build& build, const std::string& source,
                                                 engine::Database& database, engine::Connection& connection);
  ~ShownRows();

  /// Forgets all rows.
  Status Clear();
  /// A record of a row that is read. Its bytes are not kept.
  Status Add(const Record& record);
  std::uint64_t rows() const { return rows_; }
  /// Of these, which do not fit the table: they are in quarantine, and count on neither side.
  std::uint64_t unfit() const { return unfit_; }

  /// The columns of the table by which rows are known, and the source's fields behind them; none: rows are known by all of their values.
  const std::vector<std::string>& key_columns() const { return key_; }
  const std::vector<std::string>& key_fields() const { return fields_; }

  /// At most `most` rows that differ. `only`: among the rows with the keys of these.
  Result<std::vector<RowDifference>> Compare(std::size_t most, const std::vector<RowDifference>* only = nullptr);

 private:
  ShownRows(engine::Database& database, engine::Connection& connection) : database_(database), connection_(connection) {}
  Status Flush();
  std::string KeyText(const std::string& row) const;
  Result<std::vector<RowDifference>> CompareByKey(std::size_t most, const std::vector<RowDifference>* only);
  Result<std::vector<RowDifference>> CompareWholeRows(std::size_t most);

  engine::Database& database_;
  engine::Connection& connection_;
  contract::Table table_;
  std::unique_ptr<RecordEvents> events_;
  std::optional<std::int64_t> only_source_;
  std::vector<std::string> key_, fields_;
  Arena arena_;
  std::vector<FinalRow> waiting_;
  std::vector<std::span<const wire::Cell>> unfit_keys_;
  std::uint64_t rows_ = 0, unfit_ = 0;
};

}  // namespace nano::land
