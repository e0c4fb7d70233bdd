// SPDX-License-Identifier: Apache-2.0
#include "land/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "land/apply.h"
#include "land/retry_table.h"
#include "land/rules.h"

namespace nano::land {
namespace {

using Outcome = RetriedRecord::Outcome;
using State = Candidate::State;

/// An entry as it was; `n` numbers it in temp.nano_retried.
struct Entry {
  std::int64_t n = 0;
  std::string source, stream, table, column, value, reason;
  Position position;
};

/// One table's entries of one source.
struct Group {
  std::map<std::uint64_t, Candidate> candidates;
  std::map<std::uint64_t, std::vector<const Entry*>> entries;
};

class Retry {
 public:
  Retry(lake::Writer& writer, const contract::Layout& layout, const contract::Contract& contract)
      : writer_(writer), layout_(layout), contract_(contract) {}

  Result<std::vector<RetriedRecord>> Run(const RetrySelection& selection, DryRun dry_run) {
    TRY(writer_.Begin());
    const Status done = Try(selection);
    const bool changed = done && std::any_of(entries_.begin(), entries_.end(), [this](const Entry& entry) { return !kept_.contains(entry.n); });
    if (!done || dry_run == DryRun::kYes || !changed) writer_.Rollback();
    TRY(done);
    if (changed && dry_run == DryRun::kNo) TRY(writer_.Commit("quarantine retry"));
    std::sort(out_.begin(), out_.end(), [](const RetriedRecord& a, const RetriedRecord& b) {
      return std::tie(a.source, a.position, a.table) < std::tie(b.source, b.position, b.table);
    });
    return std::move(out_);
  }

 private:
  Status Try(const RetrySelection& selection) {
    TRY(ReadBuilds());
    TRY(ReadWaiting());
    TRY(TakeEntries(selection));
    if (entries_.empty()) return {};
    for (const Entry& entry : entries_) Sort(entry);
    for (auto& [place, group] : groups_) {
      const auto& [source, table] = place;
      TRY(RetryTable(writer_, layout_, *contract_.table(table), builds_.at(table), source).Run(group.candidates, waiting_[table]));
      for (auto& [position, candidate] : group.candidates) TRY(Settle(source, table, Position{position}, candidate, group.entries.at(position)));
    }
    return KeepEntries();
  }

  Status ReadBuilds() {
    auto& connection = writer_.connection();
    ASSIGN(const int version, lake::CurrentVersion(connection));
    if (version == 0) return WithHint(Fail(Code::kNotFound, "the warehouse was never applied"), "Run `nanohouse apply`.");
    ASSIGN(const auto builds, lake::ReadBuilds(connection));
    ASSIGN(const auto names, lake::ReadVersion(connection, version));
    for (const auto& [name, id] : names)
      if (const auto at = builds.find(id); at != builds.end() && contract_.table(name)) builds_[name] = at->second;
    return {};
  }

  /// Moves the entries that are asked for into a table of the transaction's own.
  Status TakeEntries(const RetrySelection& selection) {
    auto& connection = writer_.connection();
    std::string where = selection.table.empty() ? " WHERE true" : " WHERE table_name = " + engine::Literal(selection.table);
    std::string records;
    for (const auto& [source, position] : selection.records)
      records += fmt::format("{}(source = {} AND position = {})", records.empty() ? "" : " OR ", engine::Literal(source), position.value);
    if (!records.empty()) where += " AND (" + records + ")";
    TRY(connection.Execute("CREATE OR REPLACE TEMP TABLE nano_retried AS SELECT row_number() OVER () AS n, * FROM lake.nanohouse.quarantine" + where));
    TRY(connection.Execute("DELETE FROM lake.nanohouse.quarantine" + where));
    ASSIGN(const auto rows, connection.Query("SELECT n, source, position, coalesce(stream, ''), coalesce(table_name, ''), coalesce(\"column\", ''), "
                                             "coalesce(value, ''), reason FROM temp.nano_retried ORDER BY n"));
    for (std::size_t r = 0; r < rows.size(); ++r)
      entries_.push_back({rows.integer(r, 0), rows.text(r, 1), rows.text(r, 3), rows.text(r, 4), rows.text(r, 5), rows.text(r, 6), rows.text(r, 7),
                          Position{static_cast<std::uint64_t>(rows.integer(r, 2))}});
    return {};
  }

  /// What is in quarantine did not land, whether it is tried now or not.
  Status ReadWaiting() {
    ASSIGN(const auto rows, writer_.connection().Query("SELECT source, position, coalesce(table_name, '') FROM lake.nanohouse.quarantine WHERE reason <> ?",
                                                       {std::string(kNewFieldReason)}));
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (const auto& [name, build] : builds_)
        if (rows.text(r, 2).empty() || rows.text(r, 2) == name) waiting_[name][rows.text(r, 0)].insert(static_cast<std::uint64_t>(rows.integer(r, 1)));
    return {};
  }

