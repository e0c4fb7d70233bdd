// SPDX-License-Identifier: Apache-2.0
#include "lake/direct_writer.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <system_error>

#include "base/check.h"
#include "base/clock.h"
#include "io/fault.h"
#include "io/files.h"
#include "lake/catalog_sql.h"
#include "lake/direct_table.h"
#include "lake/lake.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;

/// A dictionary that would have more entries than this is not begun: most such columns have no use of one.
constexpr int kDictionaryEntries = 4096;

/// Finds the row id that a row had before, by its key; gives new ones to others.
class RowIds final : public engine::KeyVisitor {
 public:
  RowIds(std::uint64_t seed, const RowIdsByKey& known, std::int64_t next) : seed_(seed), known_(known), next_(next) {}
  std::uint64_t seed() const override { return seed_; }
  void Visit(std::span<const KeyHash> keys, std::span<const std::int64_t>, std::span<const std::int64_t>, std::span<const std::int64_t>,
             std::span<std::int64_t> out) override {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto at = known_.find(keys[i]);
      out[i] = at == known_.end() ? next_.fetch_add(1) : at->second;
    }
  }
  std::int64_t next() const { return next_; }

 private:
  const std::uint64_t seed_;
  const RowIdsByKey& known_;
  std::atomic<std::int64_t> next_;
};

std::string FieldIds(const std::vector<CatalogColumn>& columns) {
  std::string out;
  for (const auto& column : columns) {
    out += (out.empty() ? "" : ", ") + engine::Literal(column.name) + ": ";
    if (column.parts.empty()) out += std::to_string(column.id);
    else out += fmt::format("{{__duckdb_field_id: {}, {}}}", column.id, FieldIds(column.parts));
  }
  return out;
}

}  // namespace

std::string NewFileName(const std::string& end) {
  std::array<unsigned char, 8> random{};
  NANO_CHECK(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1);
  const auto now = NowMicros() / 1000;
  std::string name = fmt::format("nh-{:012x}-", now);
  for (const unsigned char byte : random) name += fmt::format("{:02x}", byte);
  return name + end;
}

DirectWriter::DirectWriter(engine::Database& database, engine::Connection& connection, DirectOptions options)
    : database_(database), connection_(connection), options_(std::move(options)) {}
DirectWriter::~DirectWriter() = default;

Result<DirectWriter::Table*> DirectWriter::Find(const std::string& schema, const std::string& name) {
  std::unique_ptr<Table>& table = tables_[schema + "." + name];
  if (!table) {
    auto fresh = std::make_unique<Table>();
    ASSIGN(fresh->rows, ReadTableRows(connection_, options_.catalog, options_.data, schema, name));
    table = std::move(fresh);
  }
  return table.get();
}

Result<DirectWriter::Table*> DirectWriter::Small(const std::string& name) {
  std::unique_ptr<Table>& table = tables_["small." + name];
  if (!table) {
    ASSIGN(SmallTable small, ReadSmallTable(connection_, options_.catalog, name));
    auto fresh = std::make_unique<Table>();
    fresh->rows = std::move(small.rows);
    fresh->inlined = std::move(small.relation);
    table = std::move(fresh);
  }
  return table.get();
}

Result<DirectWriter::Newest> DirectWriter::ReadNewest() {
  ASSIGN(const auto rows, connection_.Query("SELECT snapshot_id, next_file_id, schema_version, next_catalog_id FROM " +
                                            AskCatalog(options_.catalog, "SELECT * FROM ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1")));
  return Newest{rows.integer(0, 0), rows.integer(0, 1), rows.text(0, 2), rows.text(0, 3)};
}

/// What is known of tables is of another snapshot than the newest.
void DirectWriter::Forget() {
  ReleaseHeld();
  tables_.clear();
  as_of_ = -1;
}

void DirectWriter::ReleaseHeld() {
  for (const std::int64_t handle : held_) database_.Release(handle);
  held_.clear();
}

Result<bool> DirectWriter::Fits(const Build& build) {
  if (!batch_) {   // look at the newest
    TRY(Begin());
    Rollback();
  }
  if (build.definition.columns.empty()) return true;
  auto found = Find("build", build.id);
  if (!found && found.error().code == Code::kNotFound) return true;   // it is being made
  if (!found) return tl::make_unexpected(found.error());
  return IsDirect((*found)->rows, build);
}

bool DirectWriter::IsDirect(const TableRows& rows, const Build& build) {
  if (rows.partitioned || rows.inlined) return false;
  for (const auto& name : build.definition.key)
    if (const CatalogColumn* const column = rows.column(name); column != nullptr && !column->parts.empty()) return false;
  std::int64_t nested = -1;
  for (const auto& column : rows.columns)
    if (!column.parts.empty()) nested = std::max(nested, column.newest());
  return std::none_of(rows.files.begin(), rows.files.end(), [&](const auto& file) { return file.second.begin < nested; });
}

