// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Every `expr` of a contract, judged by DuckDB itself: it is parsed, its fields are found, and it is bound against the
/// types that the columns declare. Nothing is run. What gives another value another time, or takes a double on its way
/// into a decimal, is refused (docs/reference/schema.md, "Expressions").

#include "contract/tree.h"

namespace nano::contract {

/// Adds each mistake to `findings`, and fills Column::inputs.
void CheckExpressions(const WarehouseTree& tree, Contract& contract, Findings& findings);

}  // namespace nano::contract
