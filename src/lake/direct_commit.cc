// SPDX-License-Identifier: Apache-2.0
// The direct lane's commit: delete files, durability, and the catalog's rows.
#include <fmt/format.h>

#include <ctime>
#include <set>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "engine/row_source.h"
#include "io/fault.h"
#include "io/file_uri.h"
#include "io/files.h"
#include "lake/catalog_sql.h"
#include "lake/delete_name.h"
#include "lake/direct_table.h"
#include "wire/utf8.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;

std::string TextOrNull(const std::optional<std::string>& text) { return text ? engine::Literal(*text) : "NULL"; }

/// `2026-11-24 10:00:00.123456+00`
std::string Now() {
  const std::int64_t micros = NowMicros();
  const std::time_t seconds = micros / 1000000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                     parts.tm_min, parts.tm_sec, micros % 1000000);
}

/// What of a column's statistics holds as a bound. A long text is cut within a character, perhaps: what is left before it is
/// still the least, but nothing is known of the greatest.
std::optional<std::string> Least(const std::map<std::string, std::string>& stats) {
  const auto at = stats.find("min");
  if (at == stats.end()) return std::nullopt;
  return std::string(wire::ValidPrefix(at->second));
}
std::optional<std::string> Greatest(const std::map<std::string, std::string>& stats) {
  const auto at = stats.find("max");
  if (at == stats.end() || wire::ValidPrefix(at->second).size() != at->second.size()) return std::nullopt;
  return at->second;
}
std::int64_t Number(const std::map<std::string, std::string>& stats, const char* name) {
  const auto at = stats.find(name);
  return at == stats.end() ? 0 : std::strtoll(at->second.c_str(), nullptr, 10);
}

/// The rows that are gone from some data files, as a relation `n` (which of them), `file_path`, `pos`.
class GoneRows final : public engine::RowSource {
 public:
  explicit GoneRows(std::vector<const LiveFile*> files) : files_(std::move(files)) {
    columns_ = {{"n", {TypeKind::kBigint, 0, 0, {}, {}}}, {"file_path", {TypeKind::kString, 0, 0, {}, {}}}, {"pos", {TypeKind::kBigint, 0, 0, {}, {}}}};
    for (const LiveFile* file : files_) uris_.push_back(io::FileUri(file->path));
  }
  const std::vector<Column>& columns() const override { return columns_; }
  Result<std::unique_ptr<engine::RowScan>> Open(std::vector<std::size_t> wanted, const engine::Cursor&) override {
    return std::unique_ptr<engine::RowScan>(std::make_unique<Scan>(*this, std::move(wanted)));
  }

 private:
  class Scan final : public engine::RowScan {
   public:
    Scan(const GoneRows& source, std::vector<std::size_t> wanted) : source_(source), wanted_(std::move(wanted)) {}
    Result<std::size_t> Fill(std::vector<engine::Vector>& columns) override {
      std::size_t count = 0;
      for (; file_ < source_.files_.size() && count < engine::kChunkRows; ++file_, row_ = 0) {
        const auto& gone = source_.files_[file_]->gone;
        for (; row_ < gone.size() && count < engine::kChunkRows; ++row_) {
          if (!gone[row_]) continue;
          for (std::size_t c = 0; c < columns.size(); ++c) {
            if (wanted_[c] == 0) columns[c].data<std::int64_t>()[count] = static_cast<std::int64_t>(file_);
            else if (wanted_[c] == 1) columns[c].SetString(count, source_.uris_[file_]);
            else columns[c].data<std::int64_t>()[count] = static_cast<std::int64_t>(row_);
          }
          ++count;
        }
        if (row_ < gone.size()) break;
      }
      return count;
    }

   private:
    const GoneRows& source_;
    std::vector<std::size_t> wanted_;
    std::size_t file_ = 0, row_ = 0;
  };
  std::vector<const LiveFile*> files_;
  std::vector<std::string> uris_;
  std::vector<Column> columns_;
};

