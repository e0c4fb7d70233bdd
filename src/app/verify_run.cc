// SPDX-License-Identifier: Apache-2.0
#include "app/verify_run.h"

#include <algorithm>
#include <map>

#include "io/signals.h"
#include "lake/build.h"

namespace nano::app {
namespace {

using land::RowDifference;

/// How often a row that keeps changing is looked at.
constexpr int kRounds = 6;

class TableCheck {
 public:
  TableCheck(const VerifyAccess& access, ingest::PostgresTableRows& database, land::ShownRows& shown, const contract::Table& table, const std::string& source)
      : access_(access), database_(database), shown_(shown), table_(table), source_(source) {}

  Result<VerifiedTable> Run(std::size_t most) {
    VerifiedTable out;
    out.table = table_.name;
    out.key = shown_.key_columns();
    TRY(Read(nullptr));
    out.rows = shown_.rows();
    out.unfit = shown_.unfit();
    TRY(access_.catch_up(database_));
    ASSIGN(auto suspects, shown_.Compare(most + 1));
    out.more = suspects.size() > most;
    if (out.more) suspects.pop_back();
    for (int round = 0; round < kRounds && !suspects.empty(); ++round) {
      TRY(Read(&suspects));
      TRY(access_.catch_up(database_));
      ASSIGN(const auto again, shown_.Compare(most, out.key.empty() ? nullptr : &suspects));
      std::map<std::vector<std::optional<std::string>>, const RowDifference*> before;
      for (const auto& row : suspects) before[row.key] = &row;
      std::vector<RowDifference> unsettled;
      for (const auto& row : again) {
        // The first look was at rows that were read at other times than the tables were.
        const auto known = before.find(row.key);
        const bool same = round > 0 && known != before.end() && known->second->what == row.what && known->second->state == row.state;
        (same ? out.diverging : unsettled).push_back(row);
      }
      suspects = std::move(unsettled);
    }
    out.unsettled = suspects.size();
    return out;
  }

 private:
  /// All rows, or those with these keys.
  Status Read(const std::vector<RowDifference>* some) {
    TRY(shown_.Clear());
    const auto take = [&](const Record& record) -> Status {
      if (io::StopRequested()) return Fail(Code::kUnavailable, "stopped before everything was compared");
      TRY(shown_.Add(record));
      if (access_.on_progress && shown_.rows() % 10'000 == 0) access_.on_progress(table_.name, shown_.rows());
      return {};
    };
    std::vector<std::vector<std::string>> keys;
    if (some && !shown_.key_columns().empty())
      for (const auto& row : *some) {
        auto& key = keys.emplace_back();
        for (const auto& value : row.key) key.push_back(value.value_or(""));
      }
    for (const auto& feed : table_.sources) {
      if (feed.source != source_) continue;
      if (keys.empty()) TRY(database_.ReadAll(feed.stream, take));
      else TRY(database_.ReadSome(feed.stream, shown_.key_fields(), keys, take));
    }
    return {};
  }

  const VerifyAccess& access_;
  ingest::PostgresTableRows& database_;
  land::ShownRows& shown_;
  const contract::Table& table_;
  const std::string& source_;
};

bool Fills(const contract::Table& table, const std::string& source) {
  return std::any_of(table.sources.begin(), table.sources.end(), [&](const auto& feed) { return feed.source == source; });
}

}  // namespace

Result<std::vector<VerifiedTable>> VerifySource(const VerifyAccess& access, const contract::Contract& contract, const contract::Source& source,
                                                const std::vector<std::string>& tables, std::size_t most) {
  for (const auto& name : tables)
    if (const auto* const table = contract.table(name); !table || !Fills(*table, source.name))
      return WithHint(Fail(Code::kNotFound, "source \"{}\" fills no table \"{}\"", source.name, name), "Name a table of the warehouse.");
  ASSIGN(const auto database, ingest::PostgresTableRows::Open(source));
  TRY(access.catch_up(*database));
  ASSIGN(const int version, lake::CurrentVersion(access.connection));
  ASSIGN(const auto builds, lake::ReadBuilds(access.connection));
  ASSIGN(const auto names, lake::ReadVersion(access.connection, version));
  std::vector<VerifiedTable> out;
  for (const auto& table : contract.tables) {
    if (!Fills(table, source.name) || (!tables.empty() && std::find(tables.begin(), tables.end(), table.name) == tables.end())) continue;
    const auto name = names.find(table.name);
    const auto build = name == names.end() ? builds.end() : builds.find(name->second);
    if (build == builds.end()) continue;
    const auto pass_over = [&](const char* why) {
      out.emplace_back().table = table.name;
      out.back().not_compared = why;
    };
    if (build->second.definition.identity == lake::Identity::kUndecided || build->second.definition.columns.empty()) {
      pass_over("its source has said nothing");
      continue;
    }
    ASSIGN(const auto shown, land::ShownRows::Make(table, build->second, source.name, access.database, access.connection));
    if (shown->key_columns().empty() && table.mode == contract::Mode::kAppend) {
      pass_over("which of its events are of one row nobody can tell: there is no key");
      continue;
    }
    ASSIGN(auto verified, TableCheck(access, *database, *shown, table, source.name).Run(most));
    out.push_back(std::move(verified));
  }
  return out;
}

}  // namespace nano::app
