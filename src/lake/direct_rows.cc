// SPDX-License-Identifier: Apache-2.0
// The direct lane's look at rows: by key through the index, or by a scan of the files.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/check.h"
#include "engine/row_source.h"
#include "lake/catalog_sql.h"
#include "lake/direct_table.h"

namespace nano::lake {
namespace {

using engine::KeyVisitor;

/// Gathers what a statement shows, in no order.
class Gather final : public KeyVisitor {
 public:
  explicit Gather(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t seed() const override { return seed_; }
  void Visit(std::span<const KeyHash> keys, std::span<const std::int64_t> a, std::span<const std::int64_t> b, std::span<const std::int64_t>,
             std::span<std::int64_t> out) override {
    const std::lock_guard lock(mutex_);
    hashes.insert(hashes.end(), keys.begin(), keys.end());
    first.insert(first.end(), a.begin(), a.end());
    second.insert(second.end(), b.begin(), b.end());
    std::fill(out.begin(), out.end(), 1);
  }
  std::vector<KeyHash> hashes;
  std::vector<std::int64_t> first, second;

 private:
  const std::uint64_t seed_;
  std::mutex mutex_;  // guards what is gathered
};

/// Rows of data files on their way into the index, in parts, so that a large file does not have to fit in memory: what was
/// committed may be saved meanwhile (`may_save`), what was not must stay in memory, as its file's id is given again if the
/// batch is given up.
class Indexing final : public KeyVisitor {
 public:
  Indexing(KeyIndex& index, std::vector<const LiveFile*> files, std::function<bool(std::int64_t)> live, bool may_save)
      : index_(index), files_(std::move(files)), live_(std::move(live)), may_save_(may_save) {}
  std::uint64_t seed() const override { return index_.seed(); }
  void Visit(std::span<const KeyHash> keys, std::span<const std::int64_t> file, std::span<const std::int64_t> row,
             std::span<const std::int64_t> row_id, std::span<std::int64_t> out) override {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const LiveFile& at = *files_[static_cast<std::size_t>(file[i])];
      const std::int64_t id = row_id[i] >= 0 ? row_id[i] : at.row_id_start.value_or(0) + row[i];
      part_.push_back({keys[i], {at.id, static_cast<std::uint32_t>(row[i]), id}});
      out[i] = 1;
    }
    if (part_.size() >= kPart) Flush();
  }
  Status Finish() {
    const std::lock_guard lock(mutex_);
    Flush();
    return std::move(status_);
  }

 private:
  static constexpr std::size_t kPart = 1 << 18;
  void Flush() {
    if (status_) status_ = index_.Add(std::exchange(part_, {}));
    if (status_ && may_save_ && index_.unsaved() >= kIndexInMemory) status_ = index_.Save(live_);
  }
  KeyIndex& index_;
  const std::vector<const LiveFile*> files_;
  const std::function<bool(std::int64_t)> live_;
  const bool may_save_;
  std::mutex mutex_;  // guards what follows, and the index
  std::vector<KeyedPlace> part_;
  Status status_;
};

/// Places as rows of SQL: `file` (its number in a list), `row`, `_n`.
class PlaceRows final : public engine::RowSource {
 public:
  struct Row {
    std::int64_t file, row, n;
  };
  explicit PlaceRows(std::vector<Row> rows) : rows_(std::move(rows)) {
    for (const char* name : {"file", "row", "_n"}) columns_.push_back({name, {TypeKind::kBigint, 0, 0, {}, {}}});
  }
  const std::vector<Column>& columns() const override { return columns_; }
  std::uint64_t cardinality() const override { return rows_.size(); }
  Result<std::unique_ptr<engine::RowScan>> Open(std::vector<std::size_t> wanted, const engine::Cursor&) override {
    return std::unique_ptr<engine::RowScan>(std::make_unique<Scan>(rows_, std::move(wanted)));
  }

