// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_feed.h"

#include <algorithm>
#include <random>

#include "base/clock.h"
#include "ingest/checkpoint.h"
#include "ingest/postgres_catalog.h"
#include "ingest/postgres_changes.h"
#include "ingest/postgres_ddl.h"
#include "ingest/postgres_place.h"
#include "ingest/postgres_setup.h"
#include "ingest/postgres_snapshot.h"
#include "ingest/postgres_stream.h"
#include "io/signals.h"
#include "wire/json_get.h"

namespace nano::ingest {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// What came is committed once nothing more has come for so long.
constexpr milliseconds kQuiet{30};
/// A call that has nothing to give ends after so long.
constexpr milliseconds kIdle{250};
/// Tables are read in larger steps: nobody waits for a part of their rows, and a step is a sync of the disk.
constexpr std::size_t kReadBytes = 32 << 20;
/// That read tables at once.
constexpr std::size_t kConnections = 4;
/// How often an idle slot is moved on.
constexpr std::chrono::seconds kIdleCheckpoint{10};
/// How often the server is asked how far it has come, where no mark tells.
constexpr milliseconds kAskEvery{50};

std::string Nonce() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

class PostgresFeed final : public Feed {
 public:
  PostgresFeed(const contract::Source& source, journal::Writer& journal, const FeedOptions& options, Secret url, std::unique_ptr<io::Postgres> queries)
      : source_(source), journal_(journal), options_(options), url_(std::move(url)), queries_(std::move(queries)),
        snapshot_({*queries_, options_.connect, url_, types_, source.postgres.publication, Nonce(), options.exact_streams, kConnections}),
        changes_(journal, options.spool, [this](const wire::PgMessage& relation) { return Describe(relation); }, snapshot_) {}

  /// Makes ready what the database lacks, and begins to read.
  Status Open() {
    ASSIGN(const json checkpoint, ReadCheckpoint(journal_.tail().checkpoint));
    const json known = wire::Get(checkpoint, "postgres", json());
    place_ = PostgresPlace::Of(known);
    ASSIGN(identity_, Identify(*queries_));
    slot_ = SlotName(source_, options_.warehouse);
    ASSIGN(const auto streams, WantedStreams(*queries_, source_.postgres, options_.streams));
    wanted_.insert(streams.begin(), streams.end());
    TRY(MakePublication(*queries_, source_.postgres, streams));
    snapshot_.Load(known, streams);
    TRY(OpenSlot());
    TRY(Begin());
    if (changes_.expects_last()) {
      ASSIGN(const bool same, IsSameHistory());
      if (!same) {
        stream_.reset();
        TRY(Lost("its log is not the one that was read: it was restored from a backup"));
        TRY(Begin());
      }
    }
    if (std::exchange(place_.asked, Asked::kNothing) != Asked::kNothing) TRY(CommitCheckpoint());
    return options_.follow ? Status() : AskForEnd();
  }

