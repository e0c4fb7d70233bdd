// SPDX-License-Identifier: Apache-2.0
#include "land/fold.h"

#include <algorithm>
#include <map>
#include <set>

#include "journal/base.h"
#include "land/decide.h"
#include "land/fill_message.h"
#include "land/fold_state.h"
#include "land/record_events.h"
#include "wire/singer.h"

namespace nano::land {
namespace {

/// What becomes of a stream's messages.
struct StreamFold {
  std::unique_ptr<RecordEvents> events;     ///< nothing: every message stays
  FoldState state;
  std::string schema;                       ///< Singer: the last SCHEMA that stays
  std::optional<Position> reread;           ///< where its rows began to be said once more
};

class Folding {
 public:
  Folding(const std::filesystem::path& folder, Position end, std::set<std::uint64_t> quarantined)
      : folder_(folder), end_(end), quarantined_(std::move(quarantined)) {}

  Status Open(lake::Writer& lake, const contract::Contract& contract, const std::string& source) {
    auto& connection = lake.connection();
    ASSIGN(const int version, lake::CurrentVersion(connection));
    ASSIGN(const auto builds, lake::ReadBuilds(connection));
    ASSIGN(const auto names, lake::ReadVersion(connection, version));
    const auto number = connection.Query("SELECT max(number) FROM lake.nanohouse.source WHERE name = ?", {source});
    TRY(number);
    std::map<std::string, std::vector<std::pair<const contract::Table*, const lake::Build*>>> tables;
    for (const auto& table : contract.tables)
      for (const auto& feed : table.sources) {
        if (feed.source != source) continue;
        const auto name = names.find(table.name);
        const auto build = name == names.end() ? builds.end() : builds.find(name->second);
        tables[feed.stream].push_back({&table, build == builds.end() ? nullptr : &build->second});
      }
    for (const auto& [stream, readers] : tables) {
      StreamFold& fold = streams_[stream];
      if (!CanBeThinned(readers)) continue;
      ASSIGN(fold.events, RecordEvents::Make(*readers.front().first, *readers.front().second, source,
                                             number->rows[0][0] ? number->integer(0, 0) : -1, connection));
    }
    return {};
  }

  /// Decides; then kept() and filled() are known.
  Status Decide() {
    ASSIGN(const auto reader, journal::Reader::Open(folder_));
    ASSIGN(earlier_, journal::Reader::Open(folder_));
    for (Position at = reader->first(); at < end_;) {
      ASSIGN(const auto block, reader->Read(at));
      if (!block) break;
      for (; at < std::min(end_, block->end()); ++at.value) {
        const auto n = static_cast<std::size_t>(at.value - block->begin().value);
        if (block->has(n)) TRY(Look(block->record(n), at));
      }
      for (auto& [stream, fold] : streams_)
        if (fold.events) fold.events->Trim();
      decoder_.Trim();
    }
    if (state_) kept_.push_back(*state_);
    for (const auto& [stream, fold] : streams_) fold.state.AddNeeded(kept_);
    if (end_.value > 0) kept_.push_back(Position{end_.value - 1});   // it may end a transaction
    std::sort(kept_.begin(), kept_.end());
    kept_.erase(std::unique(kept_.begin(), kept_.end()), kept_.end());
    return {};
  }

  /// Reads once more, and gives what stays.
  Result<std::optional<journal::BaseRecord>> Next() {
    if (!again_) { ASSIGN(again_, journal::Reader::Open(folder_)); }
    for (; given_ < kept_.size(); ++given_) {
      const Position at = kept_[given_];
      if (!block_ || at < block_->begin() || at >= block_->end()) { ASSIGN(block_, again_->Read(at)); }
      if (!block_) break;
      const auto n = static_cast<std::size_t>(at.value - block_->begin().value);
      if (!block_->has(n)) continue;
      journal::BaseRecord out{at, block_->record(n)};
      // What lies between the last transaction's end and this one's is whole only at the end of the base image.
      if (at.value + 1 < end_.value) out.record.flags &= static_cast<std::uint8_t>(~(kEndsTransaction | kBeginsTransaction));
      if (const auto filled = filled_.find(at.value); filled != filled_.end()) {
        out.record.bytes = filled->second;
        out.record.flags |= kFilled;
      }
      counters_.filled += (out.record.flags & kFilled) != 0;
      ++counters_.kept;
      ++given_;
      return std::optional(out);
    }
    return std::optional<journal::BaseRecord>();
  }

  const FoldCounters& counters() const { return counters_; }

 private:
  enum class Moves : bool { kNo, kYes };
  using Readers = std::vector<std::pair<const contract::Table*, const lake::Build*>>;

