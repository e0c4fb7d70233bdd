// SPDX-License-Identifier: Apache-2.0
#include "contract/finding.h"

#include <algorithm>
#include <cctype>
#include <tuple>

namespace nano::contract {
namespace {

/// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

std::string Folded(std::string_view word) {
  std::string out;
  for (const char c : word) out += c == '-' || c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

auto Order(const Finding& f) { return std::tie(f.place.in, f.place.at, f.place.column, f.severity, f.code, f.message); }

constexpr std::size_t kLongestWord = 64;

}  // namespace

const std::vector<Rule>& Rules() {
  static const std::vector<Rule> rules = {
      {"not-yaml", "A file is no YAML: the place is where it stops being one.", true},
      {"not-utf8", "A file holds bytes that are no UTF-8.", true},
      {"unknown-key", "A key that the language does not have; the hint names the nearest one.", true},
      {"dbt-file", "A file begins with dbt's `version: 2`.", true},
      {"wrong-type", "A value is text where a list is needed, a number where text is, and so on.", true},
      {"bad-value", "A value is of the right type, but none of those that the key takes.", true},
      {"missing-key", "A key that must be there is not.", true},
      {"one-of", "Of a group of keys exactly one must be there.", true},
      {"duplicate-key", "A key stands twice in one mapping, or a key of the warehouse in two files."},
      {"duplicate-name", "Two sources, tables, columns, … have one name."},
      {"case-only", "Two names differ only by case; Spark and Trino could not open such a table."},
      {"reserved-name", "A name that is the warehouse's own, or that readers keep for themselves."},
      {"unknown-name", "A reference to a source, table, column, policy or role that is not declared."},
      {"unknown-type", "`data_type` is no type of the language."},
      {"type-mismatch", "A type can't hold the values of the other exactly."},
      {"source-type", "`source_type` is no type that is known; its values are read as text."},
      {"mode", "A mode that the source can't fill."},
      {"withheld", "A column is not_null, and the source does not always send its value."},
      {"key-column", "A column of the primary key that may be NULL, or whose type can't be a key."},
      {"partition", "An item of `partition_by` that can't be, or that readers would compute differently."},
      {"sort-column", "A column of `sort_by` whose type has no order."},
      {"field-path", "`field` is a path with an empty name in it."},
      {"constraint", "Constraints of a column that contradict each other."},
      {"expression-syntax", "`expr` is no expression of SQL."},
      {"expression-type", "`expr` does not type, or its result does not fit the column."},
      {"expression-field", "`expr` uses a field whose type no column declares."},
      {"expression-function", "`expr` uses something that may give another value another time."},
      {"expression-inexact", "`expr` takes a double on its way into a decimal, or loses digits."},
      {"secret", "A reference `${…}` that can't be resolved, or stands where none may."},
      {"plain-secret", "Something that looks like a secret is written out in the file, and would be kept with the contract."},
      {"not-everywhere", "A type that some engines can't read from the published tables."},
      {"version", "The contract's version does not go with its change: `plan` says which number must rise."},
      {"not-read", "A file that looks like one of the warehouse's, but lies where none is read."},
  };
  return rules;
}

bool HasErrors(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.severity == Severity::kError; });
}

void Sort(Findings& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) { return Order(a) < Order(b); });
  findings.erase(
      std::unique(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) { return Order(a) == Order(b); }),
      findings.end());
}

std::string Nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > kLongestWord) return {};
  const std::string folded = Folded(word);
  std::string best;
  std::size_t least = 0;
  for (const auto& candidate : known) {
    if (candidate.size() > kLongestWord) continue;
    const std::string other = Folded(candidate);
    const std::size_t distance = Distance(folded, other);
    const std::size_t allowed = std::max<std::size_t>(1, std::min(folded.size(), other.size()) / 3);
    if (distance <= allowed && (best.empty() || distance < least)) best = candidate, least = distance;
  }
  return best;
}

}  // namespace nano::contract
