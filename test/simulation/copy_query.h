// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `COPY (SELECT … FROM ONLY … WHERE … ORDER BY … LIMIT n) TO STDOUT`, as the program writes it: which rows it asks for, and their lines.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "database.h"

namespace nano::simulation {

struct CopyQuery {
  std::size_t table = 0;
  std::string after, up_to;                    ///< keys; empty: none
  std::optional<std::set<std::string>> keys;   ///< only these
  std::size_t limit = 0;
};

/// Nothing where it is another statement.
std::optional<CopyQuery> ParseCopy(const std::string& sql, const Database& database);
std::vector<std::string> CopyLines(const CopyQuery& query, const Rows& rows);

}  // namespace nano::simulation
