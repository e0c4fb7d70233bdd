// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What no file alone can tell: names and what refers to them, keys, partitions, types against each other. Pure but for
/// CheckReferences, which looks into the environment.

#include <vector>

#include "contract/tree.h"

namespace nano::contract {

/// Adds each mistake to `findings`. The contract was read from this tree.
void CrossCheck(const WarehouseTree& tree, const Contract& contract, const std::vector<SourceFile>& files, Findings& findings);

/// Tries to resolve every `${env:X}` and `${file:/x}`; what they hold is thrown away.
void CheckReferences(const WarehouseTree& tree, Findings& findings);

}  // namespace nano::contract
