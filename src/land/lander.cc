// SPDX-License-Identifier: Apache-2.0
#include "land/lander.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <list>
#include <unordered_map>

#include "base/check.h"
#include "land/apply.h"
#include "land/debezium_events.h"
#include "land/decide.h"
#include "land/full_sets.h"
#include "land/removal.h"
#include "land/rereads.h"
#include "land/rules.h"
#include "land/singer_append.h"
#include "land/singer_events.h"
#include "land/stream_facts.h"
#include "land/table_state.h"
#include "wire/singer.h"

namespace nano::land {
namespace {

using contract::Contract;
using journal::BlockPtr;

/// A transaction of the source that is larger than this lands in parts, inside one commit.
constexpr std::size_t kPartBytes = 64 << 20;
/// A batch of plain appends that is landed as it comes is closed at this size.
constexpr std::size_t kStreamBytes = 512 << 20;
/// A batch as large as this says that more waits: the table's files are merged once for several such, after this many at most.
constexpr std::size_t kBehindBytes = 32 << 20;
constexpr int kMostUntidied = 8;
/// Records looked at ahead, to infer the type of a field that is NULL at first.
constexpr std::size_t kLookAhead = 1000;

class SourceLander final : public Lander {
 public:
  SourceLander(lake::Writer& writer, std::shared_ptr<const Contract> contract, std::string source)
      : writer_(writer), contract_(std::move(contract)), source_(std::move(source)),
        sets_(writer, facts_, source_, [this](TableState& state) { return Flush(state); }),
        rereads_(writer, facts_, source_, [this](TableState& state) { return Flush(state); }) {}

  /// Reads what is deployed, in one transaction: each of its own would ask the catalog anew.
  Status Load() {
    auto& connection = writer_.connection();
    TRY(connection.Execute("BEGIN TRANSACTION"));
    const Status read = Read();
    TRY(connection.Execute("COMMIT"));  // it only read
    TRY(read);
    return lake::SyncTableOptions(connection, builds_);
  }

  Position next() const override { return next_; }
  Position taken() const override { return taken_; }
  const LandCounters& counters() const override { return counters_; }
  std::map<std::string, TableLanded> TakeLanded() override { return std::exchange(landed_, {}); }

  Status Take(std::vector<BlockPtr> blocks, InputEnds ends, const MoreBlocks& more) override {
    if (!broken_) return broken_;   // what was taken and did not land is taken anew by the next lander
    Add(std::move(blocks));
    Status landed = LandPending(ends, more);
    while (landed && !beyond_.empty()) {  // what followed a stream of rows and was not one of them
      Add(std::exchange(beyond_, {}));
      landed = LandPending(InputEnds::kNo, nullptr);
    }
    if (landed && ends == InputEnds::kYes) landed = TidyAll();
    if (!landed) {
      broken_ = landed;
      writer_.Rollback();
      landing_.clear();
      for (auto& state : states_) {
        state.events.clear();
        state.raw.clear();
        state.beside.reset();
      }
      rejects_.clear();
      written_rejects_ = 0;
      pending_.clear();
      pending_bytes_ = 0;
    }
    return landed;
  }

  Status CatchUp(journal::Reader& reader) override {
    ASSIGN(const journal::Tail tail, reader.Refresh());
    while (taken_ < tail.end) {
      std::vector<BlockPtr> blocks;
      std::size_t bytes = 0;
      Position at = taken_;
      while (at < tail.end && bytes < kPartBytes / 4) {
        ASSIGN(BlockPtr block, reader.Read(at));
        if (!block) break;
        at = block->end();
        bytes += block->raw_bytes();
        blocks.push_back(std::move(block));
      }
      if (blocks.empty()) break;
      TRY(Take(std::move(blocks), InputEnds::kNo, nullptr));
    }
    return {};
  }

