// SPDX-License-Identifier: Apache-2.0
// What the files say of the catalog's rows.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <optional>

#include "lake/catalog_sql.h"
#include "lake/invariant_rules.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFootersAtOnce = 200;
constexpr const char* kRowIdColumn = "_ducklake_internal_row_id";
constexpr const char* kRestoreFile = "Restore it from a backup: the catalog names it.";

struct NamedFile {
  std::string table;
  std::int64_t table_id = 0;
  fs::path path;
  std::int64_t bytes = 0, footer = -1, rows = 0;
  std::optional<std::int64_t> row_id_start;
  bool deletes = false, partial = false;
};

/// Every file that the catalog names: also those that only older, kept snapshots need.
std::string NamedFiles() {
  return fmt::format(R"sql(
SELECT s.path, s.path_is_relative, t.path, t.path_is_relative, f.path, f.path_is_relative::BIGINT, f.file_size_bytes, coalesce(f.footer_size, -1), f.records,
       f.deletes::BIGINT, f.partial::BIGINT, f.row_id_start, f.table_id, s.name || '.' || t.name
FROM (
  SELECT table_id, path, path_is_relative, file_size_bytes, footer_size, record_count AS records, false AS deletes, partial_max IS NOT NULL AS partial, row_id_start
  FROM {}
  UNION ALL
  SELECT table_id, path, path_is_relative, file_size_bytes, footer_size, delete_count, true, partial_max IS NOT NULL, NULL FROM {}) f
JOIN (SELECT table_id, max(schema_id) AS schema_id, max(path) AS path, min(path_is_relative::BIGINT) AS path_is_relative, max(table_name) AS name
      FROM {} GROUP BY table_id) t USING (table_id)
JOIN (SELECT schema_id, max(path) AS path, min(path_is_relative::BIGINT) AS path_is_relative, max(schema_name) AS name FROM {} GROUP BY schema_id) s
  USING (schema_id) ORDER BY 13, 10, 5)sql", Meta("data_file"), Meta("delete_file"), Meta("table"), Meta("schema"));
}

bool IsBelow(const fs::path& path, const fs::path& folder) {
  const fs::path rest = path.lexically_normal().lexically_relative(folder.lexically_normal());
  return !rest.empty() && *rest.begin() != ".." && *rest.begin() != ".";
}

Result<std::vector<NamedFile>> ReadNamedFiles(engine::Connection& connection, const fs::path& data, Inspection& out) {
  ASSIGN(const auto rows, connection.Query(NamedFiles()));
  std::vector<NamedFile> files;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const fs::path schema = CatalogPath(data, rows.text(r, 0), rows.integer(r, 1) != 0);
    const fs::path table = CatalogPath(schema, rows.text(r, 2), rows.integer(r, 3) != 0);
    NamedFile file{rows.text(r, 13), rows.integer(r, 12), CatalogPath(table, rows.text(r, 4), rows.integer(r, 5) != 0), rows.integer(r, 6), rows.integer(r, 7),
                   rows.integer(r, 8), std::nullopt, rows.integer(r, 9) != 0, rows.integer(r, 10) != 0};
    if (rows.rows[r][11]) file.row_id_start = rows.integer(r, 11);
    if (!IsBelow(file.path, data))
      out.violations.push_back({Invariant::kPaths, file.table, file.path, fmt::format("file \"{}\" lies outside the data path", file.path.string()),
                                "Move it below the data path, and correct its row in the catalog.", {}, {}});
    files.push_back(std::move(file));
  }
  return files;
}

/// The footer's length, where the file is framed as Parquet is; a torn one is not.
std::optional<std::int64_t> FooterSize(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> head{};
  std::array<char, 8> tail{};
  file.read(head.data(), head.size());
  file.seekg(-8, std::ios::end);
  file.read(tail.data(), tail.size());
  if (!file.good() || std::memcmp(head.data(), "PAR1", 4) != 0 || std::memcmp(tail.data() + 4, "PAR1", 4) != 0) return std::nullopt;
  std::uint32_t length = 0;
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(&length, tail.data(), 4);
  return length;
}

/// Size and frame; true where its content can be read on.
bool CheckOneFile(const NamedFile& file, Inspection& out) {
  const auto wrong = [&](Invariant invariant, std::string what) {
    out.violations.push_back({invariant, file.table, file.path, std::move(what), kRestoreFile, {}, {}});
    return false;
  };
  const std::string path = file.path.string();
  std::error_code error;
  const auto size = fs::file_size(file.path, error);
  if (error) return wrong(Invariant::kFileMissing, fmt::format("file \"{}\" is missing", path));
  if (static_cast<std::int64_t>(size) != file.bytes)
    return wrong(Invariant::kFileSize, fmt::format("file \"{}\" has {} bytes, the catalog says {}", path, size, file.bytes));
  const auto footer = FooterSize(file.path);
  if (!footer) return wrong(Invariant::kFileSize, fmt::format("file \"{}\" is torn: it has no end", path));
  if (file.footer >= 0 && *footer != file.footer)
    wrong(Invariant::kFileSize, fmt::format("file \"{}\" has a footer of {} bytes, the catalog says {}", path, *footer, file.footer));
  return true;
}

