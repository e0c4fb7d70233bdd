// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What became of one row: every record of the journals that touched it, decoded as landing decodes it, with the row that
/// came of it and what of it is in quarantine, and the row as it is now. Reads only; one thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/layout.h"
#include "contract/model.h"
#include "lake/reader.h"
#include "land/row_matcher.h"

namespace nano::land {

/// SQL that gives a value as text, of an expression and its DuckDB type.
using ValueText = std::function<std::string(const std::string& expression, const std::string& duckdb_type)>;

struct RowValue {
  std::string column;
  std::optional<std::string> text;   ///< nullopt: NULL
  bool unsent = false;               ///< the source did not send it, as it had not changed
};

/// What does not fit: by today's schema, or as quarantine has it.
struct Misfitting {
  std::string column, value, reason;
};

/// One record that touched the row.
struct HistoryEntry {
  std::string source, stream;
  Position position;
  std::int64_t committed_at = kNoTime;
  std::string operation;                    ///< insert, read, update, delete, truncate, tombstone, snapshot
  std::string message, message_key;         ///< as they came
  bool has_message = true, has_key = false;
  bool landed = true;                       ///< false: the record is in the journal, landing has not come to it
  bool moves_away = false;                  ///< the row gets another key, that of `row`
  std::vector<RowValue> old_key;            ///< of a row that had another key before
  bool has_row = false;
  std::vector<RowValue> row;                ///< after casts and expressions
  std::vector<Misfitting> misfits;          ///< why there is no row, by today's schema
  std::vector<Misfitting> quarantine;       ///< its entries
};

/// A row of the table now.
struct PresentRow {
  std::string source;                       ///< of its last change; empty where unknown
  Position position;
  std::vector<RowValue> values;
};

struct History {
  std::vector<std::string> key;             ///< the columns that were asked for; the key's where there is one
  bool keyed = false;
  std::vector<HistoryEntry> entries;        ///< by source, then position
  std::vector<PresentRow> now;
  std::vector<std::string> expired;         ///< sources whose journal does not begin at their first record
};

/// kNotFound: nothing of the table is known yet; kInvalid: as RowMatcher::Make().
Result<History> ReadHistory(lake::Reader& lake, const contract::Layout& layout, const contract::Table& table,
                            const lake::Build& build, const std::vector<Condition>& conditions, const ValueText& text);

}  // namespace nano::land