 private:
  Status Read() {
    auto& connection = writer_.connection();
    ASSIGN(version_, lake::CurrentVersion(connection, writer_.Committed("bundle")));
    if (version_ == 0) return WithHint(Fail(Code::kNotFound, "the warehouse was never applied"), "Run `nanohouse apply`.");
    ASSIGN(const auto builds, lake::ReadBuilds(connection, writer_.Committed("build")));
    ASSIGN(const auto names, lake::ReadVersion(connection, version_, writer_.Committed("version")));
    builds_.clear();
    states_.clear();
    by_stream_.clear();
    untidied_.clear();
    for (const auto& [name, id] : names)
      if (const auto at = builds.find(id); at != builds.end()) builds_[name] = at->second;
    for (const auto& table : contract_->tables)
      for (const auto& feed : table.sources) {
        if (feed.source != source_ || !builds_.count(table.name)) continue;
        TableState* state = nullptr;
        for (auto& known : states_)
          if (known.table == &table) state = &known;
        if (!state) {
          state = &states_.emplace_back();
          state->table = &table;
          state->build = builds_.at(table.name);
          TRY(Replan(*state));
        }
        by_stream_[feed.stream].push_back(state);
      }
    TRY(facts_.Load(writer_, source_));
    for (auto& state : states_) TRY(rereads_.Resume(state));
    for (const auto& [stream, states] : by_stream_) knows_versions_ = knows_versions_ || !facts_.of(stream).versions.empty();
    const auto at = writer_.head().sources.find(source_);
    next_ = taken_ = at == writer_.head().sources.end() ? Position{} : at->second;
    number_ = -1;
    return {};
  }

  void Add(std::vector<BlockPtr> blocks) {
    for (auto& block : blocks) {
      if (block->end() <= taken_) continue;  // read back already
      NANO_CHECK(block->begin() <= taken_ && taken_ <= block->end());
      pending_bytes_ += block->raw_bytes();
      taken_ = block->end();
      pending_.push_back(std::move(block));
    }
  }

  Status LandPending(InputEnds ends, const MoreBlocks& more) {
    // The newest place at which a batch may end.
    Position boundary = ends == InputEnds::kYes ? WholeEnd() : next_;
    for (auto block = pending_.rbegin(); block != pending_.rend() && boundary == next_; ++block)
      for (std::size_t n = (*block)->size(); n-- > 0 && boundary == next_;) {
        const Position at{(*block)->begin().value + n};
        const std::uint8_t flags = (*block)->outlined(n).flags;
        if (at < next_) break;
        if (flags & kEndsTransaction) boundary = Position{at.value + 1};
        else if (flags & kBeginsTransaction) boundary = at;
      }
    batch_bytes_ = pending_bytes_;
    if (boundary > next_) {
      TRY(LandUpTo(boundary, boundary == taken_ ? more : nullptr));
      TRY(CommitUpTo(next_));
    } else if (pending_bytes_ > kPartBytes) {
      TRY(LandUpTo(taken_, nullptr));
    }
    return {};
  }

  /// Where the input ends; but the first half of a key change that is there without the other, as in a file that is still being
  /// written, waits: the row that goes has values that the row that comes does not repeat.
  Position WholeEnd() const {
    std::size_t passed = 0;
    for (auto block = pending_.rbegin(); block != pending_.rend(); ++block)
      for (std::size_t n = (*block)->size(); n-- > 0;) {
        const Position at{(*block)->begin().value + n};
        if (at < next_ || ++passed > 2) return taken_;
        const Record record = (*block)->outlined(n);
        if (record.kind == RecordKind::kTombstone && passed == 1) continue;   // of the delete
        const bool half = record.format == Format::kDebezium && record.kind == RecordKind::kData && record.headers.find("\"__debezium.newkey\"") != std::string_view::npos;
        return half ? at : taken_;
      }
    return taken_;
  }

  Status LandUpTo(Position end, const MoreBlocks& more) {
    if (!writer_.in_transaction()) {
      ASSIGN(const auto lane, LaneFor(end));
      TRY(writer_.Begin(lane));
    }
    if (number_ < 0) { ASSIGN(number_, writer_.SourceNumber(source_)); }
    arena_ = Arena();
    for (std::size_t b = 0; b < pending_.size(); ++b) {
      const BlockPtr& held = pending_[b];
      const journal::Block& block = *held;
      const std::size_t begin = next_ > block.begin() ? static_cast<std::size_t>(next_.value - block.begin().value) : 0;
      const std::size_t stop = static_cast<std::size_t>(std::min(end, block.end()).value - block.begin().value);
      bool passed = false;
      if (begin < stop && block.uniform()) { ASSIGN(passed, SpanOfPlainRows(held, begin, stop)); }
      if (!passed)
        for (std::size_t n = begin; n < stop; ++n) TRY(LandRecord(b, n, block.outlined(n)));
      if (end <= block.end()) break;
    }
    TableState* const streamed = more ? OnlyPlainAppend() : nullptr;
    if (streamed) {
      pending_.clear();  // the spans hold what they need
      pending_bytes_ = 0;
      TRY(StreamRows(*streamed, more, end));
    }
    for (auto& state : states_) TRY(Flush(state));
    TRY(Quarantine(writer_, source_, std::span(rejects_).subspan(written_rejects_)));
    counters_.quarantined += rejects_.size() - written_rejects_;
    written_rejects_ = rejects_.size();
    TRY(facts_.Save(writer_));
    next_ = end;
    while (!pending_.empty() && pending_.front()->end() <= end) {
      pending_bytes_ -= pending_.front()->raw_bytes();
      pending_.pop_front();
    }
    return {};
  }

