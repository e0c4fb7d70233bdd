// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a table says of its source's rows as they are now, whatever its mode: rows that are not marked as deleted, the
/// present ones of a history, the last event of each key. For those who hold a table against the source itself. Pure: SQL.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "land/plan.h"

namespace nano::land {

/// The columns by which rows are known; none: nothing tells them apart, or a column of the key is not in the table. `key`: the source's own.
std::vector<std::string> RowKey(const TablePlan& plan, const std::vector<std::string>& key);

/// A relation with all columns of the build. `only_source`: the number of the source whose rows count, where there are others.
std::string CurrentRows(const TablePlan& plan, const std::vector<std::string>& row_key, std::optional<std::int64_t> only_source);

/// The columns that the source fills, quoted, with commas; each after `prefix`.
std::string DataColumns(const TablePlan& plan, const std::string& prefix = "");
/// Whether rows `a` and `b` have the same values in them.
std::string SameValues(const TablePlan& plan, const std::string& a, const std::string& b);
/// `a.key = b.key`.
std::string SameKey(const std::vector<std::string>& key, const std::string& a, const std::string& b);

}  // namespace nano::land
