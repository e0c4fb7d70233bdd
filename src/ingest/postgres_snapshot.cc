// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_snapshot.h"

#include <algorithm>

#include "ingest/postgres_query.h"
#include "wire/json_get.h"
#include "wire/postgres_text.h"

namespace nano::ingest {
namespace {

using nlohmann::json;
using wire::PgOrigin;
using wire::PgValue;

/// What a chunk is meant to hold in memory, and what it may hold at most.
constexpr std::size_t kChunkBytes = 4 << 20;
constexpr std::size_t kMostChunkRows = 20'000, kLeastChunkRows = 200;
/// Rows with missing values that are asked for at once.
constexpr std::size_t kMostLacking = 500;
/// Transactions that may be remembered before the database is asked which of them are seen.
constexpr std::size_t kManyRecent = 200;
/// A part of a table has no less; so many pages are looked at, to find where to divide it.
constexpr std::int64_t kPartPages = 64, kSampledPages = 100;
/// Parts for each connection: one that is read sooner takes the next.
constexpr std::size_t kPartsEach = 4;

std::string SnapshotSql(const io::Postgres& queries) {
  return queries.server_version() >= 130000 ? "pg_current_snapshot()" : "txid_current_snapshot()";
}

void TakeValues(const std::vector<wire::CopyValue>& copied, std::vector<PgValue>& row) {
  row.clear();
  for (const auto& value : copied) row.push_back(value.is_null ? PgValue{} : PgValue{PgValue::Kind::kText, value.text});
}

std::string_view BeginOf(Reread reread) { return reread == Reread::kCompares ? kRereadCompares : kRereadReplaces; }

const char* NameOf(Reread reread) { return reread == Reread::kCompares ? "compare" : "replace"; }

Reread RereadNamed(const std::string& name) { return name == "compare" ? Reread::kCompares : name == "replace" ? Reread::kReplaces : Reread::kNo; }

json JsonOf(const std::vector<std::string>& after, const std::vector<std::string>& up_to, bool done) { return {after, up_to, done}; }

}  // namespace

void PostgresSnapshot::Load(const json& saved, const std::vector<std::string>& streams) {
  const json tables = wire::Get(saved, "tables", json::object());
  for (const auto xid : wire::Get(saved, "recent", std::vector<std::uint32_t>{})) recent_.Add(xid);
  for (const auto& stream : streams) {
    order_.push_back(stream);
    Table& table = tables_[stream];
    const json known = wire::Get(tables, stream.c_str(), json());
    if (!known.is_object()) {
      table.fresh = true;
      continue;
    }
    const std::string step = wire::Get(known, "step", "");
    table.step = step == "done" ? Step::kDone : step == "chunks" ? Step::kChunks : Step::kWaiting;
    for (const auto& range : wire::Get(known, "ranges", json::array()))
      table.ranges.push_back({wire::Item(range, 0, Key{}), wire::Item(range, 1, Key{}), wire::Item(range, 2, false)});
    if (table.ranges.empty() && table.step == Step::kChunks) table.ranges.push_back({wire::Get(known, "last", Key{}), {}, wire::Get(known, "last_chunk_done", false)});
    table.after = wire::Get(known, "after", std::uint64_t{0});
    table.reread = wire::Get(known, "replaces", false) ? Reread::kReplaces : RereadNamed(wire::Get(known, "reread", ""));
    table.fresh = wire::Get(known, "fresh", false);
    table.taken_at = wire::ParseLsn(wire::Get(known, "taken_at", "")).value_or(wire::Lsn{});
    table.lacking = wire::Get(known, "lacking", std::vector<std::string>{});
    table.rows = wire::Get(known, "rows", std::uint64_t{0});
  }
  Count();
}

void PostgresSnapshot::Count() {
  open_ = static_cast<std::size_t>(std::count_if(tables_.begin(), tables_.end(), [](const auto& item) { return item.second.step != Step::kDone; }));
}

json PostgresSnapshot::Save() const {
  json tables = json::object();
  for (const auto& [stream, table] : tables_) {
    json& out = tables[stream];
    out["step"] = table.step == Step::kDone ? "done" : table.step == Step::kChunks ? "chunks" : "waiting";
    if (table.step == Step::kChunks)
      for (const auto& range : table.ranges) out["ranges"].push_back(JsonOf(range.after, range.up_to, range.done));
    if (table.after != 0 && table.step != Step::kDone) out["after"] = table.after;
    if (table.reread != Reread::kNo) out["reread"] = NameOf(table.reread);
    if (table.taken_at.value != 0) out["taken_at"] = LsnText(table.taken_at);
    if (!table.lacking.empty()) out["lacking"] = table.lacking;
    out["rows"] = table.rows;
  }
  return {{"tables", std::move(tables)}, {"recent", recent_.all()}};
}

void PostgresSnapshot::StartOver(Reread reread) {
  for (auto& [stream, table] : tables_) {
    const bool has_rows = table.step != Step::kWaiting || table.reread != Reread::kNo;
    const Reread how = std::max(table.reread, reread);
    table = Table{};
    table.fresh = true;
    if (has_rows) table.reread = how;
  }
  for (auto& chunk : chunks_) chunk.table = nullptr;
  recent_ = {};
  Count();
}

void PostgresSnapshot::NotBefore(std::uint64_t xmax) {
  for (auto& [stream, table] : tables_)
    if (std::exchange(table.fresh, false)) table.after = xmax;
}

void PostgresSnapshot::Again(const std::string& stream, Reread reread) {
  const auto found = tables_.find(stream);
  if (found == tables_.end()) return;
  Table& table = found->second;
  if (table.step == Step::kWaiting) return;   // its rows are still to be read
  for (auto& chunk : chunks_)
    if (chunk.stream == stream) chunk.table = nullptr;
  const Reread how = std::max(table.reread, reread);
  const Table before = std::move(table);
  table = Table{};
  table.after = before.after;
  table.taken_at = before.taken_at;
  table.reread = how;
  Count();
}

void PostgresSnapshot::Again(json& saved_table, Reread reread) {
  const Reread how = std::max(RereadNamed(wire::Get(saved_table, "reread", "")), reread);
  const bool has_rows = wire::Get(saved_table, "step", "") != "waiting" || saved_table.contains("reread");
  for (const char* const name : {"ranges", "last", "last_chunk_done", "lacking"}) saved_table.erase(name);
  saved_table["step"] = "waiting";
  saved_table["rows"] = 0;
  if (has_rows) saved_table["reread"] = NameOf(how);
}

std::string PostgresSnapshot::note() const {
  for (const auto& stream : order_)
    if (const Table& table = tables_.at(stream); table.step == Step::kChunks) return fmt::format("reading {}{}: {} rows", stream, table.reread == Reread::kNo ? "" : " once more", table.rows);
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
    case Step::kWaiting:   // every snapshot that will be taken sees it; rows that are there go on until they are read once more
      return table.reread == Reread::kNo || commit_ < table.taken_at ? Verdict::kDrop : Verdict::kPending;
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
  for (auto& chunk : chunks_) {
    if (!chunk.table || chunk.stream != stream) continue;
    chunk.changed[std::string(row.key)].push_back(xid_);
    if (row.lacks) chunk.lacking.emplace_back(row.key, xid_);
  }
}

void PostgresSnapshot::Truncated(const std::string& stream) {
  for (auto& chunk : chunks_)
    if (chunk.stream == stream) chunk.truncated.push_back(xid_);
}

bool PostgresSnapshot::waits_for_mark() const {
  return !chunks_.empty() && std::none_of(chunks_.begin(), chunks_.end(), [](const Chunk& chunk) { return chunk.passed; });
}

bool PostgresSnapshot::waits_for_stream(wire::Lsn done) const {
  return chunks_.empty() && open_ > 0 &&
         std::all_of(tables_.begin(), tables_.end(), [&](const auto& item) { return item.second.step == Step::kDone || (item.second.step == Step::kWaiting && done < item.second.taken_at); });
}

// --- reading

Status PostgresSnapshot::Advance(PostgresChanges& changes, std::int64_t now) {
  if (!chunks_.empty()) TRY(Collect(changes, now));
  if (open_ == 0) {
    if (recent_.all().size() < kManyRecent || !chunks_.empty()) return {};
    ASSIGN(const auto rows, access_.queries.Query("SELECT " + SnapshotSql(access_.queries)));
    if (const auto snapshot = Visibility::Parse(rows.text(0, 0))) recent_.Forget(*snapshot);
    return {};
  }
  // First what was begun.
  for (const Step step : {Step::kChunks, Step::kWaiting})
    for (const auto& stream : order_) {
      if (chunks_.size() >= access_.connections) return {};
      Table& table = tables_.at(stream);
      if (table.step != step) continue;
      // What the stream still says of it from before it was read whole is dropped, and must not come between its rows.
      if (step == Step::kWaiting && changes.done() < table.taken_at) continue;
      if (step == Step::kWaiting) TRY(Begin(stream, table, changes, now));
      while (table.step == Step::kChunks && chunks_.size() < access_.connections && AskFor(stream, table)) {}
    }
  return {};
}

/// Of a table that waits: it is read whole, or divided.
Status PostgresSnapshot::Begin(const std::string& stream, Table& table, PostgresChanges& changes, std::int64_t now) {
  const auto name = SplitStream(stream);
  if (!name) return Fail(Code::kInvalid, "stream \"{}\" names no schema", stream);
  ASSIGN(const auto catalog, ReadCatalogTable(access_.queries, *name, access_.publication));
  if (catalog.key().empty() || (table.reread == Reread::kNo && access_.whole.contains(stream))) return ReadWhole(stream, table, changes, now);
  if (table.reread != Reread::kNo) TRY(AppendEdge(stream, BeginOf(table.reread), now, changes, now));   // what comes from here on goes to the new rows, too
  TRY(Divide(*name, catalog, table));
  table.step = Step::kChunks;
  return {};
}

/// At keys that some of its rows have, so that the database itself says in which order they are.
Status PostgresSnapshot::Divide(const TableName& name, const CatalogTable& catalog, Table& table) {
  table.ranges.assign(1, {});
  if (access_.connections < 2) return {};
  auto& queries = access_.queries;
  const std::string oid = std::to_string(catalog.oid);
  ASSIGN(const auto size, queries.Query("SELECT coalesce(sum(pg_relation_size(relid)) / current_setting('block_size')::int, 0)::bigint "
                                        "FROM pg_partition_tree($1::oid::regclass)", {oid}));
  std::int64_t pages = size.integer(0, 0);
  if (catalog.kind != 'p') {
    ASSIGN(const auto own, queries.Query("SELECT pg_relation_size($1::oid::regclass) / current_setting('block_size')::int", {oid}));
    pages = own.integer(0, 0);
  }
  const auto parts = std::min(static_cast<std::int64_t>(access_.connections * kPartsEach), pages / kPartPages);
  if (parts < 2) return {};
  std::string key;
  for (const auto& column : catalog.key()) key += (key.empty() ? "" : ", ") + queries.Identifier(column);
  const double percent = std::min(100.0, 100.0 * static_cast<double>(kSampledPages) / static_cast<double>(pages));
  ASSIGN(const auto bounds, queries.Query(fmt::format(
      "SELECT {0} FROM (SELECT DISTINCT ON (part) * FROM (SELECT {0}, ntile({1}) OVER (ORDER BY {0}) AS part FROM {2}{3}.{4} TABLESAMPLE SYSTEM ({5:.6f})) sample "
      "ORDER BY part, {0}) firsts WHERE part > 1 ORDER BY part",
      key, parts, catalog.kind == 'p' ? "" : "ONLY ", queries.Identifier(name.schema), queries.Identifier(name.table), percent)));
  for (std::size_t r = 0; r < bounds.size(); ++r) {
    Key bound;
    for (std::size_t k = 0; k < catalog.key().size(); ++k) bound.push_back(bounds.text(r, k));
    if (table.ranges.back().after == bound) continue;
    table.ranges.back().up_to = bound;
    table.ranges.push_back({std::move(bound), {}});
  }
  return {};
}

/// The next chunk of a table. False: all of it is being read, or was.
bool PostgresSnapshot::AskFor(const std::string& stream, Table& table) {
  ChunkTask task;
  Chunk chunk;
  for (std::size_t n = 0; n < table.ranges.size(); ++n) {
    Range& range = table.ranges[n];
    if (range.done || range.is_read) continue;
    range.is_read = true;
    chunk.range = n;
    chunk.limit = task.limit = table.chunk_rows;
    task.after = range.after;
    task.up_to = range.up_to;
    Ask(stream, table, std::move(task), std::move(chunk));
    return true;
  }
  const bool all_read = std::all_of(table.ranges.begin(), table.ranges.end(), [](const Range& range) { return range.done; });
  if (!all_read || table.lacking_is_read || table.lacking.empty()) return false;
  table.lacking_is_read = chunk.of_lacking = task.by_keys = true;
  chunk.asked.assign(table.lacking.begin(), table.lacking.begin() + static_cast<std::ptrdiff_t>(std::min(table.lacking.size(), kMostLacking)));
  task.keys = chunk.asked;
  Ask(stream, table, std::move(task), std::move(chunk));
  return true;
}

void PostgresSnapshot::Ask(const std::string& stream, Table& table, ChunkTask task, Chunk chunk) {
  task.id = chunk.id = ++marks_;
  task.stream = chunk.stream = stream;
  task.publication = access_.publication;
  task.mark = chunk.mark = fmt::format("high {} {}", access_.nonce, marks_);
  task.not_before = table.after;
  task.seen = recent_;
  chunk.table = &table;
  chunks_.push_back(std::move(chunk));   // from here on changes are noted
  readers_.Give(std::move(task));
}

/// Chunks that are read; those whose mark has come already are completed.
Status PostgresSnapshot::Collect(PostgresChanges& changes, std::int64_t now) {
  while (auto done = readers_.Take()) {
    const auto chunk = std::find_if(chunks_.begin(), chunks_.end(), [&](const Chunk& one) { return one.id == done->id; });
    if (chunk == chunks_.end()) continue;
    if (!chunk->table) {
      chunks_.erase(chunk);
      continue;
    }
    TRY(done->rows);
    chunk->rows = *std::move(done->rows);
    recent_.Forget(chunk->rows->snapshot);
    chunk->passed = chunk->passed || (chunk->rows->high.value != 0 && changes.done() >= chunk->rows->high);
  }
  return CompletePassed(changes, now);
}

Status PostgresSnapshot::CompletePassed(PostgresChanges& changes, std::int64_t now) {
  for (auto chunk = chunks_.begin(); chunk != chunks_.end();) {
    if (!chunk->passed || !chunk->rows) {
      ++chunk;
      continue;
    }
    Chunk done = std::move(*chunk);
    chunk = chunks_.erase(chunk);
    if (done.table) TRY(Complete(done, changes, now));
  }
  return {};
}

std::unique_ptr<wire::PgTable> PostgresSnapshot::Shape(const TableName& name, const CatalogTable& catalog) const {
  return std::make_unique<wire::PgTable>(MakePgTable(name.schema, name.table, catalog.columns, catalog.key(), access_.types));
}

/// A table at a point of the log: all that commits before is in it, all that commits later comes.
Status PostgresSnapshot::ReadWhole(const std::string& stream, Table& table, PostgresChanges& changes, std::int64_t now) {
  const TableName name = *SplitStream(stream);
  auto& queries = access_.queries;
  ASSIGN(const auto replication, access_.connect(access_.url, io::Postgres::Mode::kReplication));
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
    std::string value, key, held, held_key;
    RecordKind held_kind = RecordKind::kData;
    std::uint8_t flags = kBeginsTransaction;
    const auto release = [&](std::uint8_t more) -> Status {
      if (held.empty()) return {};
      TRY(changes.Append({held_kind, stream, held, held_key, {}, now, static_cast<std::uint8_t>(flags | more), taken_at}, now));
      flags = 0;
      return {};
    };
    const bool again = table.reread != Reread::kNo;
    if (again) {
      held = BeginOf(table.reread);
      held_kind = RecordKind::kSnapshotEdge;
    }
    std::vector<wire::CopyValue> copied;
    std::vector<PgValue> row;
    const std::string sql = CopySql(queries, name, catalog, {}, 0);
    const Status read = queries.CopyOut(sql, [&](std::string& line) -> Status {
      SplitCopyLine(line, copied);
      TakeValues(copied, row);
      value.clear();
      key.clear();
      WriteChange(*shape, 'r', {}, false, row, origin, value);
      (void)WriteKey(*shape, row, key);   // there may be none
      ++table.rows;
      TRY(release(0));
      std::swap(value, held);
      std::swap(key, held_key);
      held_kind = RecordKind::kData;
      return {};
    });
    TRY(read);
    if (again) {
      TRY(release(0));
      held = kRereadEnds;
      held_key.clear();
      held_kind = RecordKind::kSnapshotEdge;
    }
    TRY(release(kEndsTransaction));
    return {};
  };
  const Status copied = copy();
  const Status ended = queries.Execute("ROLLBACK");
  TRY(copied);
  TRY(ended);
  // Events that are told each for itself were not read here: none of them may be passed over.
  if (table.reread == Reread::kNo || !access_.whole.contains(stream)) table.taken_at = taken_at;
  table.step = Step::kDone;
  table.reread = Reread::kNo;
  Count();
  return {};
}