  Status CommitUpTo(Position end) {
    TRY(writer_.SetPosition(source_, end));
    TRY(writer_.Commit("land"));
    ++counters_.commits;
    std::vector<const TableState*> written;
    for (const auto& state : states_)   // a whole set comes without a word of it
      if (landing_.contains(state.table->name) || state.table->mode == contract::Mode::kReplace) written.push_back(&state);
    for (auto& [table, part] : landing_) {
      TableLanded& landed = landed_[table];
      landed.rows += part.rows;
      landed.newest = std::max(landed.newest, part.newest);
    }
    landing_.clear();
    for (const auto& reject : rejects_)
      if (!reject.table.empty()) ++landed_[reject.table].quarantined;
    rejects_.clear();
    written_rejects_ = 0;
    const bool behind = std::exchange(batch_bytes_, 0) >= kBehindBytes;
    for (const TableState* const state : written)
      if (++untidied_[state->table->name] >= kMostUntidied || !behind) TRY(Tidy(*state));
    return {};
  }

  Status Tidy(const TableState& state) {
    untidied_.erase(state.table->name);
    return writer_.Tidy(state.build);
  }
  Status TidyAll() {
    for (const auto& state : states_)
      if (untidied_.contains(state.table->name)) TRY(Tidy(state));
    return {};
  }

  /// What looks at the rows of its table in other ways than by key sees them only through the extension.
  Result<lake::LaneKind> LaneFor(Position end) {
    for (const auto& state : states_)
      if (state.table->mode == contract::Mode::kHistory || state.table->mode == contract::Mode::kReplace || state.beside ||
          state.build.definition.has(lake::Mark::kDeletedAt))
        return lake::LaneKind::kExtension;
    if (RereadsBefore(end)) return lake::LaneKind::kExtension;
    return writer_.LaneFor(Builds());
  }

  /// Whether rows of a table begin to be read once more among what waits.
  bool RereadsBefore(Position end) const {
    for (const auto& block : pending_) {
      if (block->begin() >= end) break;
      if (block->outlined(0).format != Format::kDebezium) continue;
      const std::size_t looked_at = block->uniform() ? 1 : block->size();
      for (std::size_t n = 0; n < looked_at; ++n)
        if (block->outlined(n).kind == RecordKind::kSnapshotEdge) return true;
    }
    return false;
  }

  std::vector<const lake::Build*> Builds() const {
    std::vector<const lake::Build*> builds;
    for (const auto& state : states_) builds.push_back(&state.build);
    return builds;
  }

  Status LandRecord(std::size_t block, std::size_t n, const Record& record) {
    ++counters_.records;
    const Position position{pending_[block]->begin().value + n};
    if (record.flags & kReplayed) {
      ++counters_.replayed;
      return {};
    }
    if (record.kind == RecordKind::kUnreadable) {
      rejects_.push_back({std::string(record.stream), "", "", "", std::string(record.bytes.substr(0, 4096)), "is not a message of the source", position, record.committed_at, {}});
      return {};
    }
    return record.format == Format::kSinger ? LandSinger(block, n, record, position) : LandDebezium(block, n, record, position);
  }

  // --- Debezium

