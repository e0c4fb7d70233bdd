// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_feed.h"

#include <algorithm>
#include <random>

#include "base/clock.h"
#include "ingest/checkpoint.h"
#include "ingest/postgres_catalog.h"
#include "ingest/postgres_changes.h"
#include "ingest/postgres_setup.h"
#include "ingest/postgres_snapshot.h"
#include "ingest/postgres_stream.h"
#include "io/signals.h"
#include "wire/json_get.h"

namespace nano::ingest {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// What came is committed once nothing more has come for so long.
constexpr milliseconds kQuiet{30};
/// A call that has nothing to give ends after so long.
constexpr milliseconds kIdle{250};
/// How often an idle slot is moved on.
constexpr std::chrono::seconds kIdleCheckpoint{10};
/// How often the server is asked how far it has come, where no mark tells.
constexpr milliseconds kAskEvery{50};

std::string Nonce() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

/// What the checkpoint says of the source's place.
struct Place {
  bool known = false;
  std::string system, database, slot;
  wire::Lsn lsn;

  static Place Of(const json& checkpoint) {
    const json in = wire::Get(checkpoint, "postgres", json());
    Place place;
    place.known = in.is_object();
    if (!place.known) return place;
    place.system = wire::Get(in, "system", "");
    place.database = wire::Get(in, "database", "");
    place.slot = wire::Get(in, "slot", "");
    place.lsn = wire::ParseLsn(wire::Get(in, "lsn", "")).value_or(wire::Lsn{});
    return place;
  }
};

class PostgresFeed final : public Feed {
 public:
  PostgresFeed(const contract::Source& source, journal::Writer& journal, const FeedOptions& options, Secret url, std::unique_ptr<io::Postgres> queries)
      : source_(source), journal_(journal), options_(options), url_(std::move(url)), queries_(std::move(queries)),
        snapshot_({*queries_, url_, types_, source.postgres.publication, Nonce(), options.exact_streams}),
        changes_(journal, options.spool, [this](const wire::PgMessage& relation) { return Describe(relation); }, snapshot_) {}

  /// Makes ready what the database lacks, and begins to read.
  Status Open() {
    ASSIGN(const json checkpoint, ReadCheckpoint(journal_.tail().checkpoint));
    place_ = Place::Of(checkpoint);
    ASSIGN(identity_, Identify(*queries_));
    slot_ = SlotName(source_, options_.warehouse);
    ASSIGN(const auto streams, WantedStreams(*queries_, source_.postgres, options_.streams));
    wanted_.insert(streams.begin(), streams.end());
    TRY(MakePublication(*queries_, source_.postgres, streams));
    ASSIGN(const auto now, queries_->Query(queries_->server_version() >= 130000 ? "SELECT pg_snapshot_xmax(pg_current_snapshot())"
                                                                                 : "SELECT txid_snapshot_xmax(txid_current_snapshot())"));
    snapshot_.Load(wire::Get(checkpoint, "postgres", json::object()), streams, static_cast<std::uint64_t>(now.integer(0, 0)));
    TRY(OpenSlot());
    changes_.SkipBefore(place_.lsn);
    journaled_ = place_.lsn;
    TRY(CommitCheckpoint());   // from here on it is known that there was a slot
    ASSIGN(stream_, PostgresStream::Start(url_, {slot_, {source_.postgres.publication}, place_.lsn}));
    return options_.follow ? Status() : AskForEnd();
  }

  Result<Step> Next(std::size_t bytes) override {
    Step step;
    const auto began = Clock::now();
    auto last_frame = began;
    while (!step.end) {
      now_ = NowMicros();
      if (io::StopRequested()) {
        step.end = true;
        break;
      }
      if (!changes_.in_transaction()) TRY(snapshot_.Advance(changes_, now_));
      ASSIGN(const auto frame, stream_->Next());
      const auto now = Clock::now();
      const bool pending = journal_.pending_bytes() > 0;
      if (frame) {
        last_frame = now;
        TRY(TakeFrame(*frame));
      } else if (!changes_.in_transaction()) {
        step.end = IsOver();
        if (step.end || (pending && now - last_frame >= kQuiet)) break;
        if (!pending && now - began >= kIdle) break;
      }
      if (!changes_.in_transaction() && pending && (journal_.pending_bytes() >= bytes || now - began >= options_.commit_every)) break;
      if (!frame) TRY(WaitForMore(pending));
    }
    if (!changes_.in_transaction()) TRY(Commit(step));
    step.journaled = journal_.tail().end;
    progress_.messages = changes_.changes();
    progress_.note = snapshot_.note();
    return step;
  }
  const FeedProgress& progress() const override { return progress_; }

