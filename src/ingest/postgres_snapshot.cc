// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_snapshot.h"

#include <algorithm>

#include "wire/json_get.h"
#include "wire/postgres_text.h"

namespace nano::ingest {
namespace {

using nlohmann::json;
using wire::PgOrigin;
using wire::PgValue;

/// What a chunk is meant to hold in memory, and what it may hold at most.
constexpr std::size_t kChunkBytes = 8 << 20;
constexpr std::size_t kMostChunkRows = 50'000, kLeastChunkRows = 200;
/// Rows with missing values that are asked for at once.
constexpr std::size_t kMostLacking = 500;
/// Transactions that may be remembered before the database is asked which of them are seen.
constexpr std::size_t kManyRecent = 200;
/// How soon a snapshot is taken again that did not see enough.
constexpr std::int64_t kRetryMicros = 20'000;

std::string SnapshotSql(const io::Postgres& queries) {
  return queries.server_version() >= 130000 ? "pg_current_snapshot()" : "txid_current_snapshot()";
}

std::string ColumnList(const io::Postgres& queries, const std::vector<wire::PgTableColumn>& columns) {
  std::string out;
  for (const auto& column : columns) out += (out.empty() ? "" : ", ") + queries.Identifier(column.name);
  return out;
}

std::string NameList(const io::Postgres& queries, const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + queries.Identifier(name);
  return out;
}

/// Rows of a partitioned table are its partitions'; those of any other are its own alone.
std::string FromClause(const io::Postgres& queries, const TableName& name, const CatalogTable& catalog) {
  return fmt::format("{}{}.{}", catalog.kind == 'p' ? "" : "ONLY ", queries.Identifier(name.schema), queries.Identifier(name.table));
}

void TakeValues(const std::vector<wire::CopyValue>& copied, std::vector<PgValue>& row) {
  row.clear();
  for (const auto& value : copied) row.push_back(value.is_null ? PgValue{} : PgValue{PgValue::Kind::kText, value.text});
}

/// A key's value, written as JSON, as PostgreSQL's own text again.
std::string TextOfKey(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "t" : "f";
  return value.dump();
}

}  // namespace

void PostgresSnapshot::Load(const json& saved, const std::vector<std::string>& streams, std::uint64_t after) {
  const json tables = wire::Get(saved, "tables", json::object());
  for (const auto xid : wire::Get(saved, "recent", std::vector<std::uint32_t>{})) recent_.Add(xid);
  for (const auto& stream : streams) {
    order_.push_back(stream);
    Table& table = tables_[stream];
    const json known = wire::Get(tables, stream.c_str(), json());
    if (!known.is_object()) {
      table.after = after;
      continue;
    }
    const std::string step = wire::Get(known, "step", "");
    table.step = step == "done" ? Step::kDone : step == "chunks" ? Step::kChunks : Step::kWaiting;
    table.last = wire::Get(known, "last", Key{});
    table.last_chunk_done = wire::Get(known, "last_chunk_done", false);
    table.after = wire::Get(known, "after", std::uint64_t{0});
    table.replaces = wire::Get(known, "replaces", false);
    table.taken_at = wire::ParseLsn(wire::Get(known, "taken_at", "")).value_or(wire::Lsn{});
    table.lacking = wire::Get(known, "lacking", std::vector<std::string>{});
    table.rows = wire::Get(known, "rows", std::uint64_t{0});
  }
}

json PostgresSnapshot::Save() const {
  json tables = json::object();
  for (const auto& [stream, table] : tables_) {
    json& out = tables[stream];
    out["step"] = table.step == Step::kDone ? "done" : table.step == Step::kChunks ? "chunks" : "waiting";
    if (!table.last.empty()) out["last"] = table.last;
    if (table.last_chunk_done && table.step != Step::kDone) out["last_chunk_done"] = true;
    if (table.after != 0 && table.step != Step::kDone) out["after"] = table.after;
    if (table.replaces) out["replaces"] = true;
    if (table.taken_at.value != 0) out["taken_at"] = LsnText(table.taken_at);
    if (!table.lacking.empty()) out["lacking"] = table.lacking;
    out["rows"] = table.rows;
  }
  return {{"tables", std::move(tables)}, {"recent", recent_.all()}};
}

void PostgresSnapshot::StartOver() {
  for (auto& [stream, table] : tables_) {
    table = Table{};
    table.replaces = true;
  }
  recent_ = {};
}

bool PostgresSnapshot::complete() const {
  return std::all_of(tables_.begin(), tables_.end(), [](const auto& item) { return item.second.step == Step::kDone; });
}

std::string PostgresSnapshot::note() const {
  for (const auto& stream : order_)
    if (const Table& table = tables_.at(stream); table.step == Step::kChunks) return fmt::format("reading {}: {} rows", stream, table.rows);
  return {};
}

// --- what the stream tells

void PostgresSnapshot::Begin(std::uint32_t xid, wire::Lsn commit) {
  xid_ = xid;
  commit_ = commit;
  recent_.Add(xid);
}

ChangeWatch::Verdict PostgresSnapshot::Judge(const std::string& stream) {
  const auto found = tables_.find(stream);
  if (found == tables_.end()) return Verdict::kTake;
  const Table& table = found->second;
  switch (table.step) {
    case Step::kWaiting: return Verdict::kDrop;   // every snapshot that will be taken sees it
    case Step::kChunks: return Verdict::kPending;
    case Step::kDone: break;
  }
  return commit_ < table.taken_at ? Verdict::kDrop : Verdict::kTake;
}

void PostgresSnapshot::Changed(const std::string& stream, const Row& row) {
  const auto found = tables_.find(stream);
  if (found == tables_.end() || found->second.step != Step::kChunks) return;
  // Where it comes from may not be read yet, and where it comes to may be.
  if (row.lacks && row.moved) found->second.lacking.emplace_back(row.key);
  if (!chunk_ || chunk_->stream != stream) return;
  chunk_->changed[std::string(row.key)].push_back(xid_);
  if (row.lacks) chunk_->lacking.emplace_back(row.key, xid_);
}

void PostgresSnapshot::Truncated(const std::string& stream) {
  if (chunk_ && chunk_->stream == stream) chunk_->truncated.push_back(xid_);
}

// --- reading

PostgresSnapshot::Table* PostgresSnapshot::Next(std::string& stream) {
  Table* waiting = nullptr;
  for (const auto& name : order_) {
    Table& table = tables_.at(name);
    if (table.step == Step::kDone || (waiting && table.step != Step::kChunks)) continue;
    stream = name;
    waiting = &table;
    if (table.step == Step::kChunks) break;
  }
  return waiting;
}

Status PostgresSnapshot::Advance(PostgresChanges& changes, std::int64_t now) {
  if (chunk_ || now < retry_at_) return {};
  std::string stream;
  Table* const table = Next(stream);
  if (!table) {
    if (recent_.all().size() < kManyRecent) return {};
    ASSIGN(const auto rows, access_.queries.Query("SELECT " + SnapshotSql(access_.queries)));
    if (const auto snapshot = Visibility::Parse(rows.text(0, 0))) recent_.Forget(*snapshot);
    return {};
  }
  const auto name = SplitStream(stream);
  if (!name) return Fail(Code::kInvalid, "stream \"{}\" names no schema", stream);
  ASSIGN(const auto catalog, ReadCatalogTable(access_.queries, *name, access_.publication));
  if (catalog.key().empty() || (table->step == Step::kWaiting && access_.whole.contains(stream))) return ReadWhole(stream, *table, changes, now);
  auto& queries = access_.queries;
  TRY(queries.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  const auto read = ReadChunk(stream, *table);
  const Status ended = queries.Execute("ROLLBACK");
  TRY(read);
  TRY(ended);
  if (!*read) {
    retry_at_ = now + kRetryMicros;
    return {};
  }
  table->step = Step::kChunks;
  chunk_->mark = fmt::format("high {} {}", access_.nonce, ++marks_);
  // The commit that the transaction's id brings has the log written out, and so the mark.
  ASSIGN(const auto place, queries.Query("SELECT pg_logical_emit_message(false, $1, $2), txid_current()", {std::string(kMarkPrefix), chunk_->mark}));
  chunk_->high = wire::ParseLsn(place.text(0, 0)).value_or(wire::Lsn{});
  return {};
}

/// Whether the transaction's snapshot sees all that the stream has said so far; it becomes the chunk's.
Result<bool> PostgresSnapshot::SeesEnough(Table& table, Chunk& chunk) {
  ASSIGN(const auto rows, access_.queries.Query(fmt::format("SELECT {}, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", SnapshotSql(access_.queries))));
  const auto snapshot = Visibility::Parse(rows.text(0, 0));
  if (!snapshot) return Fail(Code::kInternal, "the database's snapshot can't be read");
  if (snapshot->xmin() < table.after || !recent_.AllSeenBy(*snapshot)) return false;
  recent_.Forget(*snapshot);
  chunk.snapshot = *snapshot;
  chunk.time = rows.integer(0, 1);
  return true;
}

/// False: not yet.
Result<bool> PostgresSnapshot::ReadChunk(const std::string& stream, Table& table) {
  auto chunk = std::make_unique<Chunk>();
  chunk->stream = stream;
  chunk->table = &table;
  ASSIGN(const bool enough, SeesEnough(table, *chunk));
  if (!enough) return false;
  const TableName name = *SplitStream(stream);
  ASSIGN(const auto catalog, ReadCatalogTable(access_.queries, name, access_.publication));   // as the snapshot has it
  std::vector<std::uint32_t> oids;
  for (const auto& column : catalog.columns) oids.push_back(column.type);
  TRY(LearnTypes(access_.queries, oids, access_.types));
  chunk->shape = Shape(name, catalog);
  if (table.last_chunk_done) {
    chunk->of_lacking = true;
    chunk->asked.assign(table.lacking.begin(), table.lacking.begin() + static_cast<std::ptrdiff_t>(std::min(table.lacking.size(), kMostLacking)));
    if (!chunk->asked.empty()) TRY(CopyRows(name, catalog, ConditionOf(catalog, chunk->asked), *chunk, 0));
  } else {
    TRY(CopyRows(name, catalog, ConditionAfter(catalog, table.last), *chunk, chunk_rows_));
  }
  chunk_ = std::move(chunk);
  return true;
}

std::unique_ptr<wire::PgTable> PostgresSnapshot::Shape(const TableName& name, const CatalogTable& catalog) const {
  return std::make_unique<wire::PgTable>(MakePgTable(name.schema, name.table, catalog.columns, catalog.key(), access_.types));
}

std::string PostgresSnapshot::ConditionAfter(const CatalogTable& catalog, const Key& last) const {
  if (last.empty()) return {};
  std::string values;
  for (const auto& value : last) values += (values.empty() ? "" : ", ") + access_.queries.Literal(value);
  return fmt::format("({}) > ({})", NameList(access_.queries, catalog.key()), values);
}

std::string PostgresSnapshot::ConditionOf(const CatalogTable& catalog, const std::vector<std::string>& keys) const {
  std::string all;
  for (const auto& key : keys) {
    const json object = json::parse(key, nullptr, false);
    std::string values;
    for (const auto& column : catalog.key())
      values += (values.empty() ? "" : ", ") + (object.contains(column) ? access_.queries.Literal(TextOfKey(object[column])) : "NULL");
    all += (all.empty() ? "(" : ", (") + values + ")";
  }
  return fmt::format("({}) IN ({})", NameList(access_.queries, catalog.key()), all);
}

Status PostgresSnapshot::CopyRows(const TableName& name, const CatalogTable& catalog, const std::string& condition, Chunk& chunk, std::size_t limit) {
  auto& queries = access_.queries;
  std::string where;
  for (const auto& part : {condition, catalog.filter})
    if (!part.empty()) where += (where.empty() ? " WHERE (" : " AND (") + part + ")";
  const std::string order = limit == 0 ? "" : fmt::format(" ORDER BY {} LIMIT {}", NameList(queries, catalog.key()), limit);
  const std::string sql = fmt::format("COPY (SELECT {} FROM {}{}{}) TO STDOUT", ColumnList(queries, catalog.columns), FromClause(queries, name, catalog), where, order);
  std::vector<std::size_t> key_at;   // in the index's order
  for (const auto& column : catalog.key())
    key_at.push_back(static_cast<std::size_t>(std::find_if(catalog.columns.begin(), catalog.columns.end(), [&](const auto& c) { return c.name == column; }) - catalog.columns.begin()));
  PgOrigin origin;
  origin.snapshot = PgOrigin::Snapshot::kChunk;
  origin.time = chunk.time;
  std::vector<wire::CopyValue> copied;
  std::vector<PgValue> row;
  std::string value;
  std::size_t bytes = 0, count = 0;
  const Status read = queries.CopyOut(sql, [&](std::string& line) -> Status {
    SplitCopyLine(line, copied);
    if (copied.size() != catalog.columns.size()) return Fail(Code::kCorrupt, "a row of table \"{}\" has another number of values than columns", chunk.stream);
    TakeValues(copied, row);
    const std::size_t at = chunk.text.size();
    if (!WriteKey(*chunk.shape, row, chunk.text)) return Fail(Code::kCorrupt, "a row of table \"{}\" has no key", chunk.stream);
    const std::size_t key_size = chunk.text.size() - at;
    value.clear();
    WriteChange(*chunk.shape, 'r', {}, false, row, origin, value);
    chunk.text.append(value, chunk.shape->opening.size());
    chunk.rows.push_back({at, static_cast<std::uint32_t>(key_size), static_cast<std::uint32_t>(chunk.text.size() - at - key_size)});
    bytes += line.size();
    ++count;
    if (limit != 0 && count == limit)
      for (const std::size_t column : key_at) chunk.last.emplace_back(copied[column].text);
    return {};
  });
  TRY(read);
  if (limit == 0) return {};
  chunk.is_last = count < limit;
  if (count > 0) chunk_rows_ = std::clamp(kChunkBytes * count / std::max<std::size_t>(bytes, 1), kLeastChunkRows, kMostChunkRows);
  return {};
}

/// A table at a point of the log: all that commits before is in it, all that commits later comes.
Status PostgresSnapshot::ReadWhole(const std::string& stream, Table& table, PostgresChanges& changes, std::int64_t now) {
  const TableName name = *SplitStream(stream);
  auto& queries = access_.queries;
  ASSIGN(const auto replication, io::Postgres::Connect(access_.url, io::Postgres::Mode::kReplication));
  ASSIGN(const auto slot, replication->Query(fmt::format("CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT",
                                                         replication->Identifier(fmt::format("nanohouse_snapshot_{}_{}", access_.nonce, ++marks_)))));
  const wire::Lsn taken_at = wire::ParseLsn(slot.text(0, 1)).value_or(wire::Lsn{});
  TRY(queries.Execute(fmt::format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}", queries.Literal(slot.text(0, 2)))));
  const auto copy = [&]() -> Status {
    ASSIGN(const auto catalog, ReadCatalogTable(queries, name, access_.publication));
    std::vector<std::uint32_t> oids;
    for (const auto& column : catalog.columns) oids.push_back(column.type);
    TRY(LearnTypes(queries, oids, access_.types));
    const auto shape = Shape(name, catalog);
    PgOrigin origin;
    origin.snapshot = PgOrigin::Snapshot::kWhole;
    origin.lsn = taken_at;
    origin.time = now;
    // Each record waits for the next one, as only then it is known not to be the last.
    std::string value, held;
    RecordKind held_kind = RecordKind::kData;
    std::uint8_t flags = kBeginsTransaction;
    const auto release = [&](std::uint8_t more) -> Status {
      if (held.empty()) return {};
      TRY(changes.Append({held_kind, stream, held, {}, {}, now, static_cast<std::uint8_t>(flags | more), taken_at}, now));
      flags = 0;
      return {};
    };
    if (table.replaces) {
      WriteChange(*shape, 't', {}, false, {}, origin, held);
      held_kind = RecordKind::kTruncate;
    }
    std::vector<wire::CopyValue> copied;
    std::vector<PgValue> row;
    const std::string where = catalog.filter.empty() ? "" : " WHERE " + catalog.filter;
    const std::string sql = fmt::format("COPY (SELECT {} FROM {}{}) TO STDOUT", ColumnList(queries, catalog.columns), FromClause(queries, name, catalog), where);
    const Status read = queries.CopyOut(sql, [&](std::string& line) -> Status {
      SplitCopyLine(line, copied);
      TakeValues(copied, row);
      value.clear();
      WriteChange(*shape, 'r', {}, false, row, origin, value);
      ++table.rows;
      TRY(release(0));
      std::swap(value, held);
      held_kind = RecordKind::kData;
      return {};
    });
    TRY(read);
    TRY(release(kEndsTransaction));
    return {};
  };
  const Status copied = copy();
  const Status ended = queries.Execute("ROLLBACK");
  TRY(copied);
  TRY(ended);
  table.step = Step::kDone;
  table.replaces = false;
  table.taken_at = taken_at;
  return {};
}

// --- the mark

Status PostgresSnapshot::OnMark(const std::string& mark, PostgresChanges& changes, std::int64_t now) {
  return chunk_ && chunk_->mark == mark ? Complete(changes, now) : Status();
}

Status PostgresSnapshot::OnReached(wire::Lsn lsn, PostgresChanges& changes, std::int64_t now) {
  return chunk_ && chunk_->high.value != 0 && lsn >= chunk_->high ? Complete(changes, now) : Status();
}

Status PostgresSnapshot::AppendTruncate(const Chunk& chunk, PostgresChanges& changes, std::int64_t now, std::uint8_t flags) {
  std::string value;
  PgOrigin origin;
  origin.snapshot = PgOrigin::Snapshot::kChunk;
  origin.time = chunk.time;
  WriteChange(*chunk.shape, 't', {}, false, {}, origin, value);
  return changes.Append({RecordKind::kTruncate, chunk.stream, value, {}, {}, chunk.time, flags, chunk.high}, now);
}

Status PostgresSnapshot::Complete(PostgresChanges& changes, std::int64_t now) {
  const auto chunk = std::move(chunk_);
  Table& table = *chunk->table;
  const auto unseen = [&](const std::vector<std::uint32_t>& xids) {
    return std::any_of(xids.begin(), xids.end(), [&](std::uint32_t xid) { return !chunk->snapshot.Sees(xid); });
  };
  std::vector<const ChunkRow*> kept;
  std::set<std::string_view> dropped;
  if (!unseen(chunk->truncated))
    for (const ChunkRow& row : chunk->rows) {
      const auto changed = chunk->changed.find(chunk->key(row));
      if (changed == chunk->changed.end() || !unseen(changed->second)) kept.push_back(&row);
      else dropped.insert(chunk->key(row));
    }
  for (const auto& [key, xid] : chunk->lacking)
    if (dropped.contains(key) && !chunk->snapshot.Sees(xid)) table.lacking.push_back(key);
  std::uint8_t flags = kBeginsTransaction;
  if (table.replaces) {
    TRY(AppendTruncate(*chunk, changes, now, static_cast<std::uint8_t>(kept.empty() ? kBeginsTransaction | kEndsTransaction : kBeginsTransaction)));
    flags = 0;
    table.replaces = false;
  }
  std::string message = chunk->shape->opening;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i + 1 == kept.size()) flags |= kEndsTransaction;
    message.resize(chunk->shape->opening.size());
    message.append(chunk->value(*kept[i]));
    TRY(changes.Append({RecordKind::kData, chunk->stream, message, chunk->key(*kept[i]), {}, chunk->time, flags, chunk->high}, now));
    flags = 0;
  }
  table.rows += kept.size();
  if (chunk->of_lacking) {
    for (const auto& key : chunk->asked)
      if (!dropped.contains(key)) std::erase(table.lacking, key);
  } else {
    if (!chunk->last.empty()) table.last = chunk->last;
    table.last_chunk_done = chunk->is_last;
  }
  std::sort(table.lacking.begin(), table.lacking.end());
  table.lacking.erase(std::unique(table.lacking.begin(), table.lacking.end()), table.lacking.end());
  if (table.last_chunk_done && table.lacking.empty()) table.step = Step::kDone;
  return {};
}

}  // namespace nano::ingest
