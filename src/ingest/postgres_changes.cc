// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_changes.h"

#include <algorithm>

namespace nano::ingest {
namespace {

using wire::PgMessage;
using wire::PgValue;
using Kind = wire::PgMessage::Kind;

bool Lacks(const std::vector<PgValue>& row) {
  return std::any_of(row.begin(), row.end(), [](const PgValue& value) { return value.kind == PgValue::Kind::kUnchanged; });
}

}  // namespace

Status PostgresChanges::Take(wire::Lsn at, std::string_view bytes, std::int64_t now) {
  now_ = now;
  return streaming_ != 0 ? TakeInStream(at, bytes) : TakeOutside(at, bytes);
}

Status PostgresChanges::TakeInStream(wire::Lsn at, std::string_view bytes) {
  if (bytes == "E") {
    streaming_ = 0;
    return {};
  }
  return streamed_[streaming_].spool->Add(at.value, bytes);
}

Status PostgresChanges::TakeOutside(wire::Lsn at, std::string_view bytes) {
  TRY(DecodePgOutput(bytes, wire::InStream::kNo, message_));
  switch (message_.kind) {
    case Kind::kBegin: return Begin(message_.xid, message_.lsn, message_.time);
    case Kind::kCommit: return Commit(message_.end);
    case Kind::kStreamStart: {
      Streamed& streamed = streamed_[message_.xid];
      if (!streamed.spool) { ASSIGN(streamed.spool, io::Spool::Make(spool_folder_)); }
      streaming_ = message_.xid;
      return {};
    }
    case Kind::kStreamCommit: return Replay(message_);
    case Kind::kStreamAbort:
      if (message_.xid == message_.subxid) streamed_.erase(message_.xid);
      else streamed_[message_.xid].aborted.insert(message_.subxid);
      return {};
    case Kind::kBeginPrepare: case Kind::kPrepare: case Kind::kCommitPrepared: case Kind::kRollbackPrepared: case Kind::kStreamPrepare:
      return WithHint(Fail(Code::kUnsupported, "the replication slot sends prepared transactions before they are committed"),
                      "Make the slot without two_phase: then they come when they are committed.");
    default: return TakeChange(at);
  }
}

/// A large transaction that came before its commit, without what was rolled back of it.
Status PostgresChanges::Replay(const PgMessage& commit) {
  const auto found = streamed_.find(commit.xid);
  if (found == streamed_.end()) return {};
  const Streamed streamed = std::move(found->second);
  streamed_.erase(found);
  const wire::Lsn end = commit.end;
  TRY(Begin(commit.xid, commit.lsn, commit.time));
  std::uint64_t at = 0;
  std::string_view bytes;
  while (streamed.spool) {
    ASSIGN(const bool more, streamed.spool->Next(at, bytes));
    if (!more) break;
    TRY(DecodePgOutput(bytes, wire::InStream::kYes, message_));
    if (!streamed.aborted.contains(message_.xid)) TRY(TakeChange(wire::Lsn{at}));
  }
  return Commit(end);
}

Status PostgresChanges::Begin(std::uint32_t xid, wire::Lsn commit, std::int64_t time) {
  if (open_) return Fail(Code::kCorrupt, "a transaction begins inside another");
  if (expects_last_) {
    if (Transaction{commit, xid, time} != last_ && commit >= last_.commit)
      return Fail(Code::kCorrupt, "the database sends another transaction than the one that is journaled at {}", LsnText(last_.commit));
    expects_last_ = commit < last_.commit;
  }
  open_ = true;
  began_ = false;
  skipping_ = commit < done_;
  origin_ = {};
  origin_.xid = xid;
  origin_.commit = commit;
  origin_.time = time;
  if (!skipping_) watch_.Begin(xid, commit);
  return {};
}

Status PostgresChanges::Commit(wire::Lsn end) {
  if (!open_) return Fail(Code::kCorrupt, "a transaction ends that has not begun");
  TRY(Release(kEndsTransaction));
  if (!skipping_) last_ = {origin_.commit, static_cast<std::uint32_t>(origin_.xid), origin_.time};
  open_ = false;
  done_ = std::max(done_, end);
  return {};
}

Status PostgresChanges::TakeChange(wire::Lsn at) {
  switch (message_.kind) {
    case Kind::kRelation: return TakeRelation();
    case Kind::kInsert: case Kind::kUpdate: case Kind::kDelete: return skipping_ ? Status() : TakeRow(at);
    case Kind::kTruncate: return skipping_ ? Status() : TakeTruncate(at);
    case Kind::kMessage:
      if (message_.name == kMarkPrefix && !(open_ && skipping_)) marks_.emplace_back(message_.content);
      return {};
    default: return {};
  }
}

Status PostgresChanges::TakeRelation() {
  ASSIGN(auto table, describe_(message_));
  relations_[message_.relation] = {std::move(table)};
  return {};
}

Result<const wire::PgTable*> PostgresChanges::TableOf(std::uint32_t relation) const {
  const auto found = relations_.find(relation);
  if (found == relations_.end()) return Fail(Code::kCorrupt, "a change is of a table that was not described");
  return found->second.table.get();
}

/// With the whole old row at hand, nothing is missing in the new one.
void PostgresChanges::FillFromOld() {
  if (!message_.has_before || message_.before_is_key || message_.before.size() != message_.after.size()) return;
  for (std::size_t i = 0; i < message_.after.size(); ++i)
    if (message_.after[i].kind == PgValue::Kind::kUnchanged) message_.after[i] = message_.before[i];
}

Status PostgresChanges::TakeRow(wire::Lsn at) {
  ASSIGN(const wire::PgTable* const table, TableOf(message_.relation));
  if (!table) return {};
  const auto fits = [&](const std::vector<PgValue>& row) { return row.empty() || row.size() == table->columns.size(); };
  if (!fits(message_.before) || !fits(message_.after)) return Fail(Code::kCorrupt, "a change of table \"{}\" has another number of values than columns", table->stream);
  const auto verdict = watch_.Judge(table->stream);
  if (verdict == ChangeWatch::Verdict::kDrop) return {};
  origin_.lsn = at;
  origin_.pending = verdict == ChangeWatch::Verdict::kPending;
  ++changes_;
  FillFromOld();
  value_.clear();
  key_.clear();
  headers_.clear();
  outline_ = {};
  if (message_.kind == Kind::kDelete) {
    if (WriteKey(*table, message_.before, key_)) watch_.Changed(table->stream, {key_});
    outline_ = WriteChange(*table, 'd', message_.before, message_.before_is_key, {}, origin_, value_);
    return Hold(RecordKind::kData, *table, at);
  }
  const bool keyed = WriteKey(*table, message_.after, key_);
  if (message_.kind == Kind::kUpdate && message_.has_before && keyed) {
    old_key_.clear();
    if (WriteKey(*table, message_.before, old_key_) && old_key_ != key_) return Move(*table, at);
  }
  if (keyed) watch_.Changed(table->stream, {key_, Lacks(message_.after)});
  const bool shows_old = message_.has_before && !message_.before_is_key;
  const char op = message_.kind == Kind::kInsert ? 'c' : 'u';
  outline_ = WriteChange(*table, op, shows_old ? wire::PgRow(message_.before) : wire::PgRow(), false, message_.after, origin_, value_);
  return Hold(RecordKind::kData, *table, at);
}

/// A row that gets another key goes from the old one and comes to the new one, and each half names the other.
Status PostgresChanges::Move(const wire::PgTable& table, wire::Lsn at) {
  watch_.Changed(table.stream, {old_key_});
  watch_.Changed(table.stream, {key_, Lacks(message_.after), true});
  std::swap(key_, old_key_);   // key_: the old one
  headers_ = wire::NewKeyHeader(old_key_);
  WriteChange(table, 'd', message_.before, message_.before_is_key, {}, origin_, value_);
  TRY(Hold(RecordKind::kData, table, at));
  headers_ = wire::OldKeyHeader(held_.key);
  key_ = old_key_;
  value_.clear();
  WriteChange(table, 'c', {}, false, message_.after, origin_, value_);
  return Hold(RecordKind::kData, table, at);
}

Status PostgresChanges::TakeTruncate(wire::Lsn at) {
  for (const std::uint32_t relation : message_.relations) {
    ASSIGN(const wire::PgTable* const table, TableOf(relation));
    if (!table) continue;
    const auto verdict = watch_.Judge(table->stream);
    if (verdict == ChangeWatch::Verdict::kDrop) continue;
    watch_.Truncated(table->stream);
    origin_.lsn = at;
    origin_.pending = false;
    ++changes_;
    value_.clear();
    key_.clear();
    headers_.clear();
    outline_ = {};
    WriteChange(*table, 't', {}, false, {}, origin_, value_);
    TRY(Hold(RecordKind::kTruncate, *table, at));
  }
  return {};
}

Status PostgresChanges::Hold(RecordKind kind, const wire::PgTable& table, wire::Lsn at) {
  TRY(Release(0));
  held_.there = true;
  held_.kind = kind;
  held_.stream = table.stream;
  std::swap(held_.value, value_);
  held_.key = key_;
  held_.headers = headers_;
  held_.lsn = at;
  held_.outline = outline_;
  return {};
}

Status PostgresChanges::Release(std::uint8_t flags) {
  if (!held_.there) return {};
  held_.there = false;
  if (!began_) flags |= kBeginsTransaction;
  began_ = true;
  return Append({held_.kind, held_.stream, held_.value, held_.key, held_.headers, origin_.time, flags, held_.lsn, held_.outline}, now_);
}

Status PostgresChanges::Append(const Piece& piece, std::int64_t now) {
  Record record;
  record.kind = piece.kind;
  record.format = Format::kDebezium;
  record.flags = piece.flags;
  record.stream = piece.stream;
  record.bytes = piece.value;
  record.key = piece.key;
  record.has_key = !piece.key.empty();
  record.headers = piece.headers;
  record.source_offset = piece.lsn.value;
  record.committed_at = piece.committed_at;
  record.ingested_at = now;
  record.outline = piece.outline;
  ASSIGN([[maybe_unused]] const Position position, journal_.Append(record));
  return {};
}

}  // namespace nano::ingest