  Result<Step> Next(std::size_t bytes) override {
    Step step;
    const auto began = NowSteady();
    auto last_frame = began;
    while (!step.end) {
      now_ = NowMicros();
      if (io::StopRequested()) {
        step.end = true;
        break;
      }
      if (!changes_.in_transaction()) TRY(snapshot_.Advance(changes_, now_));
      ASSIGN(const auto frame, stream_->Next());
      const auto now = NowSteady();
      const bool pending = journal_.pending_bytes() > 0;
      if (frame) {
        last_frame = now;
        TRY(TakeFrame(*frame));
      } else if (!changes_.in_transaction()) {
        step.end = IsOver();
        if (step.end || (pending && now - last_frame >= kQuiet)) break;
        if (!pending && now - began >= kIdle) break;
      }
      if (!changes_.in_transaction() && pending && (journal_.pending_bytes() >= (snapshot_.complete() ? bytes : std::max(bytes, kReadBytes)) || now - began >= options_.commit_every)) break;
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
    if (place_.asked == Asked::kReset) return Renew("it was told to begin anew", Reread::kReplaces);
    if (const std::string lost = WhyLost(slot); !lost.empty()) return Lost(lost);
    confirmed_ = slot.confirmed;
    return {};
  }

  /// Changes can't come any more: an error, unless it was said what to do then.
  Status Lost(const std::string& why) {
    using OnSlotLost = contract::PostgresSource::OnSlotLost;
    const OnSlotLost rule = source_.postgres.on_slot_lost;
    if (place_.asked == Asked::kHeal || (place_.asked == Asked::kNothing && rule == OnSlotLost::kHeal)) return Renew(why, Reread::kCompares);
    if (place_.asked == Asked::kResync || rule == OnSlotLost::kResync) return Renew(why, Reread::kReplaces);
    return WithHint(Fail(Code::kCorrupt, "changes of the database are lost: {}", why),
                    fmt::format("`nanohouse source heal {0}` reads its tables once more and writes what differs; `on_slot_lost: heal` does so by itself.", source_.name));
  }

  /// A new slot, the gap for all to see, and every table read anew.
  Status Renew(const std::string& why, Reread reread) {
    if (Status dropped = DropSlot(*queries_, slot_); !dropped && dropped.error().code != Code::kNotFound) return dropped;
    const wire::Lsn before = place_.lsn;
    ASSIGN(const wire::Lsn made, MakeSlot(*queries_, slot_));
    snapshot_.StartOver(reread);
    if (options_.on_log) options_.on_log(fmt::format("{}: a new replication slot from {}, and its tables are read once more", why, LsnText(made)));
    const std::string gap = json{{"gap", {{"from", LsnText(before)}, {"to", LsnText(made)}, {"because", why}}}}.dump();
    TRY(changes_.Append({RecordKind::kGap, {}, gap, {}, {}, kNoTime, kBeginsTransaction | kEndsTransaction, made}, NowMicros()));
    return StartAt(made);
  }

  Status StartAt(wire::Lsn lsn) {
    place_ = {true, identity_.system, identity_.database, slot_, lsn, {}, Asked::kNothing, {}};
    confirmed_ = lsn;
    return {};
  }

  /// From the place on. Where the server does not know that place to be durable here, the last transaction is asked for once more.
  Status Begin() {
    ASSIGN(const auto now, queries_->Query(queries_->server_version() >= 130000 ? "SELECT pg_snapshot_xmax(pg_current_snapshot())"
                                                                                 : "SELECT txid_snapshot_xmax(txid_current_snapshot())"));
    snapshot_.NotBefore(static_cast<std::uint64_t>(now.integer(0, 0)));
    place_.slot = slot_;
    changes_.StartAt(place_.lsn, place_.last);
    journaled_ = place_.lsn;
    TRY(CommitCheckpoint());   // from here on it is known that there was a slot
    const bool asks = place_.last.commit.value != 0 && confirmed_ <= place_.last.commit;
    if (asks) changes_.ExpectLast();
    ASSIGN(stream_, PostgresStream::Start(options_.connect, url_, {slot_, {source_.postgres.publication}, asks ? place_.last.commit : place_.lsn}));
    return {};
  }

  /// Reads until the last transaction has come once more. False: it does not.
  Result<bool> IsSameHistory() {
    now_ = NowMicros();
    while (changes_.expects_last()) {
      if (io::StopRequested()) return Fail(Code::kUnavailable, "stopped while the database was asked");
      ASSIGN(const auto frame, stream_->Next());
      if (!frame) {
        TRY(stream_->AskWhere());
        (void)stream_->Wait(kAskEvery);
        continue;
      }
      if (frame->kind == wire::WalFrame::Kind::kKeepalive) {
        if (frame->end < place_.lsn) continue;   // it has not come there yet
      } else {
        const Status taken = changes_.Take(frame->begin, frame->data, now_);
        if (taken || taken.error().code != Code::kCorrupt) {
          TRY(taken);
          continue;
        }
      }
      ASSIGN(const Slot slot, FindSlot(*queries_, slot_));
      if (slot.confirmed > place_.last.commit) return Fail(Code::kUnavailable, "a session that read the slot before had not ended");
      return false;
    }
    TRY(stream_->Acknowledge(place_.lsn));
    return true;
  }

  /// Why changes since the checkpoint can't come any more; "" if they can.
  std::string WhyLost(const Slot& slot) const {
    if (place_.system != identity_.system || place_.database != identity_.database) return "the url leads to another database than before";
    if (identity_.end < place_.lsn) return fmt::format("its log ends at {}, before {} that is journaled: it was restored from a backup", LsnText(identity_.end), LsnText(place_.lsn));
    if (slot.state == SlotState::kMissing && !place_.dropped.empty()) return place_.dropped;
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
      if (mark.starts_with(kSeenMark)) saves_ = true;
      if (const auto ddl = ParseDdlMark(mark)) ReadAgain(*ddl);
      TRY(snapshot_.OnMark(mark, changes_, now_));
    }
    ended_ = ended_ || (end_at_.value != 0 && changes_.done() >= end_at_);
    return snapshot_.OnReached(changes_.done(), changes_, now_);
  }

