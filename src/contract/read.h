// SPDX-License-Identifier: Apache-2.0
#pragma once
/// From the joined tree to the Contract: values, defaults, types. What is of the wrong shape was told before and is
/// passed over. `contract.tables[i]` comes from `tree.tables[i]`, and so the sources and columns. Pure.

#include "contract/tree.h"

namespace nano::contract {

void ReadContract(const WarehouseTree& tree, Contract& contract, Findings& findings);

}  // namespace nano::contract