 private:
  // --- at the beginning

  Status OpenSlot() {
    ASSIGN(const Slot slot, FindSlot(*queries_, slot_));
    if (!place_.known) {
      if (slot.state == SlotState::kThere) return StartAt(slot.confirmed);   // made by a run that got no further
      if (slot.state == SlotState::kLost) TRY(DropSlot(*queries_, slot_));
      ASSIGN(const wire::Lsn made, MakeSlot(*queries_, slot_));
      return StartAt(made);
    }
    const std::string lost = WhyLost(slot);
    if (lost.empty()) return StartAt(place_.lsn);
    if (source_.postgres.on_slot_lost != contract::PostgresSource::OnSlotLost::kResync)
      return WithHint(Fail(Code::kCorrupt, "changes of the database are lost: {}", lost),
                      "Say `on_slot_lost: resync` in the source: then all of its tables are read anew.");
    if (slot.state != SlotState::kMissing) TRY(DropSlot(*queries_, slot_));
    const wire::Lsn before = place_.lsn;
    ASSIGN(const wire::Lsn made, MakeSlot(*queries_, slot_));
    snapshot_.StartOver();
    const std::string gap = json{{"gap", {{"from", LsnText(before)}, {"to", LsnText(made)}, {"because", lost}}}}.dump();
    TRY(changes_.Append({RecordKind::kGap, {}, gap, {}, {}, kNoTime, kBeginsTransaction | kEndsTransaction, made}, NowMicros()));
    return StartAt(made);
  }

  Status StartAt(wire::Lsn lsn) {
    place_ = {true, identity_.system, identity_.database, slot_, lsn};
    return {};
  }

  /// Why changes since the checkpoint can't come any more; "" if they can.
  std::string WhyLost(const Slot& slot) const {
    if (place_.system != identity_.system || place_.database != identity_.database) return "the url leads to another database than before";
    if (identity_.end < place_.lsn) return fmt::format("its log ends at {}, before {} that is journaled: it was restored from a backup", LsnText(identity_.end), LsnText(place_.lsn));
    if (slot.state == SlotState::kMissing) return fmt::format("replication slot \"{}\" is gone", slot_);
    if (slot.state == SlotState::kLost) return fmt::format("replication slot \"{}\" was invalidated, as it held back more log than the server keeps", slot_);
    if (slot.confirmed > place_.lsn) return fmt::format("replication slot \"{}\" was moved on to {} by another reader", slot_, LsnText(slot.confirmed));
    return {};
  }

  /// What is in the log now is read, and no more.
  Status AskForEnd() {
    end_mark_ = "end " + Nonce();
    ASSIGN(const auto place, queries_->Query("SELECT pg_logical_emit_message(false, $1, $2), txid_current()", {std::string(kMarkPrefix), end_mark_}));
    end_at_ = wire::ParseLsn(place.text(0, 0)).value_or(wire::Lsn{});
    return {};
  }

  Result<std::unique_ptr<wire::PgTable>> Describe(const wire::PgMessage& relation) {
    const std::string stream = fmt::format("{}.{}", relation.schema, relation.name);
    if (!wanted_.contains(stream)) return std::unique_ptr<wire::PgTable>();
    std::vector<wire::PgTableColumn> columns;
    std::vector<std::string> key;
    std::vector<std::uint32_t> oids;
    const bool flagged = relation.identity == wire::ReplicaIdentity::kDefault || relation.identity == wire::ReplicaIdentity::kIndex;
    for (const auto& column : relation.columns) {
      columns.push_back({std::string(column.name), column.type, column.modifier});
      oids.push_back(column.type);
      if (flagged && column.in_key) key.emplace_back(column.name);
    }
    if (!flagged) { ASSIGN(key, ReadPrimaryKey(*queries_, relation.relation)); }
    TRY(LearnTypes(*queries_, oids, types_));
    return std::make_unique<wire::PgTable>(MakePgTable(std::string(relation.schema), std::string(relation.name), columns, key, types_));
  }

