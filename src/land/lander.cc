// SPDX-License-Identifier: Apache-2.0
#include "land/lander.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <list>
#include <unordered_map>

#include "base/check.h"
#include "lake/lane.h"
#include "land/apply.h"
#include "land/debezium_events.h"
#include "land/decide.h"
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
/// Records looked at ahead, to infer the type of a field that is NULL at first.
constexpr std::size_t kLookAhead = 1000;

class SourceLander final : public Lander {
 public:
  SourceLander(lake::Writer& writer, std::shared_ptr<const Contract> contract, std::string source)
      : writer_(writer), contract_(std::move(contract)), source_(std::move(source)), lane_(lake::MakeExtensionLane()) {}

  /// Reads what is deployed, in one transaction: each of its own would ask the catalog anew.
  Status Load() {
    auto& connection = writer_.connection();
    TRY(connection.Execute("BEGIN TRANSACTION"));
    const Status read = Read();
    TRY(connection.Execute("COMMIT"));
    TRY(read);
    return lake::SyncTableOptions(connection, builds_);
  }

  Position next() const override { return next_; }
  Position taken() const override { return taken_; }
  const LandCounters& counters() const override { return counters_; }

  Status Take(std::vector<BlockPtr> blocks, InputEnds ends, const MoreBlocks& more) override {
    Add(std::move(blocks));
    Status landed = LandPending(ends, more);
    while (landed && !beyond_.empty()) {  // what followed a stream of rows and was not one of them
      Add(std::exchange(beyond_, {}));
      landed = LandPending(InputEnds::kNo, nullptr);
    }
    if (!landed) {
      writer_.Rollback();
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
    ASSIGN(version_, lake::CurrentVersion(connection));
    if (version_ == 0) return WithHint(Fail(Code::kNotFound, "the warehouse was never applied"), "Run `nanohouse apply`.");
    ASSIGN(const auto builds, lake::ReadBuilds(connection));
    ASSIGN(const auto names, lake::ReadVersion(connection, version_));
    builds_.clear();
    states_.clear();
    by_stream_.clear();
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
    TRY(facts_.Load(connection, source_));
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
    Position boundary = ends == InputEnds::kYes ? taken_ : next_;
    for (auto block = pending_.rbegin(); block != pending_.rend() && boundary == next_; ++block)
      for (std::size_t n = (*block)->size(); n-- > 0 && boundary == next_;) {
        const Position at{(*block)->begin().value + n};
        const std::uint8_t flags = (*block)->record(n).flags;
        if (at < next_) break;
        if (flags & kEndsTransaction) boundary = Position{at.value + 1};
        else if (flags & kBeginsTransaction) boundary = at;
      }
    if (boundary > next_) {
      TRY(LandUpTo(boundary, boundary == taken_ ? more : nullptr));
      TRY(CommitUpTo(next_));
    } else if (pending_bytes_ > kPartBytes) {
      TRY(LandUpTo(taken_, nullptr));
    }
    return {};
  }

  Status LandUpTo(Position end, const MoreBlocks& more) {
    if (!writer_.in_transaction()) TRY(writer_.Begin());
    if (number_ < 0) { ASSIGN(number_, writer_.SourceNumber(source_)); }
    arena_ = Arena();
    for (std::size_t b = 0; b < pending_.size(); ++b) {
      const BlockPtr& held = pending_[b];
      const journal::Block& block = *held;
      const std::size_t begin = next_ > block.begin() ? static_cast<std::size_t>(next_.value - block.begin().value) : 0;
      const std::size_t stop = static_cast<std::size_t>(std::min(end, block.end()).value - block.begin().value);
      if (begin >= stop || !block.uniform() || !SpanOfPlainRows(held, begin, stop))
        for (std::size_t n = begin; n < stop; ++n) TRY(LandRecord(b, n, block.record(n)));
      if (end <= block.end()) break;
    }
    TableState* const streamed = more ? OnlyPlainAppend() : nullptr;
    if (streamed) {
      pending_.clear();  // the spans hold what they need
      pending_bytes_ = 0;
      TRY(StreamRows(*streamed, more, end));
    }
    for (auto& state : states_) TRY(Flush(state));
    TRY(Quarantine(writer_, source_, rejects_));
    counters_.quarantined += rejects_.size();
    rejects_.clear();
    TRY(facts_.Save(writer_.connection()));
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
    return {};
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
    if (record.kind != RecordKind::kData && record.kind != RecordKind::kTruncate && record.kind != RecordKind::kTombstone) return {};
    const auto found = by_stream_.find(std::string(record.stream));
    if (found == by_stream_.end()) return {};
    auto change = decoder_.Decode(record.bytes, record.has_value, record.key, record.has_key, record.headers, record.stream, arena_);
    if (!change) {
      rejects_.push_back({std::string(record.stream), "", "", "", std::string(record.bytes.substr(0, 4096)), change.error().message, position, record.committed_at, {}});
      return {};
    }
    StreamFacts& facts = facts_.of(std::string(record.stream));
    if (!facts.seen && change->has_after) {
      for (const auto& field : change->after) facts.fields.insert(std::string(field.name));
      for (const auto& field : change->key) facts.key.emplace_back(field.name);
      facts.seen = true;
      facts_.Touch(std::string(record.stream));
    }
    std::string snapshot = SnapshotOf(*change);
    const bool snapshot_begins = !snapshot.empty() && snapshot != facts.snapshot;
    if (snapshot_begins) {
      facts.snapshot = std::move(snapshot);
      facts_.Touch(std::string(record.stream));
    }
    for (TableState* state : found->second) {
      if (!state->plan && change->has_after) TRY(DecideFromChange(*state, *change, facts, block, n));
      if (!state->plan) continue;  // nothing of it is known, so nothing of it is in the table
      if (state->table->on_new_field == contract::OnNewField::kAppendNewColumns) TRY(AppendNewColumns(*state, *change, facts, std::string(record.stream)));
      if (snapshot_begins && state->plan->build.definition.identity != lake::Identity::kKey && state->plan->sources_of_same_name == 1) {
        Event begin;
        begin.op = Op::kSnapshotBegin;
        begin.position = position;
        state->events.push_back(begin);
      }
      TRY(AddDebeziumEvent(*state->plan, *change, record, position, number_, facts, arena_, state->events, rejects_));
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
    if (record.kind != RecordKind::kData) return {};
    LookAtStream(record.stream);
    if (!last_facts_->seen) {
      rejects_.push_back({last_stream_, "", "", "", std::string(record.bytes.substr(0, 4096)), "is a record of a stream that has sent no SCHEMA", position, record.committed_at, {}});
      return {};
    }
    if (!last_states_) return {};
    for (TableState* state : *last_states_) {
      if (!state->plan) continue;
      if (IsPlainAppend(*state->plan)) {
        AddSpan(*state, {pending_[block], n, n + 1});
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
  bool SpanOfPlainRows(const BlockPtr& block, std::size_t begin, std::size_t stop) {
    const Record first = block->record(begin);
    if (first.format != Format::kSinger || first.kind != RecordKind::kData || (first.flags & kReplayed)) return false;
    LookAtStream(first.stream);
    if (!last_facts_->seen || !last_states_) return false;
    for (const TableState* state : *last_states_)
      if (!state->plan || !IsPlainAppend(*state->plan)) return false;
    for (TableState* state : *last_states_) AddSpan(*state, {block, begin, stop});
    counters_.records += stop - begin;
    return true;
  }

  void AddSpan(TableState& state, const RawSpan& span) {
    state.raw_stream = last_stream_;
    if (!state.raw.empty() && state.raw.back().block == span.block && state.raw.back().end == span.begin) state.raw.back().end = span.end;
    else state.raw.push_back(span);
  }

  Status TakeSchema(const Record& record, Position position) {
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
    TRY(lake::ReviseBuild(writer_, state.build, after));
    state.build = after;
    builds_[state.table->name] = after;
    TRY(lake::SetVersion(writer_, version_, builds_));
    return Replan(state);
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
          if (!beyond_.empty() || !SpansOfStream(block, stream, spans)) {
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
    return {};
  }

  /// The rows of `stream` in a block that has nothing else but messages that move no row. False: it has.
  static bool SpansOfStream(const BlockPtr& block, std::string_view stream, std::vector<RawSpan>& spans) {
    const std::size_t before = spans.size();
    const std::size_t looked_at = block->uniform() ? 1 : block->size();
    for (std::size_t n = 0; n < looked_at; ++n) {
      const Record record = block->record(n);
      const bool idle = record.kind == RecordKind::kState || record.kind == RecordKind::kOther || record.kind == RecordKind::kActivateVersion;
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

  Status Flush(TableState& state) {
    if (!state.events.empty()) {
      ASSIGN(const Applied applied, ApplyEvents(writer_, *lane_, *state.plan, source_, state.events, arena_, rejects_));
      counters_.rows += applied.rows;
      state.events.clear();
    }
    if (!state.raw.empty()) {
      ASSIGN(const std::uint64_t rows, AppendSingerRows(writer_, *state.plan, facts_.of(state.raw_stream), state.raw_stream,
                                                             number_, std::exchange(state.raw, {}), nullptr, rejects_));
      counters_.rows += rows;
    }
    return {};
  }

  lake::Writer& writer_;
  std::shared_ptr<const Contract> contract_;
  std::string source_;
  std::unique_ptr<lake::Lane> lane_;
  int version_ = 0;
  std::map<std::string, lake::Build> builds_;           ///< by the name of the table
  std::list<TableState> states_;
  std::unordered_map<std::string, std::vector<TableState*>> by_stream_;
  FactsOfStreams facts_;
  wire::DebeziumDecoder decoder_;
  std::int64_t number_ = -1;

  std::deque<BlockPtr> pending_;
  std::size_t pending_bytes_ = 0;
  std::vector<BlockPtr> beyond_;     ///< came while rows were streamed, and is something else
  Position next_, taken_;
  Arena arena_;
  std::vector<Reject> rejects_;
  LandCounters counters_;

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
