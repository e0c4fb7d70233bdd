// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The functions that an expression of the contract may call: each gives the same value for the same input at any time,
/// in any session and with any later version of the engine. Our own list, as DuckDB's flags call some others
/// consistent. Constant.

#include <string>
#include <string_view>
#include <vector>

namespace nano::contract {

const std::vector<std::string_view>& ImmutableFunctions();
bool IsImmutable(std::string_view function);
/// Functions whose later arguments may be lambdas.
bool TakesLambda(std::string_view function);
/// Names that SQL reads without parentheses as the session's time, user or place.
bool IsSessionName(std::string_view name);

}  // namespace nano::contract