  Status LandDebezium(std::size_t block, std::size_t n, const Record& record, Position position) {
    if (record.kind == RecordKind::kSnapshotEdge) return TakeRereadEdge(record, position);
    if (record.kind != RecordKind::kData && record.kind != RecordKind::kTruncate && record.kind != RecordKind::kTombstone) return {};
    LookAtStream(record.stream);
    if (!last_states_) return {};
    const wire::DebeziumEvent* change = &outlined_;
    std::optional<Result<wire::DebeziumEvent>> whole;
    if (record.outline.op == '\0' || !decoder_.DecodeRows(record.opening, record.bytes, record.outline, record.key, record.has_key, record.stream, arena_, outlined_)) {
      const std::string_view value = record.opening.empty() ? record.bytes : arena_.Keep(record.Whole());
      whole = decoder_.Decode(value, record.has_value, record.key, record.has_key, record.headers, record.stream, arena_);
      if (!*whole) {
        rejects_.push_back({std::string(record.stream), "", "", "", std::string(value.substr(0, 4096)), whole->error().message, position, record.committed_at, {}});
        return {};
      }
      change = &**whole;
    }
    StreamFacts& facts = *last_facts_;
    if (facts.key.empty() && !change->key.empty()) {
      for (const auto& field : change->key) facts.key.emplace_back(field.name);
      facts_.Touch(std::string(record.stream));
    }
    if (!facts.seen && change->has_after && !change->partial) {
      for (const auto& field : change->after) facts.fields.insert(std::string(field.name));
      facts.seen = true;
      facts_.Touch(std::string(record.stream));
    }
    std::string snapshot = wire::SnapshotOf(*change);
    const bool snapshot_begins = !snapshot.empty() && snapshot != facts.snapshot;
    if (snapshot_begins) {
      facts.snapshot = std::move(snapshot);
      facts_.Touch(std::string(record.stream));
    }
    for (TableState* state : *last_states_) {
      if (!state->plan && change->has_after && !change->partial) TRY(DecideFromChange(*state, *change, facts, block, n));
      if (!state->plan) continue;  // nothing of it is known, so nothing of it is in the table
      if (state->table->on_new_field == contract::OnNewField::kAppendNewColumns) TRY(AppendNewColumns(*state, *change, facts, std::string(record.stream)));
      if (rereads_.Takes(*state, last_stream_)) {
        const bool read = change->op == 'r';
        TRY(AddBeside(*state->beside, *change, record, position, read));
        if (read) continue;
      }
      if (snapshot_begins && SnapshotReplacesAll(*state->plan)) {
        Event begin;
        begin.op = Op::kSnapshotBegin;
        begin.position = position;
        state->events.push_back(begin);
      }
      TRY(AddDebeziumEvent(*state->plan, *change, record, position, number_, facts, arena_, state->events, rejects_));
    }
    return {};
  }

  /// What does not fit is told once: of a row that was read here, of any other by the table itself.
  Status AddBeside(TableState& beside, const wire::DebeziumEvent& change, const Record& record, Position position, bool read) {
    if (!read && beside.build.definition.identity == lake::Identity::kNone) return {};
    std::vector<Reject> told_elsewhere;
    auto& rejects = read ? rejects_ : told_elsewhere;
    const std::size_t before = rejects.size();
    TRY(AddDebeziumEvent(*beside.plan, change, record, position, number_, *last_facts_, arena_, beside.events, rejects));
    if (read)   // a field that is new was told with its first change
      rejects.erase(std::remove_if(rejects.begin() + static_cast<std::ptrdiff_t>(before), rejects.end(), [](const Reject& reject) { return reject.reason == kNewFieldReason; }), rejects.end());
    return {};
  }

  /// All rows of a stream are said once more from here on, or have been.
  Status TakeRereadEdge(const Record& record, Position position) {
    LookAtStream(record.stream);
    if (!last_states_) return {};
    const std::string stream = last_stream_;
    for (TableState* state : *last_states_) {
      if (record.bytes != kRereadEnds) {
        TRY(rereads_.Begin(*state, stream, record.bytes == kRereadCompares));
        continue;
      }
      ASSIGN(const auto outcome, rereads_.End(*state, stream, record.committed_at != kNoTime ? record.committed_at : record.ingested_at, lake::RowPosition(number_, position)));
      if (!outcome) continue;
      counters_.rows += outcome->written;
      landing_[state->table->name].rows += outcome->written;
    }
    return {};
  }

  Status DecideFromChange(TableState& state, const wire::DebeziumEvent& change, const StreamFacts& facts, std::size_t block, std::size_t n) {
    std::vector<SourceField> fields;
    bool unknown = false;
    for (const auto& field : change.after) {
      fields.push_back({std::string(field.name), wire::InferDebezium(field)});
      unknown = unknown || (!field.schema && field.token == "null");
    }
    if (unknown && state.build.definition.columns.empty()) LookAhead(change, fields, block, n);
    return Learn(state, fields, facts.key, true);
  }

