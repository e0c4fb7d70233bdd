// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_rows.h"

#include <random>

#include "base/clock.h"
#include "ingest/checkpoint.h"
#include "ingest/postgres_changes.h"
#include "ingest/postgres_place.h"
#include "ingest/postgres_query.h"
#include "journal/journal.h"
#include "wire/json_get.h"
#include "wire/postgres_text.h"

namespace nano::ingest {
namespace {

using wire::PgValue;

constexpr std::size_t kChunkRows = 20'000;
/// Keys that are asked for in one statement.
constexpr std::size_t kMostKeys = 1000;

}  // namespace

struct PostgresTableRows::Described {
  TableName name;
  CatalogTable catalog;
  wire::PgTable shape;
};

Result<std::unique_ptr<PostgresTableRows>> PostgresTableRows::Open(const contract::Source& source) {
  ASSIGN(const Secret url, source.postgres.url.Resolve());
  ASSIGN(auto connection, io::Postgres::Connect(url, io::Postgres::Mode::kQueries));
  return std::unique_ptr<PostgresTableRows>(new PostgresTableRows(std::move(connection), source.postgres.publication));
}

Result<PostgresTableRows::Described> PostgresTableRows::Describe(const std::string& stream) {
  const auto name = SplitStream(stream);
  if (!name) return Fail(Code::kInvalid, "stream \"{}\" names no schema", stream);
  Described out;
  out.name = *name;
  ASSIGN(out.catalog, ReadCatalogTable(*connection_, *name, publication_));
  std::vector<std::uint32_t> oids;
  for (const auto& column : out.catalog.columns) oids.push_back(column.type);
  TRY(LearnTypes(*connection_, oids, types_));
  out.shape = MakePgTable(name->schema, name->table, out.catalog.columns, out.catalog.key(), types_);
  return out;
}

Status PostgresTableRows::Copy(const std::string& stream, const Described& table, const std::string& sql, const Take& take,
                               const std::function<void(const std::vector<std::string>&)>& key) {
  wire::PgOrigin origin;
  origin.snapshot = wire::PgOrigin::Snapshot::kChunk;
  origin.time = NowMicros();
  const auto key_at = KeyColumns(table.catalog);
  std::vector<wire::CopyValue> copied;
  std::vector<PgValue> row;
  std::vector<std::string> last;
  std::string value, key_text;
  return connection_->CopyOut(sql, [&](std::string& line) -> Status {
    SplitCopyLine(line, copied);
    if (copied.size() != table.catalog.columns.size()) return Fail(Code::kCorrupt, "a row of table \"{}\" has another number of values than columns", stream);
    row.clear();
    for (const auto& one : copied) row.push_back(one.is_null ? PgValue{} : PgValue{PgValue::Kind::kText, one.text});
    value.clear();
    key_text.clear();
    WriteChange(table.shape, 'r', {}, false, row, origin, value);
    value.reserve(value.size() + journal::Block::kPadding);
    Record record;
    record.format = Format::kDebezium;
    record.stream = stream;
    record.bytes = value;
    record.has_key = WriteKey(table.shape, row, key_text);
    key_text.reserve(key_text.size() + journal::Block::kPadding);
    record.key = key_text;
    record.committed_at = record.ingested_at = origin.time;
    if (key) {
      last.clear();
      for (const std::size_t at : key_at) last.emplace_back(copied[at].text);
      key(last);
    }
    return take(record);
  });
}

Status PostgresTableRows::ReadAll(const std::string& stream, const Take& take) {
  ASSIGN(const Described table, Describe(stream));
  if (table.catalog.key().empty()) return Copy(stream, table, CopySql(*connection_, table.name, table.catalog, {}, 0), take, nullptr);
  std::vector<std::string> last;
  for (std::size_t count = kChunkRows; count == kChunkRows;) {
    const std::string sql = CopySql(*connection_, table.name, table.catalog, {ConditionAfter(*connection_, table.catalog, last)}, kChunkRows);
    count = 0;
    TRY(Copy(stream, table, sql, take, [&](const std::vector<std::string>& key) {
      last = key;
      ++count;
    }));
  }
  return {};
}

Status PostgresTableRows::ReadSome(const std::string& stream, const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& values, const Take& take) {
  ASSIGN(const Described table, Describe(stream));
  for (std::size_t at = 0; at < values.size(); at += kMostKeys) {
    const std::vector<std::vector<std::string>> some(values.begin() + static_cast<std::ptrdiff_t>(at), values.begin() + static_cast<std::ptrdiff_t>(std::min(at + kMostKeys, values.size())));
    TRY(Copy(stream, table, CopySql(*connection_, table.name, table.catalog, {ConditionIn(*connection_, columns, some)}, 0), take, nullptr));
  }
  return {};
}

Result<wire::Lsn> PostgresTableRows::Mark() {
  std::random_device random;
  // The commit that the transaction's id brings has the log written out, and so the mark.
  ASSIGN(const auto place, connection_->Query("SELECT pg_logical_emit_message(false, $1, $2), txid_current()",
                                              {std::string(kMarkPrefix), fmt::format("{}{:08x}{:08x}", kSeenMark, random(), random())}));
  return wire::ParseLsn(place.text(0, 0)).value_or(wire::Lsn{});
}

Result<wire::Lsn> JournaledLsn(const std::string& checkpoint) {
  ASSIGN(const auto json, ReadCheckpoint(checkpoint));
  return PostgresPlace::Of(wire::Get(json, "postgres", nlohmann::json())).lsn;
}

}  // namespace nano::ingest
