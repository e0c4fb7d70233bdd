// SPDX-License-Identifier: Apache-2.0
#include "copy_query.h"

#include <algorithm>

namespace nano::simulation {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool Take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  /// Up to the text, and past it.
  std::string TakeTo(std::string_view text) {
    const std::size_t at = rest_.find(text);
    const std::string out(rest_.substr(0, at));
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + text.size());
    return out;
  }
  /// `('a', 'it''s')`
  std::optional<std::vector<std::string>> TakeValues() {
    std::vector<std::string> out;
    if (!Take("(")) return std::nullopt;
    do {
      if (!Take("'")) return std::nullopt;
      std::string& value = out.emplace_back();
      while (!rest_.empty()) {
        if (Take("''")) value += '\'';
        else if (Take("'")) break;
        else {
          value += rest_.front();
          rest_.remove_prefix(1);
        }
      }
    } while (Take(", "));
    if (!Take(")")) return std::nullopt;
    return out;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

std::string Line(const Row& row) {
  std::string out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += '\t';
    if (!row[i]) {
      out += "\\N";
      continue;
    }
    for (const char c : *row[i]) switch (c) {
        case '\n': out += "\\n"; break;
        case '\t': out += "\\t"; break;
        case '\\': out += "\\\\"; break;
        default: out += c;
      }
  }
  return out;
}

}  // namespace

std::optional<CopyQuery> ParseCopy(const std::string& sql, const Database& database) {
  CopyQuery query;
  Scanner in(sql);
  if (!in.Take("COPY (SELECT ")) return std::nullopt;
  (void)in.TakeTo(" FROM ONLY \"public\".\"");
  query.table = database.Find(in.TakeTo("\""));
  if (query.table == std::string::npos) return std::nullopt;
  const Table& table = database.tables()[query.table];
  while (in.Take(" WHERE (") || in.Take(" AND (")) {
    (void)in.TakeTo(") ");
    if (in.Take("> ")) {
      const auto values = in.TakeValues();
      if (!values) return std::nullopt;
      query.after = table.KeyOf(*values);
    } else if (in.Take("<= ")) {
      const auto values = in.TakeValues();
      if (!values) return std::nullopt;
      query.up_to = table.KeyOf(*values);
    } else if (in.Take("IN (")) {
      query.keys.emplace();
      do {
        const auto values = in.TakeValues();
        if (!values) return std::nullopt;
        query.keys->insert(table.KeyOf(*values));
      } while (in.Take(", "));
      if (!in.Take(")")) return std::nullopt;
    } else {
      return std::nullopt;
    }
    if (!in.Take(")")) return std::nullopt;
  }
  if (in.Take(" ORDER BY ")) {
    (void)in.TakeTo(" LIMIT ");
    query.limit = std::stoul(in.TakeTo(")"));
    return in.Take(" TO STDOUT") ? std::optional(query) : std::nullopt;
  }
  return in.Take(") TO STDOUT") ? std::optional(query) : std::nullopt;
}

std::vector<std::string> CopyLines(const CopyQuery& query, const Rows& rows) {
  std::vector<std::string> out;
  for (auto row = query.after.empty() ? rows.begin() : rows.upper_bound(query.after); row != rows.end(); ++row) {
    if (!query.up_to.empty() && row->first > query.up_to) break;
    if (query.keys && !query.keys->contains(row->first)) continue;
    if (query.limit != 0 && out.size() == query.limit) break;
    out.push_back(Line(row->second));
  }
  return out;
}

}  // namespace nano::simulation