/// The text of a value as the catalog's own column of that type takes it: PostgreSQL keeps texts as bytes, so that every one fits.
std::string Kept(CatalogKind catalog, const std::string& type, const std::string& text) {
  if (catalog == CatalogKind::kSqlite || type != "varchar") return engine::Literal(text);
  std::string hex;
  for (const char byte : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return "'\\x" + hex + "'";
}

/// A list of rows for INSERT … VALUES.
class Values {
 public:
  template <class... Parts>
  void Add(const Parts&... parts) {
    std::string row;
    ((row += (row.empty() ? "" : ", ") + fmt::format("{}", parts)), ...);
    text_ += (text_.empty() ? "(" : ", (") + row + ")";
  }
  std::string Into(const std::string& table) const { return text_.empty() ? "" : "INSERT INTO " + table + " VALUES " + text_ + ";\n"; }

 private:
  std::string text_;
};

}  // namespace

Status DirectWriter::Widen(Table& table, const engine::WrittenFile& file) {
  struct Question {
    std::int64_t column;
    bool least;
    std::string text;
  };
  std::vector<Question> questions;
  std::string sql;
  const auto leaves = table.rows.leaves();
  const bool first = table.rows.records_ever == 0;
  for (const auto& [path, stats] : file.columns) {
    const auto leaf = leaves.find(path);
    if (leaf == leaves.end()) continue;
    const std::int64_t id = leaf->second->id;
    const auto known = table.rows.bounds.find(id);
    const bool fresh = known == table.rows.bounds.end() && !table.widened.contains(id);
    ColumnBounds& bounds = table.widened.contains(id) ? table.widened[id] : (table.widened[id] = fresh ? ColumnBounds{} : known->second);
    if (fresh) bounds.has_null = !first;   // a column that is younger than its table
    bounds.has_null = bounds.has_null || Number(stats, "null_count") > 0;
    if (const auto nan = stats.find("has_nan"); nan != stats.end()) bounds.has_nan = bounds.has_nan.value_or(false) || nan->second == "true";
    const auto least = Least(stats), greatest = Greatest(stats);
    const bool empty = file.records == Number(stats, "null_count");
    if (empty) continue;
    const auto widen = [&](std::optional<std::string>& bound, const std::optional<std::string>& by, bool is_least) {
      if (fresh || (first && !bound)) {
        bound = by;
      } else if (!by) {
        bound.reset();    // nothing is known any more
      } else if (bound && *bound != *by) {
        sql += fmt::format("{}TRY_CAST({} AS {}) {} TRY_CAST({} AS {})", sql.empty() ? "SELECT " : ", ", engine::Literal(*by),
                           leaf->second->sql_type(), is_least ? "<" : ">", engine::Literal(*bound), leaf->second->sql_type());
        questions.push_back({id, is_least, *by});
      }
    };
    widen(bounds.least, least, true);
    widen(bounds.greatest, greatest, false);
  }
  if (questions.empty()) return {};
  ASSIGN(const auto answers, connection_.Query(sql));
  for (std::size_t i = 0; i < questions.size(); ++i) {
    ColumnBounds& bounds = table.widened[questions[i].column];
    std::optional<std::string>& bound = questions[i].least ? bounds.least : bounds.greatest;
    if (!answers.rows[0][i]) bound.reset();
    else if (answers.text(0, i) == "true") bound = questions[i].text;
  }
  return {};
}