  /// Whether every table of a stream has one row a key, by the same key, and forgets what is deleted.
  static bool CanBeThinned(const Readers& readers) {
    const auto key_of = [](const contract::Table& table, const lake::Build& build) {
      std::vector<std::pair<std::vector<std::string>, std::string>> key;
      for (const auto& name : build.definition.key) {
        const auto* const column = table.column(name);
        const auto* const built = build.definition.column(name);
        key.push_back({column ? column->field : std::vector<std::string>{name}, built ? engine::SqlType(built->type) : std::string()});
      }
      return key;
    };
    for (const auto& [table, build] : readers) {
      if (table->sources.size() != 1 || table->mode != contract::Mode::kUpsert || table->deletes != contract::Deletes::kHard) return false;
      if (!build || IsUndecided(build->definition) || build->definition.identity != lake::Identity::kKey) return false;
      if (key_of(*table, *build) != key_of(*readers.front().first, *readers.front().second)) return false;
    }
    return !readers.empty();
  }

  Status Look(const Record& record, Position at) {
    if (record.flags & kReplayed) return {};   // it was said before, and landed nothing
    const auto found = streams_.find(std::string(record.stream));
    StreamFold* const fold = found != streams_.end() && found->second.events ? &found->second : nullptr;
    if (quarantined_.contains(at.value) || record.kind == RecordKind::kUnreadable) kept_.push_back(at);
    switch (record.kind) {
      case RecordKind::kData:
      case RecordKind::kTombstone: break;
      case RecordKind::kState: return LookAtState(record, at);
      case RecordKind::kSchema:
        if (fold && fold->schema == record.bytes) return {};
        if (fold) fold->schema = std::string(record.bytes);
        kept_.push_back(at);
        return {};
      case RecordKind::kTruncate:
        if (fold) fold->state.Truncate();
        kept_.push_back(at);
        return {};
      case RecordKind::kSnapshotEdge:
        if (fold && record.format == Format::kDebezium) LookAtReread(*fold, record, at);
        kept_.push_back(at);
        return {};
      case RecordKind::kActivateVersion:
      case RecordKind::kGap:
      case RecordKind::kUnreadable: kept_.push_back(at); return {};
      case RecordKind::kBegin:      // transactions are thinned out with what they hold
      case RecordKind::kEnd:
      case RecordKind::kOther: return {};
    }
    if (!fold) {
      kept_.push_back(at);
      return {};
    }
    if (!fold->events->Concerns(record)) return {};
    return LookAtRow(*fold, record, at);
  }

  /// Once all rows were said again, those of which nothing was said are no more.
  static void LookAtReread(StreamFold& fold, const Record& record, Position at) {
    if (record.bytes != kRereadEnds) fold.reread = at;
    else if (const auto begin = std::exchange(fold.reread, std::nullopt)) fold.state.ForgetBefore(*begin);
  }

  /// The tap goes on from the last one that is not empty.
  Status LookAtState(const Record& record, Position at) {
    Arena arena;
    const auto message = wire::ParseSingerLine(record.bytes, arena);
    if (!message.value.empty() && message.value != "null" && message.value != "{}") state_ = at;
    return {};
  }

  Status LookAtRow(StreamFold& fold, const Record& record, Position at) {
    arena_.Reset();
    std::vector<Event> events;
    std::vector<Reject> rejects;
    TRY(fold.events->Add(record, at, arena_, events, rejects));
    if (events.empty()) kept_.push_back(at);    // nobody can tell what it says
    for (const Event& event : events) {
      if (event.versioned || (event.key.empty() && event.op != Op::kTruncate && event.op != Op::kSnapshotBegin)) {
        kept_.push_back(at);
        if (event.key.empty()) continue;
      }
      switch (event.op) {
        case Op::kTruncate: fold.state.Truncate(); kept_.push_back(at); break;
        case Op::kSnapshotBegin: break;
        case Op::kDelete: fold.state.Delete(event.key, at); break;
        default: {
          ASSIGN(const auto says, SaysOf(fold, event, record, at));
          fold.state.Put(event.key, event.old_key, at, says);
        }
      }
    }
    return {};
  }

  Result<FoldState::Says> SaysOf(const StreamFold& fold, const Event& event, const Record& record, Position at) {
    using Says = FoldState::Says;
    if (event.rejected || quarantined_.contains(at.value)) return Says::kHeld;
    if (record.format == Format::kSinger) return IsWhole(event) && !event.versioned ? Says::kWhole : Says::kPart;
    const auto change = Decode(record, arena_);
    if (!change) return Says::kHeld;
    switch (CompletenessOf(*change)) {
      case Completeness::kWhole: return IsWhole(event) ? Says::kWhole : Says::kPart;
      case Completeness::kDocument: return Says::kPart;
      case Completeness::kUnsent: break;
    }
    const auto image = fold.state.Image(event.old_key.empty() ? event.key : event.old_key);
    if (!image) return Says::kPart;
    return Fill(fold, *change, record, at, *image, event.old_key.empty() ? Moves::kNo : Moves::kYes);
  }