  /// Without a schema NULL has no type: the first value that follows tells.
  void LookAhead(const wire::DebeziumEvent& change, std::vector<SourceField>& fields, std::size_t block, std::size_t n) {
    std::set<std::string> open;
    for (const auto& field : change.after)
      if (!field.schema && field.token == "null") open.insert(std::string(field.name));
    const std::string stream(pending_[block]->record(n).stream);
    std::size_t looked = 0;
    for (std::size_t b = block; b < pending_.size() && !open.empty(); ++b)
      for (std::size_t i = b == block ? n + 1 : 0; i < pending_[b]->size() && !open.empty(); ++i) {
        const Record record = pending_[b]->record(i);
        if (record.kind != RecordKind::kData || record.stream != stream) continue;
        if (++looked > kLookAhead) return;
        const auto next = decoder_.Decode(record.bytes, record.has_value, record.key, record.has_key, record.headers, record.stream, arena_);
        if (!next) continue;
        for (const auto& field : next->after)
          if (field.token != "null" && open.erase(std::string(field.name)) > 0)
            for (auto& known : fields)
              if (known.name == field.name) known.type = wire::InferDebezium(field);
      }
  }

  Status AppendNewColumns(TableState& state, const wire::DebeziumEvent& change, StreamFacts& facts, const std::string& stream) {
    std::vector<SourceField> added;
    for (const auto& field : change.after)
      if (!facts.fields.count(std::string(field.name))) added.push_back({std::string(field.name), wire::InferDebezium(field)});
    return AppendColumns(state, added, facts, stream);
  }

  // --- Singer

  Status LandSinger(std::size_t block, std::size_t n, const Record& record, Position position) {
    if (record.kind == RecordKind::kSchema) return TakeSchema(record, position);
    if (record.kind == RecordKind::kSnapshotEdge) return TakeEdge(record, position);
    if (record.kind == RecordKind::kActivateVersion) return ActivateVersion(record, position);
    if (record.kind != RecordKind::kData) return {};
    LookAtStream(record.stream);
    if (!last_facts_->seen) {
      rejects_.push_back({last_stream_, "", "", "", std::string(record.bytes.substr(0, 4096)), "is a record of a stream that has sent no SCHEMA", position, record.committed_at, {}});
      return {};
    }
    if (!last_states_) return {};
    const auto version = VersionOf(pending_[block], record);
    NoteVersion(last_stream_, version, position);
    for (TableState* state : *last_states_) {
      if (!state->plan) continue;
      TRY(sets_.Row(*state, last_stream_, version));
      if (IsPlainAppend(*state->plan)) {
        TRY(AddSpan(*state, {pending_[block], n, n + 1}));
      } else {
        TRY(AddSingerEvent(*state->plan, *state->reader, record, position, number_, *last_facts_, arena_, state->events, rejects_));
      }
    }
    return {};
  }

  void LookAtStream(std::string_view stream) {
    if (stream == last_stream_ && last_facts_) return;
    last_stream_ = stream;
    last_facts_ = &facts_.of(last_stream_);
    const auto found = by_stream_.find(last_stream_);
    last_states_ = found == by_stream_.end() ? nullptr : &found->second;
  }

  /// A block of rows of one stream that only plain appends take is not looked at one by one. False: it is no such block.
  Result<bool> SpanOfPlainRows(const BlockPtr& block, std::size_t begin, std::size_t stop) {
    const Record first = block->outlined(begin);
    if (first.format != Format::kSinger || first.kind != RecordKind::kData || (first.flags & kReplayed)) return false;
    LookAtStream(first.stream);
    if (!last_facts_->seen || !last_states_) return false;
    for (const TableState* state : *last_states_)
      if (!state->plan || !IsPlainAppend(*state->plan)) return false;
    const std::optional<std::int64_t> version = wire::SingerVersion(first.bytes, arena_);
    if (version != wire::SingerVersion(block->record(stop - 1).bytes, arena_)) return false;
    NoteVersion(last_stream_, version, Position{block->begin().value + begin});
    for (TableState* state : *last_states_) {
      TRY(sets_.Row(*state, last_stream_, version));
      TRY(AddSpan(*state, {block, begin, stop}));
    }
    counters_.records += stop - begin;
    return true;
  }

  Status AddSpan(TableState& state, const RawSpan& span) {
    if (state.raw_stream != last_stream_) TRY(Flush(state));
    state.raw_stream = last_stream_;
    if (!state.raw.empty() && state.raw.back().block == span.block && state.raw.back().end == span.begin) state.raw.back().end = span.end;
    else state.raw.push_back(span);
    return {};
  }

  /// Of a block of one stream's records the first and the last tell for all, if they agree.
  std::optional<std::int64_t> VersionOf(const BlockPtr& block, const Record& record) {
    if (!block->uniform()) return wire::SingerVersion(record.bytes, arena_);
    if (block != version_block_) {
      version_block_ = block;
      block_version_ = wire::SingerVersion(block->record(0).bytes, arena_);
      versions_agree_ = block_version_ == wire::SingerVersion(block->record(block->size() - 1).bytes, arena_);
    }
    return versions_agree_ ? block_version_ : wire::SingerVersion(record.bytes, arena_);
  }

