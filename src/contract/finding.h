// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `check` has to say about one place of one file: a mistake, or something that will surprise. Values; what a
/// finding looks like on a terminal, in JSON and in SARIF is contract/render.h.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nano::contract {

enum class Severity { kError, kWarning };

struct Finding {
  Severity severity = Severity::kError;
  std::string code;     ///< stable and short, one of Rules(): "unknown-key"
  std::string message;  ///< lower case, no full stop
  std::string hint;     ///< optional; a whole sentence
  Place place;          ///< file, line, column; both from 1, columns count characters
  Place end;            ///< the character after the last one; equal to `place` where it isn't known
};
using Findings = std::vector<Finding>;

/// Every code there is, with what it means; the reference and SARIF's rules are made from it.
struct Rule {
  std::string_view code, says;
  bool shape = false;  ///< a mistake of one file's shape, which the JSON Schema finds too
};
const std::vector<Rule>& Rules();

bool HasErrors(const Findings& findings);
/// By file, line and column; equal ones once.
void Sort(Findings& findings);

/// The known word that is nearest to `word` by edits; empty where none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace nano::contract