 private:
  class Scan final : public engine::RowScan {
   public:
    Scan(const std::vector<Row>& rows, std::vector<std::size_t> wanted) : rows_(rows), wanted_(std::move(wanted)) {}
    Result<std::size_t> Fill(std::vector<engine::Vector>& columns) override {
      const std::size_t count = std::min(engine::kChunkRows, rows_.size() - at_);
      for (std::size_t c = 0; c < columns.size(); ++c) {
        auto* out = columns[c].data<std::int64_t>();
        for (std::size_t i = 0; i < count; ++i) {
          const Row& row = rows_[at_ + i];
          out[i] = wanted_[c] == 0 ? row.file : wanted_[c] == 1 ? row.row : row.n;
        }
      }
      at_ += count;
      return count;
    }

   private:
    const std::vector<Row>& rows_;
    std::vector<std::size_t> wanted_;
    std::size_t at_ = 0;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

std::string PathList(const std::vector<const LiveFile*>& files) {
  std::vector<std::string> paths;
  for (const LiveFile* file : files) paths.push_back(engine::Literal(file->path.string()));
  return fmt::format("[{}]", fmt::join(paths, ", "));
}

std::string SchemaEntry(std::int64_t id, const std::string& name, const std::string& type) {
  return fmt::format("{}: {{name: {}, type: {}, default_value: NULL::VARCHAR}}", id, engine::Literal(name), engine::Literal(type));
}

/// The files with the columns' newest names and types, whatever they were when a file was written; row ids, too.
std::string ReadFiles(const TableRows& table, const std::vector<const LiveFile*>& files) {
  std::string schema;
  for (const auto& column : table.columns) schema += SchemaEntry(column.id, column.name, column.sql_type()) + ", ";
  schema += SchemaEntry(kRowIdField, kRowIdColumn, "BIGINT");
  return fmt::format("read_parquet({}, schema = MAP {{{}}}, file_row_number = true)", PathList(files), schema);
}

}  // namespace

std::string ColumnList(const std::vector<std::string>& columns, const std::string& before) {
  std::string out;
  for (const auto& column : columns) out += (out.empty() ? "" : ", ") + before + engine::Quote(column);
  return out;
}

Status DirectWriter::IndexFiles(Table& table, const std::vector<std::int64_t>& files, const std::vector<std::string>& key) {
  std::vector<const LiveFile*> list;
  const auto live = [&](std::int64_t id) { return table.rows.files.contains(id); };
  const auto read = [&]() -> Status {
    if (list.empty()) return {};
    const bool committed = std::all_of(list.begin(), list.end(), [&](const LiveFile* file) { return file->begin <= as_of_; });
    const auto indexing = std::make_shared<Indexing>(*table.index, list, live, committed);
    const Visitors visitors(database_, indexing);
    TRY(connection_.Execute(fmt::format("SELECT sum(nano_visit({}, file_index::BIGINT, file_row_number, coalesce({}, -1), {})) FROM {}", visitors.handle(),
                                        kRowIdColumn, ColumnList(key), ReadFiles(table.rows, list))));
    list.clear();
    return indexing->Finish();
  };
  for (const std::int64_t id : files) {
    list.push_back(&table.rows.files.at(id));
    if (list.size() == 500) TRY(read());
  }
  return read();
}

Result<DirectWriter::Table*> DirectWriter::Keyed(const Build& build) {
  ASSIGN(Table* const table, Find("build", build.id));
  if (!table->index) {
    std::string key;
    for (const auto& name : build.definition.key) {
      const CatalogColumn* const column = table->rows.column(name);
      NANO_CHECK(column != nullptr);
      key += fmt::format("{}:{} ", column->id, column->type);
    }
    std::unique_ptr<KeyIndex>& index = indexes_["build." + build.id];
    const IndexOf of{table->rows.uuid, table->rows.id, key};
    if (!index || index->of() != of) { ASSIGN(index, KeyIndex::Open(options_.indexes / build.id, of)); }
    table->index = index.get();
  }
  if (table->index->covers() > as_of_) TRY(table->index->Clear());   // of a lake that was put back to an earlier day
  if (table->index->covers() < as_of_) {
    std::vector<std::int64_t> missing;
    for (const auto& [id, file] : table->rows.files)
      if (file.begin > table->index->covers() && file.begin <= as_of_) missing.push_back(id);
    TRY(IndexFiles(*table, missing, build.definition.key));
    table->index->SetCovers(as_of_);
  }
  return table;
}

Result<std::vector<KeyHash>> DirectWriter::HashesOf(Table& table, const std::string& relation, const std::vector<std::string>& key,
                                                    std::vector<std::int64_t>* tags) {
  const auto gather = std::make_shared<Gather>(table.index->seed());
  const Visitors visitors(database_, gather);
  TRY(connection_.Execute(fmt::format("SELECT sum(nano_visit({}, {}, 0, 0, {})) FROM {} s", visitors.handle(), tags ? "s._n" : "0",
                                      ColumnList(key, "s."), relation)));
  if (tags) *tags = std::move(gather->first);
  return std::move(gather->hashes);
}

Result<std::vector<std::vector<RowPlace>>> DirectWriter::Locate(Table& table, const std::vector<KeyHash>& keys) {
  std::vector<std::vector<RowPlace>> places(keys.size());
  std::set<std::int64_t> unloaded;
  table.index->Find(keys, [&](std::size_t n, const RowPlace& place) {
    const auto file = table.rows.files.find(place.file);
    if (file == table.rows.files.end() || file->second.IsGone(place.row)) return true;
    if (!file->second.loaded) unloaded.insert(place.file);
    places[n].push_back(place);
    return !file->second.loaded;   // the first that surely lives is the one
  });
  TRY(LoadGone(table, unloaded));
  for (auto& candidates : places)
    std::erase_if(candidates, [&](const RowPlace& place) { return table.rows.files.at(place.file).IsGone(place.row); });
  return places;
}

/// Reads the delete files of these data files.
Status DirectWriter::LoadGone(Table& table, const std::set<std::int64_t>& files) {
  std::vector<LiveFile*> list;
  std::vector<std::string> paths;
  const auto load = [&]() -> Status {
    if (list.empty()) return {};
    const auto gather = std::make_shared<Gather>(0);
    const Visitors visitors(database_, gather);
    TRY(connection_.Execute(fmt::format("SELECT sum(nano_visit({}, file_index::BIGINT, pos, 0, 0)) FROM read_parquet([{}], union_by_name = true)",
                                        visitors.handle(), fmt::join(paths, ", "))));
    for (LiveFile* file : list) file->gone.assign(static_cast<std::size_t>(file->records), false);
    for (std::size_t i = 0; i < gather->first.size(); ++i) {
      LiveFile& file = *list[static_cast<std::size_t>(gather->first[i])];
      if (gather->second[i] < 0 || gather->second[i] >= file.records)
        return Fail(Code::kCorrupt, "{} names row {} of a file of {} rows", file.delete_path.string(), gather->second[i], file.records);
      file.gone[static_cast<std::size_t>(gather->second[i])] = true;
    }
    for (LiveFile* file : list) {
      file->deleted = std::count(file->gone.begin(), file->gone.end(), true);
      file->loaded = true;
    }
    list.clear();
    paths.clear();
    return {};
  };
  for (const std::int64_t id : files) {
    LiveFile& file = table.rows.files.at(id);
    if (file.loaded) continue;
    list.push_back(&file);
    paths.push_back(engine::Literal(file.delete_path.string()));
    if (list.size() == 500) TRY(load());
  }
  return load();
}

/// Notes that a row goes; its file's deletes are loaded.
Status DirectWriter::Mark(Table& table, std::int64_t file, std::uint32_t row) {
  LiveFile& at = table.rows.files.at(file);
  NANO_CHECK(at.loaded && row < at.records);
  if (at.gone.empty()) at.gone.assign(static_cast<std::size_t>(at.records), false);
  if (at.gone[row]) return {};
  at.gone[row] = true;
  ++at.deleted;
  table.changed.insert(file);
  table.deleted = true;
  return {};
}

Result<std::string> DirectWriter::Scan(Table& table, const std::vector<std::int64_t>& files) {
  std::vector<const LiveFile*> list;
  std::vector<PlaceRows::Row> gone;
  TRY(LoadGone(table, {files.begin(), files.end()}));
  for (const std::int64_t id : files) {
    const LiveFile& file = table.rows.files.at(id);
    for (std::size_t row = 0; row < file.gone.size(); ++row)
      if (file.gone[row]) gone.push_back({static_cast<std::int64_t>(list.size()), static_cast<std::int64_t>(row), 0});
    list.push_back(&file);
  }
  std::string starts;
  for (const LiveFile* file : list) starts += fmt::format("{}{}", starts.empty() ? "" : ", ", file->row_id_start ? std::to_string(*file->row_id_start) : "NULL");
  const std::string rows = fmt::format("(SELECT t.*, t.file_index::BIGINT AS _file, t.file_row_number AS _row, "
                                       "coalesce(t.{}, ([{}]::BIGINT[])[t.file_index::BIGINT + 1] + t.file_row_number) AS _row_id FROM {} t",
                                       kRowIdColumn, starts, ReadFiles(table.rows, list));
  if (gone.empty()) return rows + ")";
  held_.push_back(database_.Register(std::shared_ptr<engine::RowSource>(std::make_shared<PlaceRows>(std::move(gone)))));
  return rows + fmt::format(" WHERE NOT EXISTS (SELECT 1 FROM nano_rows({}) g WHERE g.file = t.file_index AND g.row = t.file_row_number))", held_.back());
}

/// Marks the rows, by `_file` and `_row` of a scan over all files, that `<before> <the scan> <after>` names.
Status DirectWriter::MarkWhere(Table& table, const std::string& before, const std::string& after) {
  std::vector<std::int64_t> files;
  for (const auto& [id, file] : table.rows.files) files.push_back(id);
  if (files.empty()) return {};
  ASSIGN(const std::string scan, Scan(table, files));
  const auto gather = std::make_shared<Gather>(0);
  const Visitors visitors(database_, gather);
  TRY(connection_.Execute(fmt::format("SELECT sum(nano_visit({}, p._file, p._row, 0, 0)) FROM ({} {} {}) p", visitors.handle(), before,
                                      scan, after)));
  for (std::size_t i = 0; i < gather->first.size(); ++i)
    TRY(Mark(table, files[static_cast<std::size_t>(gather->first[i])], static_cast<std::uint32_t>(gather->second[i])));
  return {};
}

Result<std::string> DirectWriter::RowsOf(const Build& build, const std::string& keys) {
  ASSIGN(Table* const table, Keyed(build));
  std::vector<std::int64_t> tags;
  ASSIGN(const auto hashes, HashesOf(*table, keys, build.definition.key, &tags));
  ASSIGN(const auto places, Locate(*table, hashes));
  std::map<std::int64_t, std::int64_t> numbers;
  std::vector<const LiveFile*> list;
  std::vector<PlaceRows::Row> rows;
  for (std::size_t n = 0; n < places.size(); ++n)
    for (const RowPlace& place : places[n]) {
      const auto [at, added] = numbers.emplace(place.file, static_cast<std::int64_t>(list.size()));
      if (added) list.push_back(&table->rows.files.at(place.file));
      rows.push_back({at->second, place.row, tags[n]});
    }
  std::string columns;
  for (const auto& column : table->rows.columns) columns += ", t." + engine::Quote(column.name);
  if (list.empty()) {
    std::string none;
    for (const auto& column : table->rows.columns) none += fmt::format(", NULL::{} AS {}", column.sql_type(), engine::Quote(column.name));
    return "(SELECT NULL::BIGINT AS _n" + none + " WHERE false)";
  }
  held_.push_back(database_.Register(std::shared_ptr<engine::RowSource>(std::make_shared<PlaceRows>(std::move(rows)))));
  return fmt::format("(SELECT p._n{} FROM nano_rows({}) p JOIN {} t ON t.file_index = p.file AND t.file_row_number = p.row)", columns,
                     held_.back(), ReadFiles(table->rows, list));
}

}  // namespace nano::lake