  /// A row of the stream with this version stands at `at`.
  void NoteVersion(const std::string& stream, std::optional<std::int64_t> version, Position at) {
    if (!version && !knows_versions_) return;
    knows_versions_ = true;
    StreamFacts& facts = facts_.of(stream);
    bool shared = false;
    if (const auto found = by_stream_.find(stream); found != by_stream_.end())
      for (const TableState* state : found->second)
        for (const auto& feed : state->table->sources) {
          if (feed.source != source_ || feed.stream == stream) continue;
          shared = true;
          if (facts_.of(feed.stream).versions.Interrupt(at)) facts_.Touch(feed.stream);
        }
    if (facts.versions.Note(version, at, shared)) facts_.Touch(stream);
  }

  /// Rows of older versions of the stream go.
  Status ActivateVersion(const Record& record, Position position) {
    const auto message = wire::ParseSingerLine(record.bytes, arena_);
    const std::string stream(message.stream);
    const auto found = by_stream_.find(stream);
    if (found == by_stream_.end() || !message.version) return {};
    StreamFacts& facts = facts_.of(stream);
    Going going;
    for (const auto& [begin, end] : facts.versions.Activate(*message.version, position))
      if (begin < end) going.ranges.push_back({lake::RowPosition(number_, begin), lake::RowPosition(number_, end)});
    going.row_position = lake::RowPosition(number_, position);
    going.at = record.committed_at != kNoTime ? record.committed_at : record.ingested_at;
    for (TableState* state : found->second) {
      if (!state->plan) continue;
      if (state->table->mode == contract::Mode::kReplace) {
        TRY(sets_.Activate(*state, stream, *message.version));
      } else if (!going.ranges.empty()) {
        TRY(Flush(*state));
        TRY(RemoveRows(writer_, *state->plan, going, arena_));
      }
    }
    if (!going.ranges.empty()) facts_.Touch(stream);
    return {};
  }

  /// A run of the source begins or has said all (ingest marks it where a table takes whole sets).
  Status TakeEdge(const Record& record, Position position) {
    if (record.bytes == kRunBegins) return sets_.RunBegins(states_);
    return sets_.RunEnds(states_, record.ingested_at, lake::RowPosition(number_, position));
  }

  Status TakeSchema(const Record& record, Position position) {
    TRY(ReadSchema(record, position));
    if (const auto found = by_stream_.find(std::string(record.stream)); found != by_stream_.end())
      for (TableState* state : found->second) TRY(sets_.Announce(*state, std::string(record.stream)));
    return {};
  }

  Status ReadSchema(const Record& record, Position position) {
    const auto message = wire::ParseSingerLine(record.bytes, arena_);
    const std::string stream(message.stream);
    StreamFacts& facts = facts_.of(stream);
    if (facts.seen && facts.schema == message.schema) return {};
    const auto schema = wire::ParseSingerSchema(message.schema, message.key_properties);
    if (!schema) {
      rejects_.push_back({stream, "", "", "", std::string(record.bytes.substr(0, 4096)), schema.error().message, position, record.committed_at, {}});
      return {};
    }
    std::vector<SourceField> fields;
    for (const auto& property : schema->properties) fields.push_back({property.name, property.type});
    const auto found = by_stream_.find(stream);
    if (found != by_stream_.end())
      for (TableState* state : found->second) {
        TRY(Flush(*state));
        if (!state->plan) TRY(Learn(*state, fields, schema->key_properties, false));
      }
    facts.schema = std::string(message.schema);
    facts.key = schema->key_properties;
    if (!facts.seen) {
      for (const auto& field : fields) facts.fields.insert(field.name);
      facts.seen = true;
    } else if (found != by_stream_.end()) {
      for (TableState* state : found->second) {
        std::vector<SourceField> added;
        for (const auto& field : fields)
          if (!facts.fields.count(field.name)) added.push_back(field);
        if (state->table->on_new_field == contract::OnNewField::kAppendNewColumns) TRY(AppendColumns(*state, added, facts, stream));
      }
    }
    facts_.Touch(stream);
    return {};
  }

  // --- both

