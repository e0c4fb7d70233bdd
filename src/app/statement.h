// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One SQL statement as a person typed it, made ready to be run: exactly one, reading only, its `$name` parameters
/// numbered. Looks at tokens, never at meaning: what the statement may do is up to the read-only lake it runs on.
/// Pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nano::app {

struct Statement {
  std::string sql;                        ///< without the closing semicolon; `$name` written as `$1`, `$2`, …
  std::vector<std::string> parameters;    ///< the names, by number
  bool explains = false;                  ///< EXPLAIN: runs as it is, can't be a subquery
  bool describes = false;                 ///< DESCRIBE, SHOW, SUMMARIZE
};

/// kInvalid: empty, several statements, an unfinished quote, or a statement that doesn't read.
Result<Statement> ReadStatement(std::string_view text);

/// DuckDB's message about a statement that ran as lines `first_line`… of a larger one: its `LINE n:` as the person
/// counts lines, its caret still under the place.
std::string ForPerson(std::string message, int first_line);

}  // namespace nano::app