Status DirectWriter::Begin() {
  NANO_CHECK(!batch_);
  ASSIGN(const Newest newest, ReadNewest());
  auto batch = std::make_unique<Batch>();
  batch->base = newest.snapshot;
  batch->schema_version = newest.schema_version;
  batch->next_catalog_id = newest.next_catalog_id;
  batch->first_file = batch->next_file = newest.next_file + kIdsLeftFree;
  if (batch->base != as_of_) Forget();
  as_of_ = batch->base;
  ReleaseHeld();
  batch_ = std::move(batch);
  return {};
}

void DirectWriter::Put(const std::string& table, std::vector<std::string> values, std::size_t key) {
  NANO_CHECK(batch_);
  std::erase_if(batch_->small, [&](const Batch::SmallRow& row) {
    return key > 0 && row.table == table && std::equal(row.values.begin(), row.values.begin() + static_cast<std::ptrdiff_t>(key), values.begin());
  });
  batch_->small.push_back({table, std::move(values), key});
}

Status DirectWriter::Append(const std::string& schema, const std::string& name, const std::string& select, const std::vector<std::string>& order) {
  NANO_CHECK(batch_);
  ASSIGN(Table* const table, Find(schema, name));
  return WriteRows(*table, select, order, RowIdsFrom::kStart, {});
}

Status DirectWriter::Apply(const Build& build, const Staged& staged) {
  NANO_CHECK(batch_);
  const bool keyed = build.definition.identity == Identity::kKey;
  ASSIGN(Table* const table, keyed ? Keyed(build) : Find("build", build.id));
  table->row_ids.clear();
  if (staged.truncate && !staged.truncate_source) EndAll(*table);
  if (staged.truncate && staged.truncate_source)
    TRY(MarkWhere(*table, "FROM", fmt::format("WHERE {} >> 48 = {}", kPositionColumn, *staged.truncate_source)));
  for (const auto& range : staged.ranges)
    TRY(MarkWhere(*table, "FROM", fmt::format("WHERE {0} >= {1} AND {0} < {2}", kPositionColumn, range.begin, range.end)));
  if (!staged.removed.empty()) {
    ASSIGN(const auto hashes, HashesOf(*table, staged.removed, build.definition.key, nullptr));
    ASSIGN(const auto places, Locate(*table, hashes));
    for (std::size_t n = 0; n < places.size(); ++n)
      for (const RowPlace& place : places[n]) {
        TRY(Mark(*table, place.file, place.row));
        table->row_ids[hashes[n]] = place.row_id;
      }
  }
  if (!staged.vanished.empty()) {
    std::string equal, columns;
    for (const auto& column : build.definition.columns) {
      const std::string quoted = engine::Quote(column.name);
      equal += (equal.empty() ? "" : " AND ") + ("t." + quoted) + " IS NOT DISTINCT FROM s." + quoted;
      columns += (columns.empty() ? "t." : ", t.") + quoted;
    }
    TRY(MarkWhere(*table, fmt::format("SELECT * FROM (SELECT t._file, t._row, s._times, row_number() OVER (PARTITION BY {} ORDER BY t.{}) AS nth FROM",
                                      columns, kPositionColumn),
                  fmt::format("t JOIN {} s ON {}) WHERE nth <= _times", staged.vanished, equal)));
  }
  if (staged.rows.empty()) return {};
  return WriteRows(*table, "SELECT * FROM " + staged.rows, build.definition.sort_by,
                   table->row_ids.empty() ? RowIdsFrom::kStart : RowIdsFrom::kKeys,
                   keyed ? build.definition.key : std::vector<std::string>{});
}

/// All rows go: files end, no delete file is needed.
void DirectWriter::EndAll(Table& table) {
  if (!table.rows.files.empty()) table.deleted = true;
  while (!table.rows.files.empty()) End(table, table.rows.files.begin()->first);
}

/// A file ends with what is deleted in it. One of the open batch never was.
void DirectWriter::End(Table& table, std::int64_t id) {
  const LiveFile& file = table.rows.files.at(id);
  if (file.begin > batch_->base) {
    std::erase_if(table.added, [&](const AddedFile& added) { return added.id == id; });
    batch_->dropped.push_back(file.path);
  } else {
    table.ended_files.push_back(id);
    if (file.delete_file >= 0) table.ended_deletes.push_back(file.delete_file);
  }
  table.changed.erase(id);
  table.rows.files.erase(id);
}