  static bool IsWhole(const Event& event) {
    return std::none_of(event.after.begin(), event.after.end(), [](const wire::Cell& cell) { return cell.kind == wire::Cell::Kind::kUnchanged; });
  }

  /// Takes what was not sent from the message at `image`, if that is certain.
  Result<FoldState::Says> Fill(const StreamFold& fold, const wire::DebeziumEvent& change, const Record& record, Position at, Position image,
                                Moves moves) {
    using Says = FoldState::Says;
    ASSIGN(const auto block, earlier_->Read(image));
    if (!block) return Says::kPart;
    Record whole = block->record(static_cast<std::size_t>(image.value - block->begin().value));
    if (const auto filled = filled_.find(image.value); filled != filled_.end()) whole.bytes = filled->second;
    const auto earlier = Decode(whole, arena_);
    if (!earlier) return Says::kPart;
    auto bytes = FillMessage(record, change, *earlier);
    if (!bytes) return Says::kPart;
    bytes->reserve(bytes->size() + journal::Block::kPadding);
    // It counts only if landing sees a whole row in it.
    Record filled = record;
    filled.bytes = *bytes;
    std::vector<Event> events;
    std::vector<Reject> rejects;
    TRY(fold.events->Add(filled, at, arena_, events, rejects));
    if (events.empty() || events.back().rejected || !rejects.empty() || !IsWhole(events.back())) return Says::kPart;
    filled_[at.value] = *std::move(bytes);
    if (moves == Moves::kNo) filled_.erase(image.value);
    return Says::kWhole;
  }

  Result<wire::DebeziumEvent> Decode(const Record& record, Arena& arena) {
    return decoder_.Decode(record.bytes, record.has_value, record.key, record.has_key, record.headers, record.stream, arena);
  }

  std::filesystem::path folder_;
  Position end_;
  std::set<std::uint64_t> quarantined_;
  std::map<std::string, StreamFold> streams_;
  std::unique_ptr<journal::Reader> earlier_, again_;
  wire::DebeziumDecoder decoder_;
  Arena arena_;
  std::optional<Position> state_;
  std::vector<Position> kept_;
  std::map<std::uint64_t, std::string> filled_;   // by position: values with nothing missing
  std::size_t given_ = 0;
  journal::BlockPtr block_;
  FoldCounters counters_;
};

Result<std::set<std::uint64_t>> Quarantined(lake::Writer& lake, const std::string& source) {
  ASSIGN(const auto found, lake.connection().Query("SELECT DISTINCT position FROM lake.nanohouse.quarantine WHERE source = ?", {source}));
  std::set<std::uint64_t> positions;
  for (std::size_t row = 0; row < found.size(); ++row) positions.insert(static_cast<std::uint64_t>(found.integer(row, 0)));
  return positions;
}

}  // namespace

Result<std::optional<FoldCounters>> FoldJournal(lake::Writer& lake, const contract::Contract& contract, const contract::Layout& layout,
                                                const std::string& source, journal::Writer& journal, std::int64_t now) {
  const auto nothing = std::optional<FoldCounters>();
  const auto landed = lake.head().sources.find(source);
  if (!contract.storage.journal_keep_ms || landed == lake.head().sources.end()) return nothing;
  const auto folder = layout.journal(source);
  const std::int64_t before = now - *contract.storage.journal_keep_ms * 1000;
  // A small journal would stay in its one segment for good.
  const Position tail = journal.tail().end;
  if (tail.value > 0 && landed->second == tail) {
    ASSIGN(const auto reader, journal::Reader::Open(folder));
    ASSIGN(const auto last, reader->Read(Position{tail.value - 1}));
    if (last && last->record(last->size() - 1).ingested_at < before) TRY(journal.Roll());
  }
  ASSIGN(const auto base, journal::FindBase(folder));
  ASSIGN(const Position end, journal::EndOfExpired(folder, landed->second, before));
  if (end <= base.value_or(Position{})) {
    if (base) TRY(journal::DropExpired(folder, *base));   // what a run before had no time for
    return nothing;
  }
  FoldCounters counters;
  if (contract.storage.journal_base_image) {
    ASSIGN(auto quarantined, Quarantined(lake, source));
    Folding folding(folder, end, std::move(quarantined));
    TRY(folding.Open(lake, contract, source));
    TRY(folding.Decide());
    TRY(journal::WriteBase(folder, source, end, [&] { return folding.Next(); }));
    counters = folding.counters();
  }
  counters.end = end;
  counters.expired = end.value - base.value_or(Position{}).value;
  TRY(journal::DropExpired(folder, end));
  return std::optional(counters);
}

}  // namespace nano::land