  /// An entry of a table goes to it, one of a stream to each table that listens.
  void Sort(const Entry& entry) {
    bool taken = false;
    for (const auto& [name, build] : builds_) {
      const auto& feeds = contract_.table(name)->sources;
      const bool listens = std::any_of(feeds.begin(), feeds.end(), [&](const auto& feed) { return feed.source == entry.source && feed.stream == entry.stream; });
      if (entry.table.empty() ? !listens : entry.table != name) continue;
      taken = true;
      Group& group = groups_[{entry.source, name}];
      const auto [candidate, made] = group.candidates.try_emplace(entry.position.value);
      const bool new_field = entry.reason == kNewFieldReason;
      candidate->second.row_landed = new_field && (made || candidate->second.row_landed);
      group.entries[entry.position.value].push_back(&entry);
    }
    if (taken) return;
    kept_.insert(entry.n);
    if (!out_.empty() && out_.back().source == entry.source && out_.back().position == entry.position && out_.back().table == entry.table)
      out_.back().reasons.push_back({entry.column, entry.value, entry.reason});
    else
      out_.push_back({entry.source, entry.position, entry.table, Outcome::kStays, {{entry.column, entry.value, entry.reason}}, {}});
  }

  /// Notes what became of a record, and what of it is still kept aside.
  Status Settle(const std::string& source, const std::string& table, Position position, Candidate& candidate, const std::vector<const Entry*>& entries) {
    RetriedRecord record{source, position, table, Outcome::kStays, {}, candidate.overtaken_by};
    if (candidate.state == State::kLanded) record.outcome = Outcome::kLanded;
    if (candidate.state == State::kOvertaken) record.outcome = Outcome::kMovedOn;
    const bool untried = candidate.state == State::kUntried ||
                         std::any_of(candidate.rejects.begin(), candidate.rejects.end(), [](const Reject& reject) { return reject.table.empty(); });
    std::vector<Reject> added;
    if (record.outcome == Outcome::kLanded)
      for (const Entry* entry : entries) landed_.insert(entry->n);
    if (untried) {
      for (const Entry* entry : entries) {
        kept_.insert(entry->n);
        record.reasons.push_back({entry->column, entry->value, entry->reason});
      }
    } else if (record.outcome != Outcome::kMovedOn) {
      for (auto& reject : candidate.rejects) {
        record.reasons.push_back({reject.column, reject.value, reject.reason});
        const auto same = std::find_if(entries.begin(), entries.end(), [&](const Entry* entry) {
          return entry->column == reject.column && entry->value == reject.value && entry->reason == reject.reason && !kept_.contains(entry->n);
        });
        if (same != entries.end()) {
          kept_.insert((*same)->n);
          continue;
        }
        reject.stream = entries.front()->stream;
        added.push_back(std::move(reject));
      }
    }
    out_.push_back(std::move(record));
    return Quarantine(writer_, source, added);
  }

  /// Puts back what stays as it was, with the time at which it came.
  Status KeepEntries() {
    auto& connection = writer_.connection();
    std::string numbers;
    for (const Entry& entry : entries_)   // a stream's entry of which one table took the row must not bring it twice
      if (entry.table.empty() && landed_.contains(entry.n)) kept_.erase(entry.n);
    for (const std::int64_t n : kept_) numbers += fmt::format("{}{}", numbers.empty() ? "" : ", ", n);
    if (!numbers.empty())
      TRY(connection.Execute("INSERT INTO lake.nanohouse.quarantine SELECT * EXCLUDE (n) FROM temp.nano_retried WHERE n IN (" + numbers + ")"));
    return connection.Execute("DROP TABLE temp.nano_retried");
  }

  lake::Writer& writer_;
  const contract::Layout& layout_;
  const contract::Contract& contract_;
  std::map<std::string, lake::Build> builds_;             ///< by the table's name
  std::vector<Entry> entries_;
  std::map<std::string, RetryTable::Waiting> waiting_;    ///< by the table's name
  std::map<std::pair<std::string, std::string>, Group> groups_;   ///< by source and table
  std::set<std::int64_t> kept_;                           ///< entries that stay as they are
  std::set<std::int64_t> landed_;                         ///< entries whose row is now in a table
  std::vector<RetriedRecord> out_;
};

}  // namespace

Result<std::vector<RetriedRecord>> RetryQuarantine(lake::Writer& writer, const contract::Layout& layout, const contract::Contract& contract,
                                                   const RetrySelection& selection, DryRun dry_run) {
  return Retry(writer, layout, contract).Run(selection, dry_run);
}

}  // namespace nano::land