/// One new delete file for each data file of which rows went, with all rows that are gone from it.
Status DirectWriter::WriteDeletes() {
  for (auto& [name, table] : tables_) {
    if (!table || table->changed.empty()) continue;
    std::vector<LiveFile*> files;
    for (const std::int64_t id : std::exchange(table->changed, {})) {
      LiveFile& file = table->rows.files.at(id);
      if (file.live() > 0) files.push_back(&file);
      else End(*table, id);   // nothing is left of it
    }
    if (files.empty()) continue;
    TRY(io::PassOrFail("lake.deletes"));
    const auto source = std::make_shared<GoneRows>(std::vector<const LiveFile*>(files.begin(), files.end()));
    const std::int64_t handle = database_.Register(std::shared_ptr<engine::RowSource>(source));
    const bool many = files.size() > 1;
    const fs::path target = table->rows.folder / NewFileName(many ? "" : DeleteNameEnd(table->rows.folder));
    batch_->files.push_back(target);
    auto written = connection_.Copy(fmt::format(
        "COPY (SELECT {}file_path, pos FROM nano_rows({})) TO {} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
        "FIELD_IDS {{file_path: 2147483546, pos: 2147483545}}, RETURN_STATS{})",
        many ? "n, " : "", handle, engine::Literal(target.string()), many ? ", PARTITION_BY (n), FILENAME_PATTERN 'nh-{uuid}'" : ""));
    database_.Release(handle);
    if (!written) return tl::make_unexpected(written.error());
    if (written->size() != files.size()) return Fail(Code::kInternal, "{} delete files were written for {} data files", written->size(), files.size());
    std::error_code error;
    for (const auto& one : *written) {
      LiveFile& file = *files[many ? static_cast<std::size_t>(std::stoll(one.partition.at("n"))) : 0];
      fs::path path = one.path;
      if (many) {
        path = table->rows.folder / NewFileName(DeleteNameEnd(table->rows.folder));
        TRY(io::RenameFile(one.path, path, "lake.deletes"));
        batch_->files.push_back(path);
      }
      if (one.records != file.deleted) return Fail(Code::kInternal, "{} of {} deleted rows were written", one.records, file.deleted);
      table->deletes.push_back({batch_->next_file++, file.id, one.records, one.bytes, one.footer_bytes, path});
      if (file.delete_file >= 0) table->ended_deletes.push_back(file.delete_file);
    }
    if (many) fs::remove_all(target, error);
  }
  return {};
}

Status DirectWriter::Durable() {
  std::vector<fs::path> files;
  for (const auto& [name, table] : tables_) {
    if (!table) continue;
    for (const AddedFile& added : table->added) files.emplace_back(added.written.path);
    for (const AddedDeletes& deletes : table->deletes) files.push_back(deletes.path);
  }
  return io::SyncFiles(files, "lake.data");
}

