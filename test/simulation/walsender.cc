// SPDX-License-Identifier: Apache-2.0
#include "walsender.h"

#include <algorithm>

namespace nano::simulation {
namespace {

constexpr std::int64_t kFrom1970To2000 = 946'684'800'000'000;
/// A long value is kept beside its row.
constexpr std::size_t kLong = 60;

template <class Number>
void Put(std::string& out, Number number) {
  for (int shift = 8 * (static_cast<int>(sizeof number) - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xff);
}
void PutName(std::string& out, std::string_view name) {
  out += name;
  out += '\0';
}

void PutRow(std::string& out, const Row& row, const std::vector<bool>& unchanged = {}) {
  Put(out, static_cast<std::uint16_t>(row.size()));
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!unchanged.empty() && unchanged[i]) {
      out += 'u';
    } else if (!row[i]) {
      out += 'n';
    } else {
      out += 't';
      Put(out, static_cast<std::uint32_t>(row[i]->size()));
      out += *row[i];
    }
  }
}

/// Of the old row only the key.
Row KeyRow(const Table& table, const Row& row) {
  Row out(row.size());
  for (const std::size_t column : table.key) out[column] = row[column];
  return out;
}

void PutOld(std::string& out, const Table& table, const Row& row) {
  const bool full = table.identity == wire::ReplicaIdentity::kFull;
  out += full ? 'O' : 'K';
  PutRow(out, full ? row : KeyRow(table, row));
}

std::string Describe(const Table& table, std::uint32_t in_stream) {
  std::string out = "R";
  if (in_stream != 0) Put(out, in_stream);
  Put(out, table.oid);
  PutName(out, "public");
  PutName(out, table.name);
  out += static_cast<char>(table.identity);
  Put(out, static_cast<std::uint16_t>(table.columns.size()));
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const bool in_key = table.identity == wire::ReplicaIdentity::kFull || std::find(table.key.begin(), table.key.end(), i) != table.key.end();
    out += static_cast<char>(in_key ? 1 : 0);
    PutName(out, table.columns[i].name);
    Put(out, table.columns[i].type);
    Put(out, std::int32_t{-1});
  }
  return out;
}

std::string Body(const Table& table, const Change& change, std::uint32_t in_stream) {
  std::string out;
  const auto open = [&](char letter) {
    out += letter;
    if (in_stream != 0) Put(out, in_stream);
  };
  switch (change.kind) {
    case Change::Kind::kInsert:
      open('I');
      Put(out, table.oid);
      out += 'N';
      PutRow(out, change.after);
      break;
    case Change::Kind::kUpdate: {
      open('U');
      Put(out, table.oid);
      const bool full = table.identity == wire::ReplicaIdentity::kFull;
      if (full || change.key != change.key_before) PutOld(out, table, change.before);
      std::vector<bool> unchanged;
      for (std::size_t i = 0; i < change.after.size(); ++i)
        unchanged.push_back(table.columns[i].wide && change.after[i] && change.after[i]->size() > kLong && change.after[i] == change.before[i]);
      out += 'N';
      PutRow(out, change.after, unchanged);
      break;
    }
    case Change::Kind::kDelete:
      open('D');
      Put(out, table.oid);
      PutOld(out, table, change.before);
      break;
    case Change::Kind::kTruncate:
      open('T');
      Put(out, std::uint32_t{1});
      out += '\0';
      Put(out, table.oid);
      break;
    case Change::Kind::kMessage: break;   // is of no table
  }
  return out;
}

}  // namespace

std::string Walsender::Frame(std::uint64_t at, const std::string& message) const {
  std::string out = "w";
  Put(out, at);
  Put(out, at);
  Put(out, database_.now() - kFrom1970To2000);
  return out + message;
}

std::string Walsender::Keepalive(bool wants_reply) const {
  std::string out = "k";
  Put(out, sent_);
  Put(out, database_.now() - kFrom1970To2000);
  out += static_cast<char>(wants_reply ? 1 : 0);
  return out;
}

void Walsender::Push(std::uint64_t at, const std::string& message, std::deque<std::string>& frames) {
  if (draw_.Chance(0.03)) frames.push_back(Keepalive(draw_.Chance(0.3)));   // also within a transaction
  frames.push_back(Frame(at, message));
}

