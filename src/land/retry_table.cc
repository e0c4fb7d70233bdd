// SPDX-License-Identifier: Apache-2.0
#include "land/retry_table.h"

#include <fmt/format.h>

#include "journal/journal.h"
#include "land/apply.h"
#include "land/decide.h"
#include "land/newer_events.h"

namespace nano::land {
namespace {

using State = Candidate::State;

/// Records of a journal in their order, up to what has landed.
template <class Visit>
Status Scan(lake::Writer& writer, const contract::Layout& layout, const std::string& source, Position from, const Visit& visit) {
  const auto landed = writer.head().sources.find(source);
  auto opened = journal::Reader::Open(layout.journal(source));
  if (!opened && opened.error().code == Code::kNotFound) return {};
  if (!opened) return tl::make_unexpected(std::move(opened).error());
  journal::Reader& journal = **opened;
  ASSIGN(const journal::Tail tail, journal.Refresh());
  const Position end = landed == writer.head().sources.end() ? Position{} : std::min(tail.end, landed->second);
  for (Position at = std::max(from, journal.first()); at < end;) {
    ASSIGN(const auto block, journal.Read(at));
    if (!block) break;
    for (; at < std::min(end, block->end()); ++at.value) TRY(visit(block->record(static_cast<std::size_t>(at.value - block->begin().value)), at));
  }
  return {};
}

bool Holds(const RetryTable::Waiting& waiting, const std::string& source, Position at) {
  const auto positions = waiting.find(source);
  return positions != waiting.end() && positions->second.contains(at.value);
}

/// The events of a record that have landed: of one in quarantine all but the last, which is the row's own.
std::size_t LandedEvents(const std::vector<Event>& events, bool in_quarantine) {
  return events.size() - (in_quarantine && !events.empty() ? 1 : 0);
}

}  // namespace

Status RetryTable::Run(std::map<std::uint64_t, Candidate>& candidates, const Waiting& waiting) {
  if (IsUndecided(build_.definition)) return {};
  ASSIGN(number_, writer_.SourceNumber(source_));
  ASSIGN(events_, RecordEvents::Make(table_, build_, source_, number_, writer_.connection()));
  NewerEvents newer(events_->plan());
  TRY(ReadJournal(candidates, waiting, newer));
  if (build_.definition.identity == lake::Identity::kKey) TRY(ReadOthers(waiting, newer));
  for (auto& [position, candidate] : candidates)
    if (const auto by = newer.overtaken(position); by && candidate.state == State::kFits) {
      candidate.state = State::kOvertaken;
      candidate.overtaken_by = *by;
    }
  TRY(JudgeLanded(candidates));
  return Apply(candidates);
}

Status RetryTable::ReadJournal(std::map<std::uint64_t, Candidate>& candidates, const Waiting& waiting, NewerEvents& newer) {
  // Without a key, rows that landed before count too: they answer for later removals of equal ones.
  const bool keyed = build_.definition.identity == lake::Identity::kKey;
  const Position from = keyed && !candidates.empty() ? Position{candidates.begin()->first} : Position{};
  Arena scratch;
  return Scan(writer_, layout_, source_, from, [&](const Record& record, Position at) -> Status {
    if (!events_->Concerns(record)) return {};
    if (const auto candidate = candidates.find(at.value); candidate != candidates.end()) return Take(record, at, candidate->second, newer);
    scratch.Reset();
    std::vector<Event> events;
    std::vector<Reject> rejects;
    TRY(events_->Add(record, at, scratch, events, rejects));
    const std::size_t landed = LandedEvents(events, Holds(waiting, source_, at));
    for (std::size_t n = 0; n < landed; ++n)
      if (!events[n].rejected) newer.Landed(source_, events[n]);
    return {};
  });
}

Status RetryTable::Take(const Record& record, Position at, Candidate& candidate, NewerEvents& newer) {
  Record kept = record;
  kept.bytes = kept_.Keep(record.bytes);
  kept.key = kept_.Keep(record.key);
  kept.headers = kept_.Keep(record.headers);
  std::vector<Event> events;
  TRY(events_->Add(kept, at, kept_, events, candidate.rejects));
  const std::size_t landed = LandedEvents(events, !candidate.row_landed);
  for (std::size_t n = 0; n < landed; ++n)
    if (!events[n].rejected) newer.Landed(source_, events[n]);
  if (events.empty() || events.back().rejected) {
    if (!candidate.rejects.empty()) candidate.state = State::kStays;
    return {};
  }
  candidate.event = events.back();
  candidate.state = State::kFits;
  if (!candidate.row_landed) newer.Wait(at.value, candidate.event);
  return {};
}

Status RetryTable::ReadOthers(const Waiting& waiting, NewerEvents& newer) {
  std::set<std::string> done{source_};
  for (const auto& feed : table_.sources) {
    if (!done.insert(feed.source).second) continue;
    ASSIGN(const std::int64_t number, writer_.SourceNumber(feed.source));
    ASSIGN(const auto others, RecordEvents::Make(table_, build_, feed.source, number, writer_.connection()));
    Arena scratch;
    const auto visit = [&](const Record& record, Position at) -> Status {
      if (!others->Concerns(record)) return {};
      scratch.Reset();
      std::vector<Event> events;
      std::vector<Reject> rejects;
      TRY(others->Add(record, at, scratch, events, rejects));
      const std::size_t landed = LandedEvents(events, Holds(waiting, feed.source, at));
      for (std::size_t n = 0; n < landed; ++n)
        if (!events[n].rejected) newer.LandedElsewhere(feed.source, events[n]);
      return {};
    };
    TRY(Scan(writer_, layout_, feed.source, Position{}, visit));
  }
  return {};
}

/// Rows that landed without a new field: they are written again with it, where they still are what their record made them.
Status RetryTable::JudgeLanded(std::map<std::uint64_t, Candidate>& candidates) {
  const std::string table = lake::BuildTable(build_.id);
  for (auto& [position, candidate] : candidates) {
    if (!candidate.row_landed || candidate.state != State::kFits) continue;
    if (!candidate.rejects.empty()) {   // still new
      candidate.state = State::kStays;
      continue;
    }
    const std::int64_t row = lake::RowPosition(number_, Position{position});
    ASSIGN(const auto found, writer_.connection().Query("SELECT count(*) FROM " + table + " WHERE _position = ?", {row}));
    if (found.integer(0, 0) == 0) {
      candidate.state = State::kOvertaken;
    } else if (build_.definition.identity != lake::Identity::kKey) {
      TRY(writer_.connection().Execute("DELETE FROM " + table + " WHERE _position = ?", {row}));
      candidate.event.op = Op::kInsert;   // the row that it changed is gone already
      candidate.event.before = {};
    }
  }
  return {};
}

Status RetryTable::Apply(std::map<std::uint64_t, Candidate>& candidates) {
  std::vector<Event> events;
  for (auto& [position, candidate] : candidates)
    if (candidate.state == State::kFits) events.push_back(candidate.event);
  if (events.empty()) return {};
  std::vector<Reject> rejects;
  ASSIGN([[maybe_unused]] const Applied applied, ApplyEvents(writer_, events_->plan(), source_, events, kept_, rejects));
  for (auto& reject : rejects) {
    Candidate& candidate = candidates.at(reject.position.value);
    candidate.state = State::kStays;
    candidate.rejects.push_back(std::move(reject));
  }
  for (auto& [position, candidate] : candidates)
    if (candidate.state == State::kFits) candidate.state = State::kLanded;
  return {};
}

}  // namespace nano::land