  /// Completes a build's definition from what the source says, makes its table and names.
  Status Learn(TableState& state, const std::vector<SourceField>& fields, const std::vector<std::string>& key, bool whole_row) {
    ASSIGN(auto definition, Decide(*state.table, state.build.definition, fields, key, whole_row));
    return Revise(state, std::move(definition));
  }

  Status AppendColumns(TableState& state, const std::vector<SourceField>& added, StreamFacts& facts, const std::string& stream) {
    lake::BuildDefinition definition = state.build.definition;
    bool changed = false;
    for (const auto& field : added) {
      facts.fields.insert(field.name);
      facts_.Touch(stream);
      if (definition.column(field.name)) continue;
      definition.columns.push_back({field.name, field.type, false, ""});
      changed = true;
    }
    if (!changed) return {};
    TRY(Flush(state));
    return Revise(state, std::move(definition));
  }

  Status Revise(TableState& state, lake::BuildDefinition definition) {
    lake::Build after = state.build;
    after.definition = std::move(definition);
    ++after.revision;
    const Status amended = writer_.Amend([&]() -> Status {
      TRY(lake::ReviseBuild(writer_, state.build, after));
      if (sets_.IsUnderWay(state)) TRY(lake::ReviseTable(writer_, SetOf(state.build, source_), SetOf(after, source_)));
      TRY(rereads_.Revise(state, after));
      builds_[state.table->name] = after;
      return lake::SetVersion(writer_, version_, builds_);
    });
    TRY(amended);
    state.build = after;
    TRY(Replan(state));
    return rereads_.Resume(state);
  }

  Status Replan(TableState& state) {
    state.plan.reset();
    state.reader.reset();
    if (IsUndecided(state.build.definition)) return {};
    ASSIGN(state.plan, MakePlan(*state.table, state.build, source_));
    state.reader = std::make_unique<SingerRowReader>(*state.plan);
    return {};
  }

  /// The one table of the source, if it has one, is a plain append and nothing else waits for it.
  TableState* OnlyPlainAppend() {
    if (states_.size() != 1) return nullptr;
    TableState& state = states_.front();
    return state.plan && IsPlainAppend(*state.plan) && !state.raw.empty() && state.events.empty() ? &state : nullptr;
  }

  /// Appends what waits and goes on, in the same statement, with what is journaled meanwhile: reading, journal, decoding and
  /// encoding work side by side, and a block is gone as soon as it was read. `end` becomes the end of what was taken.
  Status StreamRows(TableState& state, const MoreBlocks& more, Position& end) {
    const std::string stream = state.raw_stream;
    std::size_t bytes = 0;
    const auto next = [&](std::vector<RawSpan>& spans) {
      while (spans.empty() && beyond_.empty() && bytes < kStreamBytes) {
        std::vector<BlockPtr> blocks;
        if (!more(blocks)) return false;
        for (auto& block : blocks) {
          if (block->end() <= taken_) continue;
          if (!beyond_.empty() || !SpansOfStream(block, stream, spans) || !NoteVersions(state, *block, stream, spans)) {
            beyond_.push_back(std::move(block));
            continue;
          }
          bytes += block->raw_bytes();
          counters_.records += block->size();
          end = taken_ = block->end();
        }
      }
      return !spans.empty();
    };
    ASSIGN(const std::uint64_t rows, AppendSingerRows(writer_, *state.plan, facts_.of(stream), stream, number_,
                                                           std::exchange(state.raw, {}), next, rejects_));
    counters_.rows += rows;
    landing_[state.table->name].rows += rows;
    return {};
  }

  /// Of the spans that lie in the block. False: it is to be looked at record by record.
  bool NoteVersions(const TableState& state, const journal::Block& block, const std::string& stream, std::vector<RawSpan>& spans) {
    const std::size_t first = static_cast<std::size_t>(
        std::find_if(spans.begin(), spans.end(), [&](const RawSpan& span) { return span.block.get() == &block; }) - spans.begin());
    Arena arena;
    const auto version_at = [&](std::size_t n) { return wire::SingerVersion(block.record(n).bytes, arena); };
    bool alike = true;
    for (std::size_t s = first; s < spans.size() && alike; ++s) {
      const auto version = version_at(spans[s].begin);
      alike = version == version_at(spans[s].end - 1) && sets_.Takes(state, stream, version);
      if (alike) NoteVersion(stream, version, Position{block.begin().value + spans[s].begin});
    }
    if (!alike) spans.resize(first);
    return alike;
  }