Status DirectWriter::WriteRows(Table& table, const std::string& select, const std::vector<std::string>& order, RowIdsFrom row_ids,
                               const std::vector<std::string>& key) {
  TRY(io::MakeFolders(table.rows.folder, "lake.folder"));
  TRY(io::PassOrFail("lake.file"));
  std::shared_ptr<RowIds> ids;
  std::unique_ptr<Visitors> visitors;
  // As the table names and types its columns, whatever the statement calls them.
  std::string rows, names;
  for (const auto& column : table.rows.columns) {
    const std::string name = engine::Quote(column.name);
    rows += fmt::format("{}CAST(r.{} AS {}) AS {}", rows.empty() ? "SELECT " : ", ", name, column.sql_type(), name);
    names += (names.empty() ? "" : ", ") + name;
  }
  if (row_ids == RowIdsFrom::kRows) {
    rows += std::string(", r.") + kRowIdColumn;
    names += std::string(", ") + kRowIdColumn;
  }
  std::string field_ids = FieldIds(table.rows.columns);
  if (row_ids == RowIdsFrom::kKeys) {
    ids = std::make_shared<RowIds>(table.index->seed(), table.row_ids, table.rows.next_row_id);
    visitors = std::make_unique<Visitors>(database_, ids);
    rows += fmt::format(", nano_visit({}, 0, 0, 0, {}) AS {}", visitors->handle(), ColumnList(key, "r."), kRowIdColumn);
  }
  if (row_ids != RowIdsFrom::kStart) field_ids += fmt::format(", {}: {}", kRowIdColumn, kRowIdField);
  rows += " FROM (" + select + ") r(" + names + ")";
  if (!order.empty()) rows += " ORDER BY " + ColumnList(order);
  const fs::path path = table.rows.folder / NewFileName(".parquet");
  batch_->files.push_back(path);
  if (!order.empty()) TRY(connection_.Execute("SET preserve_insertion_order = true"));
  auto written = connection_.Copy(fmt::format(
      "COPY ({}) TO {} (FORMAT parquet, COMPRESSION {}{}, DICTIONARY_SIZE_LIMIT {}, FIELD_IDS {{{}}}, RETURN_STATS)", rows,
      engine::Literal(path.string()), engine::Literal(options_.compression), options_.compression == "zstd" ? ", COMPRESSION_LEVEL 1" : "",
      kDictionaryEntries, field_ids));
  if (!order.empty()) TRY(connection_.Execute("SET preserve_insertion_order = false"));
  if (!written) return tl::make_unexpected(written.error());
  for (engine::WrittenFile& file : *written) {
    if (file.records == 0) {
      std::error_code ignored;
      fs::remove(file.path, ignored);
      std::erase(batch_->files, fs::path(file.path));
      continue;
    }
    TRY(Widen(table, file));
    AddedFile added{batch_->next_file++, std::move(file), {}};
    if (row_ids == RowIdsFrom::kStart) added.row_id_start = table.rows.next_row_id;
    table.rows.next_row_id = ids ? ids->next() : table.rows.next_row_id + added.written.records;
    table.rows.records_ever += added.written.records;
    table.rows.bytes_ever += added.written.bytes;
    LiveFile live;
    live.id = added.id;
    live.path = added.written.path;
    live.begin = batch_->base + 1;
    live.records = added.written.records;
    live.bytes = added.written.bytes;
    live.row_id_start = added.row_id_start;
    live.loaded = true;
    table.rows.files[live.id] = std::move(live);
    table.inserted = true;
    const std::int64_t id = added.id;
    table.added.push_back(std::move(added));
    if (table.index && !key.empty()) TRY(IndexFiles(table, {id}, key));
  }
  return {};
}

void DirectWriter::Rollback() {
  if (!batch_) return;
  std::error_code ignored;
  for (const auto& file : batch_->files) fs::remove(file, ignored);
  for (auto& [name, index] : indexes_)
    if (index) index->Forget(batch_->first_file);
  const bool touched = std::any_of(tables_.begin(), tables_.end(), [](const auto& table) {
    return table.second && (table.second->touched() || !table.second->changed.empty());
  });
  batch_.reset();
  if (touched) Forget();
}

Status DirectWriter::Amend(const std::function<Status()>& ddl) {
  NANO_CHECK(batch_);
  TRY(ddl());
  ASSIGN(const Newest newest, ReadNewest());
  if (newest.snapshot == batch_->base) return {};
  if (newest.next_file > batch_->first_file) return Fail(Code::kConflict, "the schema changed too often within one batch");
  std::erase_if(tables_, [](const auto& table) { return table.first.starts_with("small."); });
  for (auto& [name, table] : tables_) {
    if (!table) continue;
    ASSIGN(TableRows fresh, ReadTableRows(connection_, options_.catalog, options_.data, name.substr(0, name.find('.')), name.substr(name.find('.') + 1)));
    if (!table->touched() && table->changed.empty()) {
      table->rows = std::move(fresh);
      continue;
    }
    table->rows.columns = std::move(fresh.columns);
    for (auto& [id, bounds] : fresh.bounds) table->rows.bounds.emplace(id, bounds);
    for (const AddedFile& added : table->added)
      if (const auto file = table->rows.files.find(added.id); file != table->rows.files.end()) file->second.begin = newest.snapshot + 1;
  }
  batch_->base = as_of_ = newest.snapshot;
  batch_->schema_version = newest.schema_version;
  batch_->next_catalog_id = newest.next_catalog_id;
  return {};
}

Status DirectWriter::Close() {
  Rollback();
  for (auto& [name, index] : indexes_) {
    if (!index || index->unsaved() == 0) continue;
    const auto table = tables_.find(name);
    TRY(index->Save([&](std::int64_t id) { return table == tables_.end() || !table->second || table->second->rows.files.contains(id); }));
  }
  return {};
}

}  // namespace nano::lake