Result<std::string> DirectWriter::StatementsOf(std::int64_t snapshot, const std::string& message, const std::string& extra_info) {
  std::string changes, sql, ended_files, ended_deletes, table_ids, columns;
  Values data_files, stats, delete_files, sums, bounds;
  std::map<std::string, Values> small;
  const bool postgres = options_.catalog == CatalogKind::kPostgres;
  const std::string database = postgres ? "" : std::string(kMetaDatabase) + ".";
  const auto of_catalog = [&](const char* table) { return database + "ducklake_" + table; };
  // Of many rows few change: SQLite finds them by its own keys, DuckDB would look at every row.
  const auto change = [&](const std::string& statement) {
    return postgres ? statement + ";\n" : "SELECT done FROM " + AskCatalog(options_.catalog, statement + " RETURNING 1 AS done") + ";\n";
  };
  const auto list = [](std::string& to, const std::string& what, const char* between = ", ") { to += (to.empty() ? "" : between) + what; };

  for (const auto& row : batch_->small) {
    ASSIGN(Table* const table, Small(row.table));
    std::string values = fmt::format("{}, {}, NULL", table->rows.next_row_id++, snapshot), same;
    engine::WrittenFile as_file;
    as_file.records = 1;
    const std::string inlined = database + table->inlined;
    for (std::size_t c = 0; c < row.values.size(); ++c) {
      const std::string& column = table->rows.columns[c].name;
      const std::string value = Kept(options_.catalog, table->rows.columns[c].type, row.values[c]);
      values += ", " + value;
      as_file.columns[engine::Quote(column)] = {{"min", row.values[c]}, {"max", row.values[c]}, {"null_count", "0"}};
      if (c < row.key) list(same, engine::Quote(column) + " = " + value, " AND ");
    }
    TRY(Widen(*table, as_file));
    ++table->rows.records_ever;
    if (row.key > 0) sql += fmt::format("UPDATE {} SET end_snapshot = {} WHERE end_snapshot IS NULL AND {};\n", inlined, snapshot, same);
    if (row.key > 0) list(changes, fmt::format("inlined_delete:{}", table->rows.id), ",");
    list(changes, fmt::format("inlined_insert:{}", table->rows.id), ",");
    small[inlined].Add(values);
    table->inserted = true;
  }

  for (const auto& [name, table] : tables_) {
    if (!table || !table->touched()) continue;
    const TableRows& rows = table->rows;
    const bool of_files = table->inlined.empty();
    if (of_files && table->rewritten) list(changes, fmt::format("rewrite_delete:{}", rows.id), ",");
    else if (of_files && table->inserted) list(changes, fmt::format("inserted_into_table:{}", rows.id), ",");
    if (of_files && table->deleted) list(changes, fmt::format("deleted_from_table:{}", rows.id), ",");
    const auto leaves = rows.leaves();
    for (const AddedFile& added : table->added) {
      const auto& file = added.written;
      data_files.Add(added.id, rows.id, snapshot, "NULL", "NULL", engine::Literal(fs::path(file.path).lexically_relative(rows.folder).string()), "true",
                     "'parquet'", file.records, file.bytes, file.footer_bytes, added.row_id_start ? std::to_string(*added.row_id_start) : "NULL",
                     "NULL", "NULL", "NULL", "NULL");
      for (const auto& [path, column] : file.columns) {
        const auto leaf = leaves.find(path);
        if (leaf == leaves.end()) continue;
        const std::int64_t nulls = Number(column, "null_count");
        const auto nan = column.find("has_nan");
        stats.Add(added.id, rows.id, leaf->second->id, Number(column, "column_size_bytes"), Number(column, "num_values") - nulls, nulls,
                  TextOrNull(Least(column)), TextOrNull(Greatest(column)), nan == column.end() ? "NULL" : nan->second == "true" ? "true" : "false", "NULL");
      }
    }
    for (const AddedDeletes& deletes : table->deletes)
      delete_files.Add(deletes.id, rows.id, snapshot, "NULL", deletes.data_file, engine::Literal(deletes.path.lexically_relative(rows.folder).string()),
                       "true", "'parquet'", deletes.count, deletes.bytes, deletes.footer_bytes, "NULL", "NULL");
    for (const std::int64_t id : table->ended_files) list(ended_files, std::to_string(id));
    for (const std::int64_t id : table->ended_deletes) list(ended_deletes, std::to_string(id));
    list(table_ids, std::to_string(rows.id));
    sums.Add(rows.id, rows.records_ever, rows.next_row_id, rows.bytes_ever);
    std::string ids;
    for (const auto& [id, bound] : table->widened) {
      list(ids, std::to_string(id));
      bounds.Add(rows.id, id, bound.has_null, bound.has_nan ? (*bound.has_nan ? "true" : "false") : "NULL", TextOrNull(bound.least),
                 TextOrNull(bound.greatest), "NULL");
    }
    if (!ids.empty()) list(columns, fmt::format("(table_id = {} AND column_id IN ({}))", rows.id, ids), " OR ");
  }

  // The first statement takes the catalog's write lock; who made this snapshot meanwhile makes it fail.
  std::string out = fmt::format("INSERT INTO {} VALUES ({}, {}, {}, {}, {});\n", of_catalog("snapshot"), snapshot, engine::Literal(Now()), batch_->schema_version,
                                batch_->next_catalog_id, std::max(batch_->next_file, batch_->first_file + 1));
  out += fmt::format("INSERT INTO {} VALUES ({}, {}, 'nanohouse', {}, {});\n", of_catalog("snapshot_changes"), snapshot, engine::Literal(changes),
                     engine::Literal(message), engine::Literal(extra_info));
  out += sql;
  for (const auto& [table, rows] : small) out += rows.Into(table);
  if (!ended_files.empty()) out += change(fmt::format("UPDATE ducklake_data_file SET end_snapshot = {} WHERE data_file_id IN ({})", snapshot, ended_files));
  if (!ended_deletes.empty())
    out += change(fmt::format("UPDATE ducklake_delete_file SET end_snapshot = {} WHERE delete_file_id IN ({})", snapshot, ended_deletes));
  out += data_files.Into(of_catalog("data_file")) + stats.Into(of_catalog("file_column_stats")) + delete_files.Into(of_catalog("delete_file"));
  if (!table_ids.empty()) out += change(fmt::format("DELETE FROM ducklake_table_stats WHERE table_id IN ({})", table_ids)) + sums.Into(of_catalog("table_stats"));
  if (!columns.empty()) out += change(fmt::format("DELETE FROM ducklake_table_column_stats WHERE {}", columns)) + bounds.Into(of_catalog("table_column_stats"));
  return out;
}

