// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which row is asked about, by the values of its columns: a table's key, or any columns of a table without one.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "land/plan.h"

namespace nano::land {

/// `column = value`; the value as text, in any spelling that the column's type takes.
struct Condition {
  std::string column, value;
};

class RowMatcher {
 public:
  /// kInvalid: a column that the table lacks, or that is an expression, or no part of its key; a missing part of the key; a
  /// value that its column can't hold. The hint says what is wanted.
  static Result<RowMatcher> Make(const TablePlan& plan, const std::vector<Condition>& conditions);

  bool keyed() const { return keyed_; }
  /// Whether the image (a cell for each input) has these values.
  bool Matches(const TablePlan& plan, std::span<const wire::Cell> image) const;
  /// The canonical key that is asked for.
  const std::string& key() const { return key_; }
  /// Columns, in the key's order where there is one, and their inputs and cells.
  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::size_t>& inputs() const { return inputs_; }
  std::span<const wire::Cell> cells() const { return cells_; }

 private:
  bool keyed_ = false;
  std::vector<std::string> columns_;
  std::vector<std::size_t> inputs_;
  std::string key_;
  std::vector<std::string> canonical_;   ///< of each cell
  Arena arena_;
  std::span<wire::Cell> cells_;
};

}  // namespace nano::land