  // --- on the way

  Status TakeFrame(const wire::WalFrame& frame) {
    if (frame.kind == wire::WalFrame::Kind::kData) {
      progress_.bytes += frame.data.size();
      TRY(changes_.Take(frame.begin, frame.data, now_));
    } else if (!changes_.in_transaction()) {
      changes_.SkipBefore(frame.end);
    }
    if (changes_.in_transaction()) return {};
    for (const auto& mark : changes_.TakeMarks()) {
      if (mark == end_mark_) ended_ = true;
      TRY(snapshot_.OnMark(mark, changes_, now_));
    }
    ended_ = ended_ || (end_at_.value != 0 && changes_.done() >= end_at_);
    return snapshot_.OnReached(changes_.done(), changes_, now_);
  }

  bool IsOver() const { return !options_.follow && ended_ && snapshot_.complete(); }

  Status WaitForMore(bool pending) {
    const bool asks = !stream_->has_messages() && (snapshot_.waits_for_mark() || (!options_.follow && !ended_));
    if (asks) TRY(stream_->AskWhere());
    const bool reads_on = !snapshot_.complete() && !snapshot_.waits_for_mark();
    (void)stream_->Wait(reads_on ? milliseconds(5) : asks ? kAskEvery : pending ? kQuiet : kIdle);
    return {};
  }

  // --- what is durable

  Status Commit(Step& step) {
    const bool pending = journal_.pending_bytes() > 0;
    const bool moved = changes_.done() > journaled_;
    if (!pending && !(moved && (step.end || Clock::now() - committed_ >= kIdleCheckpoint))) return {};
    place_.lsn = std::max(place_.lsn, changes_.done());
    ASSIGN(step.blocks, journal_.Commit(Checkpoint()));
    committed_ = Clock::now();
    journaled_ = place_.lsn;
    return stream_->Acknowledge(journaled_);
  }
  Status CommitCheckpoint() {
    ASSIGN([[maybe_unused]] const auto blocks, journal_.Commit(Checkpoint()));
    return {};
  }

  std::string Checkpoint() const {
    json out = NewCheckpoint();
    json& postgres = out["postgres"] = snapshot_.Save();
    postgres["system"] = place_.system;
    postgres["database"] = place_.database;
    postgres["slot"] = slot_;
    postgres["lsn"] = LsnText(place_.lsn);
    return out.dump();
  }

  const contract::Source& source_;
  journal::Writer& journal_;
  const FeedOptions options_;
  const Secret url_;
  std::unique_ptr<io::Postgres> queries_;
  wire::PgTypes types_;
  std::set<std::string> wanted_;
  SystemIdentity identity_;
  std::string slot_;
  Place place_;
  PostgresSnapshot snapshot_;
  PostgresChanges changes_;
  std::unique_ptr<PostgresStream> stream_;
  std::string end_mark_;             ///< comes by the stream once all is read that was there at the beginning
  wire::Lsn end_at_;
  bool ended_ = false;
  wire::Lsn journaled_;              ///< what the checkpoint has
  Clock::time_point committed_ = Clock::now();
  std::int64_t now_ = 0;
  FeedProgress progress_;
};

}  // namespace

Result<std::unique_ptr<Feed>> OpenPostgres(const contract::Source& source, journal::Writer& journal, const FeedOptions& options) {
  ASSIGN(Secret url, source.postgres.url.Resolve());
  ASSIGN(auto queries, io::Postgres::Connect(url, io::Postgres::Mode::kQueries));
  auto feed = std::make_unique<PostgresFeed>(source, journal, options, std::move(url), std::move(queries));
  TRY(feed->Open());
  return std::unique_ptr<Feed>(std::move(feed));
}

}  // namespace nano::ingest