  /// The rows of `stream` in a block that has nothing else but messages that move no row. False: it has.
  static bool SpansOfStream(const BlockPtr& block, std::string_view stream, std::vector<RawSpan>& spans) {
    const std::size_t before = spans.size();
    const std::size_t looked_at = block->uniform() ? 1 : block->size();
    for (std::size_t n = 0; n < looked_at; ++n) {
      const Record record = block->outlined(n);
      const bool idle = record.kind == RecordKind::kState || record.kind == RecordKind::kOther;
      if (record.format != Format::kSinger || (record.flags & kReplayed) || (!idle && (record.kind != RecordKind::kData || record.stream != stream))) {
        spans.resize(before);
        return false;
      }
      if (idle) continue;
      if (spans.size() > before && spans.back().end == n) ++spans.back().end;
      else spans.push_back({block, n, n + 1});
    }
    if (block->uniform() && spans.size() > before) spans.back().end = block->size();
    return true;
  }

  Status FlushBeside(TableState& beside) {
    if (beside.events.empty()) return {};
    std::set<std::uint64_t> read;   // of these it is told here what does not fit
    for (const auto& event : beside.events)
      if (event.op == Op::kRead) read.insert(event.position.value);
    const std::size_t before = rejects_.size();
    ASSIGN([[maybe_unused]] const Applied applied, ApplyEvents(writer_, *beside.plan, source_, beside.events, arena_, rejects_));
    rejects_.erase(std::remove_if(rejects_.begin() + static_cast<std::ptrdiff_t>(before), rejects_.end(), [&](const Reject& reject) { return !read.contains(reject.position.value); }),
                   rejects_.end());
    beside.events.clear();
    return {};
  }

  Status Flush(TableState& state) {
    if (state.beside) TRY(FlushBeside(*state.beside));
    if (!state.events.empty()) {
      TableLanded& landing = landing_[state.table->name];
      for (const auto& event : state.events)
        if (event.committed_at != kNoTime) landing.newest = std::max(landing.newest, event.committed_at);
      ASSIGN(const Applied applied, ApplyEvents(writer_, *state.plan, source_, state.events, arena_, rejects_));
      counters_.rows += applied.rows;
      landing.rows += applied.rows;
      state.events.clear();
    }
    if (!state.raw.empty()) {
      ASSIGN(const std::uint64_t rows, AppendSingerRows(writer_, *state.plan, facts_.of(state.raw_stream), state.raw_stream,
                                                             number_, std::exchange(state.raw, {}), nullptr, rejects_));
      counters_.rows += rows;
      landing_[state.table->name].rows += rows;
    }
    return {};
  }

  lake::Writer& writer_;
  std::shared_ptr<const Contract> contract_;
  std::string source_;
  int version_ = 0;
  std::map<std::string, lake::Build> builds_;           ///< by the name of the table
  std::list<TableState> states_;
  std::unordered_map<std::string, std::vector<TableState*>> by_stream_;
  FactsOfStreams facts_;
  wire::DebeziumDecoder decoder_;
  wire::DebeziumEvent outlined_;          ///< the change that is being landed, where its outline was known
  std::int64_t number_ = -1;

  std::deque<BlockPtr> pending_;
  std::size_t pending_bytes_ = 0;
  std::size_t batch_bytes_ = 0;            ///< of the batch that is being landed
  std::map<std::string, int> untidied_;    ///< commits by table since its files were merged last
  std::vector<BlockPtr> beyond_;     ///< came while rows were streamed, and is something else
  Position next_, taken_;
  Status broken_;                    ///< why nothing more can be landed here
  Arena arena_;
  std::vector<Reject> rejects_;           ///< of the open transaction
  std::size_t written_rejects_ = 0;       ///< of these are in quarantine
  LandCounters counters_;
  std::map<std::string, TableLanded> landing_, landed_;   ///< by table, of the open transaction; committed

  FullSets sets_;
  Rereads rereads_;
  BlockPtr version_block_;                               ///< whose records have `block_version_`, if `versions_agree_`
  std::optional<std::int64_t> block_version_;
  bool versions_agree_ = false;
  bool knows_versions_ = false;                          ///< some stream's records have one

  std::string last_stream_;                              ///< records of one stream mostly follow each other
  StreamFacts* last_facts_ = nullptr;
  const std::vector<TableState*>* last_states_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Lander>> Lander::Open(lake::Writer& writer, std::shared_ptr<const Contract> contract, const std::string& source) {
  auto lander = std::make_unique<SourceLander>(writer, std::move(contract), source);
  TRY(lander->Load());
  return std::unique_ptr<Lander>(std::move(lander));
}

}  // namespace nano::land