  /// DDL changed the rows of a table, which sends no changes.
  void ReadAgain(const DdlMark& ddl) {
    if (!wanted_.contains(ddl.stream)) return;
    if (options_.on_log) options_.on_log(fmt::format("table \"{}\" is read once more: {}", ddl.stream, ddl.because));
    std::set<std::string> streams{ddl.stream};
    for (const auto& group : options_.together)
      if (group.contains(ddl.stream)) streams.insert(group.begin(), group.end());
    for (const auto& stream : streams) snapshot_.Again(stream, Reread::kCompares);
  }

  bool IsOver() const { return !options_.follow && ended_ && snapshot_.complete(); }

  Status WaitForMore(bool pending) {
    const bool waits_for_stream = snapshot_.waits_for_stream(changes_.done());
    const bool asks = waits_for_stream || (!stream_->has_messages() && (snapshot_.waits_for_mark() || (!options_.follow && !ended_)));
    if (asks) TRY(stream_->AskWhere());
    const bool reads_on = !snapshot_.complete() && !snapshot_.waits_for_mark() && !waits_for_stream;   // something is due at any moment
    (void)stream_->Wait(reads_on ? milliseconds(5) : asks ? kAskEvery : pending ? kQuiet : kIdle);
    return {};
  }

  // --- what is durable

  Status Commit(Step& step) {
    const bool pending = journal_.pending_bytes() > 0;
    const bool moved = changes_.done() > journaled_;
    if (!pending && !(moved && (step.end || saves_ || NowSteady() - committed_ >= kIdleCheckpoint))) return {};
    saves_ = false;
    place_.lsn = std::max(place_.lsn, changes_.done());
    place_.last = changes_.last();
    ASSIGN(step.blocks, journal_.Commit(Checkpoint()));
    committed_ = NowSteady();
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
    place_.Save(postgres);
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
  PostgresPlace place_;
  wire::Lsn confirmed_;              ///< what the server knows to be durable here
  PostgresSnapshot snapshot_;
  PostgresChanges changes_;
  std::unique_ptr<PostgresStream> stream_;
  std::string end_mark_;             ///< comes by the stream once all is read that was there at the beginning
  wire::Lsn end_at_;
  bool ended_ = false;
  bool saves_ = false;               ///< somebody waits for the checkpoint to say how far the stream has come
  wire::Lsn journaled_;              ///< what the checkpoint has
  Clock::Steady committed_ = NowSteady();
  std::int64_t now_ = 0;
  FeedProgress progress_;
};

}  // namespace

Result<std::unique_ptr<Feed>> OpenPostgres(const contract::Source& source, journal::Writer& journal, const FeedOptions& options) {
  ASSIGN(Secret url, source.postgres.url.Resolve());
  ASSIGN(auto queries, options.connect(url, io::Postgres::Mode::kQueries));
  auto feed = std::make_unique<PostgresFeed>(source, journal, options, std::move(url), std::move(queries));
  TRY(feed->Open());
  return std::unique_ptr<Feed>(std::move(feed));
}

}  // namespace nano::ingest