Result<std::int64_t> DirectWriter::Commit(const std::string& message, const std::string& extra_info) {
  NANO_CHECK(batch_);
  const std::int64_t snapshot = batch_->base + 1;
  TRY(WriteDeletes());
  TRY(Durable());
  ASSIGN(const std::string sql, StatementsOf(snapshot, message, extra_info));
  TRY(io::PassOrFail("lake.commit.before"));
  TRY(connection_.Execute("BEGIN TRANSACTION"));
  Status done = connection_.Execute(options_.catalog == CatalogKind::kPostgres
                                        ? fmt::format("CALL postgres_execute('{}', {})", kMetaDatabase, engine::Literal(sql)) : sql);
  if (done) done = io::PassOrFail("lake.commit.locked");
  if (!done) {
    connection_.Execute("ROLLBACK").map_error([](const Error&) { return 0; });
    if (done.error().message.find("constraint") != std::string::npos) done.error().code = Code::kConflict;
    return tl::make_unexpected(done.error());
  }
  done = connection_.Execute("COMMIT");
  if (!done) {
    connection_.Execute("ROLLBACK").map_error([](const Error&) { return 0; });
    // The catalog may or may not have it: only the catalog can tell, once it is no more at it.
    const Status settled = options_.settle ? options_.settle() : Status();
    if (!settled) {
      batch_->files.clear();   // delete nothing
      done.error().code = Code::kOutcomeUnknown;
      return tl::make_unexpected(done.error());
    }
    const auto newest = connection_.Query("SELECT max(snapshot_id) FROM " + Meta("snapshot"));
    if (!newest || newest->integer(0, 0) >= snapshot) {
      const auto made = connection_.Query("SELECT author, commit_message, commit_extra_info FROM " + Meta("snapshot_changes") + " WHERE snapshot_id = ?", {snapshot});
      const bool ours = made && made->size() == 1 && made->text(0, 0) == "nanohouse" && made->text(0, 1) == message && made->text(0, 2) == extra_info;
      if (!ours) {
        if (!made) {
          batch_->files.clear();   // delete nothing
          done.error().code = Code::kOutcomeUnknown;
        }
        return tl::make_unexpected(done.error());
      }
    } else {
      return tl::make_unexpected(done.error());
    }
  }
  for (auto& [name, table] : tables_) {
    if (!table || !table->touched()) continue;
    for (const auto& deletes : table->deletes) {
      LiveFile& file = table->rows.files.at(deletes.data_file);
      file.delete_file = deletes.id;
      file.delete_path = deletes.path;
    }
    for (const auto& [id, bound] : table->widened) table->rows.bounds[id] = bound;
    table->added.clear();
    table->deletes.clear();
    table->ended_files.clear();
    table->ended_deletes.clear();
    table->widened.clear();
    table->row_ids.clear();
    table->inserted = table->deleted = table->rewritten = false;
    if (table->index && table->index->covers() == as_of_) table->index->SetCovers(snapshot);
  }
  as_of_ = snapshot;
  std::error_code ignored;
  for (const auto& file : batch_->dropped) fs::remove(file, ignored);
  batch_.reset();
  ReleaseHeld();
  // An index that can't be saved is made again from the files.
  for (auto& [name, table] : tables_)
    if (table && table->index && table->index->unsaved() >= kIndexInMemory)
      (void)table->index->Save([&](std::int64_t id) { return table->rows.files.contains(id); });
  return snapshot;
}

