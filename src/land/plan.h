// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What landing needs to know of one table: which fields of a source's records to read, as which types (inputs), and how
/// the build's columns come from them (outputs). A value, made from the contract and the build's definition.

#include <cstdint>
#include <optional>
#include <map>
#include <string>
#include <vector>

#include "base/data_type.h"
#include "contract/model.h"
#include "lake/build.h"
#include "wire/cell.h"

namespace nano::land {

/// A field of the record, read as `type`.
struct Input {
  std::vector<std::string> path;
  DataType type;
  std::string source_type;     ///< as the contract wrote it, for messages that carry no schema; may be empty
  std::string name() const;    ///< the path with dots
};

/// A column of the build: an input as it is, or an expression over inputs.
struct Output {
  std::string column;
  DataType type;
  bool not_null = false;
  std::size_t input = 0;            ///< where `expr` is empty
  std::string expr;                 ///< SQL over the source's fields
  std::vector<std::size_t> reads;   ///< inputs that `expr` reads
  std::string value = {};           ///< `expr`, exactly as the column's type (contract::ValueSql)
  std::map<std::string, std::string> fields = {};   ///< the fields that `expr` names, as SQL over the inputs `i<n>`
  lake::Mark mark = lake::Mark::kNone;              ///< a column of ours; then it has no input
};

struct TablePlan {
  lake::Build build;
  lake::Build target;               ///< where rows are put: the build, or of `mode: replace` the set that is being filled
  const contract::Table* table = nullptr;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<std::size_t> key;     ///< inputs of the source's key columns, in the key's order
  contract::Mode mode = contract::Mode::kUpsert;
  contract::Deletes deletes = contract::Deletes::kHard;
  bool has_marks = false;
  bool has_expressions = false;
  wire::Special special = wire::Special::kQuarantine;
  std::size_t sources_of_same_name = 1;   ///< how many streams of this one source feed the table

  /// The output whose value is input `n` as it is, or nullptr.
  const Output* DirectOutput(std::size_t input) const;
  bool is_history() const { return mode == contract::Mode::kHistory; }
  bool is_soft() const { return build.definition.has(lake::Mark::kDeletedAt); }
  /// Each event is a row of its own.
  bool keeps_events() const { return build.definition.has(lake::Mark::kOp); }
};

/// The set of a `mode: replace` table that one source is filling: a table beside the build's, with the same columns.
lake::Build SetOf(const lake::Build& build, const std::string& source);

/// kUnsupported: a key column that is an expression.
Result<TablePlan> MakePlan(const contract::Table& table, const lake::Build& build, const std::string& source);

}  // namespace nano::land
