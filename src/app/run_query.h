// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One query on a connection, written out in one of the formats. The engine casts every column to text (nested ones to
/// JSON for the JSON formats), so values are exact; rows are streamed, so memory does not grow with them. Main thread;
/// Connection::Interrupt() ends it.

#include <map>
#include <optional>
#include <string>

#include "app/output.h"
#include "app/terminal.h"
#include "base/result.h"
#include "engine/database.h"

namespace nano::app {

enum class QueryFormat { kTable, kJson, kJsonLines, kCsv, kParquet };

struct QueryOptions {
  QueryFormat format = QueryFormat::kTable;
  std::map<std::string, std::string> parameters;   ///< $name -> value; takes the type of what it meets, as a literal does
  Terminal terminal;
  std::optional<std::size_t> max_rows;             ///< of a table
};

/// Writes the result of `sql` to `output`.  kInvalid: not one statement that reads, or the engine refused it; a
/// parameter that is missing, or not in the statement.
Status RunQuery(engine::Connection& connection, const std::string& sql, const QueryOptions& options, Output& output);

/// The same as a Parquet file.
Status RunQueryToParquet(engine::Connection& connection, const std::string& sql, const QueryOptions& options, const std::string& path);

}  // namespace nano::app