Status DirectWriter::Compact(const Build& build, const std::string& extra_info) {
  if (batch_ || build.definition.columns.empty()) return {};
  const auto known = tables_.find("build." + build.id);
  if (known == tables_.end() || !known->second || WorthMerging(*known->second).empty()) return {};
  TRY(Begin());
  const bool keyed = build.definition.identity == Identity::kKey;
  const auto merge = [&]() -> Result<bool> {
    ASSIGN(Table* const table, keyed ? Keyed(build) : Find("build", build.id));
    const std::vector<std::int64_t> files = IsDirect(table->rows, build) ? WorthMerging(*table) : std::vector<std::int64_t>{};
    if (files.empty()) return false;
    TRY(io::PassOrFail("lake.compact"));
    ASSIGN(const std::string scan, Scan(*table, files));
    std::vector<std::string> columns;
    for (const auto& column : table->rows.columns) columns.push_back(column.name);
    const auto sums = std::tuple(table->rows.records_ever, table->rows.next_row_id, table->rows.bytes_ever);
    TRY(WriteRows(*table, fmt::format("SELECT {}, _row_id AS {} FROM {}", ColumnList(columns), kRowIdColumn, scan), build.definition.sort_by,
                  RowIdsFrom::kRows, keyed ? build.definition.key : std::vector<std::string>{}));
    std::tie(table->rows.records_ever, table->rows.next_row_id, table->rows.bytes_ever) = sums;   // of rows that were added
    for (const std::int64_t id : files) End(*table, id);
    table->rewritten = true;
    return true;
  };
  auto merged = merge();
  if (merged && *merged) {
    auto committed = Commit("compact", extra_info);
    if (committed) return {};
    merged = tl::make_unexpected(committed.error());
  }
  Rollback();
  return merged ? Status() : Status(tl::make_unexpected(merged.error()));
}

/// Files of like size of which there are many, else those of which much is gone.
std::vector<std::int64_t> DirectWriter::WorthMerging(const Table& table) const {
  std::map<int, std::vector<std::int64_t>> tiers;
  std::vector<std::int64_t> worn;
  for (const auto& [id, file] : table.rows.files) {
    const double share = static_cast<double>(file.deleted) / static_cast<double>(std::max<std::int64_t>(file.records, 1));
    const double most = file.records < 200'000 ? 0.5 : file.records < 2'000'000 ? 0.4 : 0.25;
    if (share > most && worn.size() < 2) worn.push_back(id);
    int tier = 0;
    for (std::int64_t rows = std::max<std::int64_t>(file.live(), kSmallestTier); rows > kSmallestTier; rows /= kFilesOfATier) ++tier;
    if (file.bytes < options_.target_file_bytes / 2) tiers[tier].push_back(id);
  }
  std::vector<std::int64_t> files = worn;
  for (const auto& [tier, members] : tiers) {
    if (members.size() < kFilesOfATier) continue;
    for (const std::int64_t id : members)
      if (std::find(files.begin(), files.end(), id) == files.end()) files.push_back(id);
    break;
  }
  return files;
}

}  // namespace nano::lake