struct Content {
  std::int64_t rows = 0;
  std::optional<std::int64_t> greatest_row_id;   ///< of row ids that stand in the file
};

/// By path; where one can't be read, the error does not say which.
Result<std::map<std::string, Content>> Contents(engine::Connection& connection, std::span<const NamedFile* const> files) {
  std::string list;
  for (const auto* file : files) list += (list.empty() ? "" : ", ") + engine::Literal(file->path.string());
  ASSIGN(const auto rows, connection.Query("SELECT file_name, num_rows FROM parquet_file_metadata([" + list + "])"));
  ASSIGN(const auto ids, connection.Query(fmt::format(
      "SELECT file_name, max(TRY_CAST(coalesce(stats_max_value, stats_max) AS BIGINT)) FROM parquet_metadata([{}]) WHERE path_in_schema = '{}' GROUP BY ALL",
      list, kRowIdColumn)));
  std::map<std::string, Content> out;
  for (std::size_t r = 0; r < rows.size(); ++r) out[rows.text(r, 0)].rows = rows.integer(r, 1);
  for (std::size_t r = 0; r < ids.size(); ++r)
    if (ids.rows[r][1]) out[ids.text(r, 0)].greatest_row_id = ids.integer(r, 1);
  return out;
}

void CheckContents(engine::Connection& connection, std::span<const NamedFile* const> files, std::map<std::int64_t, std::int64_t>& used, Inspection& out) {
  const auto contents = Contents(connection, files);
  if (!contents) {
    if (files.size() == 1) {
      out.violations.push_back({Invariant::kFileRows, files[0]->table, files[0]->path, fmt::format("file \"{}\" has no readable footer", files[0]->path.string()),
                                kRestoreFile, {}, {}});
      return;
    }
    CheckContents(connection, files.first(files.size() / 2), used, out);   // find which one it is
    CheckContents(connection, files.subspan(files.size() / 2), used, out);
    return;
  }
  for (const auto* file : files) {
    const auto found = contents->find(file->path.string());
    if (found == contents->end()) continue;
    if (found->second.rows != file->rows && !file->partial)
      out.violations.push_back({file->deletes ? Invariant::kDeleteCount : Invariant::kFileRows, file->table, file->path,
                                fmt::format("file \"{}\" has {} rows, the catalog says {}", file->path.string(), found->second.rows, file->rows),
                                kRestoreFile, {}, {}});
    if (file->deletes) continue;
    std::int64_t& most = used.try_emplace(file->table_id, -1).first->second;
    if (found->second.greatest_row_id) most = std::max(most, *found->second.greatest_row_id);
    else if (file->row_id_start) most = std::max(most, *file->row_id_start + file->rows - 1);
  }
}

Status CheckRowIds(engine::Connection& connection, const std::vector<CatalogTable>& tables, const std::map<std::int64_t, std::int64_t>& used, Inspection& out) {
  ASSIGN(const auto rows, connection.Query("SELECT table_id, next_row_id FROM " + Meta("table_stats")));
  std::map<std::int64_t, std::int64_t> next;
  for (std::size_t r = 0; r < rows.size(); ++r) next[rows.integer(r, 0)] = rows.integer(r, 1);
  for (const auto& table : tables) {
    const auto most = used.find(table.id);
    const auto at = next.find(table.id);
    if (most == used.end() || (at != next.end() && at->second > most->second)) continue;
    const bool known = at != next.end();
    out.violations.push_back({Invariant::kRowIds, table.full_name(), {},
                              fmt::format("next_row_id is {}, and a row {} is there: two rows would share an id", known ? std::to_string(at->second) : "not known", most->second), {},
                              known ? fmt::format("UPDATE {} SET next_row_id = {} WHERE table_id = {}", Meta("table_stats"), most->second + 1, table.id) : std::string(), {}});
  }
  return {};
}

}  // namespace

Status CheckFiles(engine::Connection& connection, const fs::path& data, const std::vector<CatalogTable>& tables, const std::function<bool()>& stop,
                  Inspection& out) {
  ASSIGN(const auto files, ReadNamedFiles(connection, data, out));
  std::vector<const NamedFile*> whole;
  for (const auto& file : files) {
    if (stop && stop()) return {};
    out.named.push_back(file.path);
    out.bytes += static_cast<std::uint64_t>(file.bytes);
    if (CheckOneFile(file, out)) whole.push_back(&file);
  }
  out.files = files.size();
  ASSIGN(const auto leaving, connection.Query("SELECT path, path_is_relative::BIGINT FROM " + Meta("files_scheduled_for_deletion")));
  for (std::size_t r = 0; r < leaving.size(); ++r) out.named.push_back(CatalogPath(data, leaving.text(r, 0), leaving.integer(r, 1) != 0));
  std::map<std::int64_t, std::int64_t> used;   // the greatest row id of each table
  for (std::size_t at = 0; at < whole.size() && !(stop && stop()); at += kFootersAtOnce)
    CheckContents(connection, std::span(whole).subspan(at, std::min(kFootersAtOnce, whole.size() - at)), used, out);
  return CheckRowIds(connection, tables, used, out);
}

}  // namespace nano::lake