// --- the mark

Status PostgresSnapshot::OnMark(const std::string& mark, PostgresChanges& changes, std::int64_t now) {
  for (auto& chunk : chunks_)
    if (chunk.mark == mark) chunk.passed = true;
  return Collect(changes, now);
}

Status PostgresSnapshot::OnReached(wire::Lsn lsn, PostgresChanges& changes, std::int64_t now) {
  bool some = false;
  for (auto& chunk : chunks_)
    if (chunk.rows && chunk.rows->high.value != 0 && lsn >= chunk.rows->high) some = chunk.passed = true;
  return some ? CompletePassed(changes, now) : Status();
}

Status PostgresSnapshot::AppendEdge(const std::string& stream, std::string_view edge, std::int64_t at, PostgresChanges& changes, std::int64_t now) {
  return changes.Append({RecordKind::kSnapshotEdge, stream, edge, {}, {}, at, kBeginsTransaction | kEndsTransaction, changes.done()}, now);
}

Status PostgresSnapshot::Complete(Chunk& chunk, PostgresChanges& changes, std::int64_t now) {
  Table& table = *chunk.table;
  const ChunkRows& read = *chunk.rows;
  const auto unseen = [&](const std::vector<std::uint32_t>& xids) {
    return std::any_of(xids.begin(), xids.end(), [&](std::uint32_t xid) { return !read.snapshot.Sees(xid); });
  };
  std::vector<const ChunkRows::Row*> kept;
  kept.reserve(read.rows.size());
  std::set<std::string_view> dropped;
  if (!unseen(chunk.truncated))
    for (const auto& row : read.rows) {
      const auto changed = chunk.changed.empty() ? chunk.changed.end() : chunk.changed.find(read.key(row));
      if (changed == chunk.changed.end() || !unseen(changed->second)) kept.push_back(&row);
      else dropped.insert(read.key(row));
    }
  for (const auto& [key, xid] : chunk.lacking)
    if (dropped.contains(key) && !read.snapshot.Sees(xid)) table.lacking.push_back(key);
  std::uint8_t flags = kBeginsTransaction;
  std::string message = read.shape->opening;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i + 1 == kept.size()) flags |= kEndsTransaction;
    message.resize(read.shape->opening.size());
    message.append(read.value(*kept[i]));
    TRY(changes.Append({RecordKind::kData, chunk.stream, message, read.key(*kept[i]), {}, read.time, flags, read.high, kept[i]->outline}, now));
    flags = 0;
  }
  table.rows += kept.size();
  if (chunk.of_lacking) {
    table.lacking_is_read = false;
    for (const auto& key : chunk.asked)
      if (!dropped.contains(key)) std::erase(table.lacking, key);
  } else {
    Range& range = table.ranges[chunk.range];
    range.is_read = false;
    if (!read.last.empty()) range.after = read.last;
    range.done = read.rows.size() < chunk.limit;
    if (!read.rows.empty()) table.chunk_rows = std::clamp(kChunkBytes * read.rows.size() / std::max<std::size_t>(read.read_bytes, 1), kLeastChunkRows, kMostChunkRows);
  }
  std::sort(table.lacking.begin(), table.lacking.end());
  table.lacking.erase(std::unique(table.lacking.begin(), table.lacking.end()), table.lacking.end());
  if (!table.lacking.empty() || std::any_of(table.ranges.begin(), table.ranges.end(), [](const Range& range) { return !range.done; })) return {};
  table.step = Step::kDone;
  table.ranges.clear();
  Count();
  return std::exchange(table.reread, Reread::kNo) == Reread::kNo ? Status() : AppendEdge(chunk.stream, kRereadEnds, read.time, changes, now);
}

}  // namespace nano::ingest
