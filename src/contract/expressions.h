// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Every `expr` of a contract, judged by DuckDB itself: it is parsed, its fields are found, and it is bound against the
/// types that the columns declare. Nothing is run. What gives another value another time, or takes a double on its way
/// into a decimal, is refused (docs/reference/schema.md, "Expressions").

#include "contract/tree.h"

namespace nano::contract {

/// Adds each mistake to `findings`, and fills Column::inputs.
void CheckExpressions(const WarehouseTree& tree, Contract& contract, Findings& findings);

/// The SQL of an input, made of the names that its leaves have, in order: a name, or `struct_pack(…)` of them.
std::string InputSql(const ExpressionInput& input, const std::vector<std::string>& leaves);

/// The SQL of a column's value over its inputs, cast to the column's type. NULL, or an error, where the result is a value
/// that the column can't hold; text is read by the spellings of docs/reference/types.md and never bent.
std::string ValueSql(const Column& column);

}  // namespace nano::contract
