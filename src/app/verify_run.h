// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `source verify` without its command line: the rows of a database's tables held against those that have landed. A row that differs
/// is read again, and the tables looked at again once they hold all that was committed until then; what still differs in the same way
/// is no delay but a divergence. Nothing is changed.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/warehouse.h"
#include "base/result.h"
#include "contract/model.h"
#include "engine/database.h"
#include "ingest/postgres_rows.h"
#include "land/shown_rows.h"

namespace nano::app {

struct VerifiedTable {
  std::string table;
  std::vector<std::string> key;                  ///< columns; none: rows are known by all of their values
  std::uint64_t rows = 0;                        ///< of the database
  std::uint64_t unfit = 0;                       ///< of these, which are in quarantine
  std::vector<land::RowDifference> diverging;
  bool more = false;                             ///< and others, which were not looked at
  std::uint64_t unsettled = 0;                   ///< rows that changed whenever they were looked at
  std::string not_compared;                      ///< why the table was passed over
};

struct VerifyAccess {
  engine::Database& database;
  engine::Connection& connection;                ///< has the lake
  /// Waits until the tables hold all that was committed in the database before it was called.
  std::function<Status(ingest::PostgresTableRows&)> catch_up;
  std::function<void(const std::string& table, std::uint64_t rows)> on_progress;
};

/// Tables of `source`: those named, or all. `most`: so many rows of a table are looked at more closely.
Result<std::vector<VerifiedTable>> VerifySource(const VerifyAccess& access, const contract::Contract& contract, const contract::Source& source,
                                                const std::vector<std::string>& tables, std::size_t most);

}  // namespace nano::app