bool Walsender::Produce(std::deque<std::string>& frames) {
  const auto& log = database_.log();
  if (next_ >= log.size() || log[next_].end > database_.flushed_end()) return false;
  const WalRecord& record = log[next_++];
  switch (record.kind) {
    case WalRecord::Kind::kChange: Gather(record, frames); break;
    case WalRecord::Kind::kMessage:
      if (start_.messages && record.begin >= start_.from) {
        Push(record.begin, Message(record.begin, false, 0, record.text), frames);
      }
      break;
    case WalRecord::Kind::kCommit: Commit(record, frames); break;
    case WalRecord::Kind::kSubAbort:
    case WalRecord::Kind::kAbort: {
      const auto found = open_.find(record.xid);
      if (found == open_.end()) break;
      const bool whole = record.kind == WalRecord::Kind::kAbort;
      const std::uint32_t gone = whole ? record.xid : record.subxid;
      if (found->second.is_streamed && (whole || found->second.streamed.contains(gone))) {
        std::string out = "A";
        Put(out, record.xid);
        Put(out, gone);
        Push(record.begin, out, frames);
        found->second.described.clear();   // a description may have been among what is rolled back
      }
      if (whole) open_.erase(found);
      else std::erase_if(found->second.pieces, [&](const Piece& piece) { return piece.subxid == gone; });
      break;
    }
  }
  sent_ = record.end;
  if (draw_.Chance(0.05)) frames.push_back(Keepalive(draw_.Chance(0.3)));
  return true;
}

void Walsender::Gather(const WalRecord& record, std::deque<std::string>& frames) {
  Gathered& gathered = open_[record.xid];
  if (gathered.first == 0) gathered.first = record.begin;
  const auto published = start_.published.find(record.change->table);
  // A transaction that had begun before the table was published does not send it.
  const bool tells = record.change->kind == Change::Kind::kMessage;
  if (tells ? !start_.messages : published == start_.published.end() || gathered.first < published->second) return;
  gathered.pieces.push_back({record.begin, record.subxid, record.change});
  constexpr std::size_t kMany = 5;
  if (start_.streams && record.begin >= start_.from && gathered.pieces.size() >= kMany && draw_.Chance(0.5)) StreamOut(record.xid, gathered, frames);
}

void Walsender::StreamOut(std::uint32_t xid, Gathered& gathered, std::deque<std::string>& frames) {
  std::string start = "S";
  Put(start, xid);
  start += static_cast<char>(gathered.is_streamed ? 0 : 1);
  const std::uint64_t at = gathered.pieces.empty() ? gathered.first : gathered.pieces.front().at;
  Push(at, start, frames);
  gathered.is_streamed = true;
  for (const Piece& piece : gathered.pieces) {
    const std::uint32_t of = piece.subxid != 0 ? piece.subxid : xid;
    gathered.streamed.insert(of);
    SendChange(piece, of, gathered.described, frames);
  }
  gathered.pieces.clear();
  Push(at, "E", frames);
}

/// A logical message; of a transaction where `transactional`.
std::string Walsender::Message(std::uint64_t at, bool transactional, std::uint32_t in_stream, const std::string& text) {
  std::string out = "M";
  if (in_stream != 0) Put(out, in_stream);
  out += static_cast<char>(transactional ? 1 : 0);
  Put(out, at);
  PutName(out, "nanohouse");
  Put(out, static_cast<std::uint32_t>(text.size()));
  return out + text;
}

void Walsender::SendChange(const Piece& piece, std::uint32_t in_stream, std::set<std::size_t>& described, std::deque<std::string>& frames) {
  if (piece.change->kind == Change::Kind::kMessage) return Push(piece.at, Message(piece.at, true, in_stream, piece.change->key), frames);
  const Table& table = database_.tables()[piece.change->table];
  if (described.insert(piece.change->table).second || draw_.Chance(0.02)) Push(piece.at, Describe(table, in_stream), frames);
  Push(piece.at, Body(table, *piece.change, in_stream), frames);
}

void Walsender::Commit(const WalRecord& record, std::deque<std::string>& frames) {
  const auto found = open_.find(record.xid);
  if (found == open_.end()) return;
  Gathered gathered = std::move(found->second);
  open_.erase(found);
  if (record.begin < start_.from) return;
  std::string end;
  end += '\0';
  Put(end, record.begin);
  Put(end, record.end);
  Put(end, record.time - kFrom1970To2000);
  if (gathered.is_streamed) {
    if (!gathered.pieces.empty()) StreamOut(record.xid, gathered, frames);
    std::string out = "c";
    Put(out, record.xid);
    Push(record.end, out + end, frames);
    described_.insert(gathered.described.begin(), gathered.described.end());
    return;
  }
  if (gathered.pieces.empty() && !start_.tells_empty) return;
  std::string begin = "B";
  Put(begin, record.begin);
  Put(begin, record.time - kFrom1970To2000);
  Put(begin, record.xid);
  Push(gathered.first, begin, frames);
  for (const Piece& piece : gathered.pieces) SendChange(piece, 0, described_, frames);
  Push(record.end, "C" + end, frames);
}

}  // namespace nano::simulation
