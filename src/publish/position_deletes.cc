// SPDX-License-Identifier: Apache-2.0
#include "publish/position_deletes.h"

#include <charconv>
#include <system_error>

#include "io/files.h"
#include "publish/catalog_sql.h"
#include "publish/fingerprint.h"
#include "publish/location.h"

namespace nano::publish {
namespace {

constexpr const char* kPositions = "temp.main.nanohouse_deleted_positions";
constexpr const char* kPoint = "publish.deletes";
/// Files that one statement reads.
constexpr std::size_t kFilesAtOnce = 500;

std::string List(const std::vector<std::string>& texts) {
  std::vector<std::string> literals;
  literals.reserve(texts.size());
  for (const std::string& text : texts) literals.push_back(engine::Literal(text));
  return fmt::format("[{}]", fmt::join(literals, ", "));
}

std::string ZippedIds(const std::vector<std::int64_t>& ids) {
  return fmt::format("(SELECT unnest([{0}]) AS data_file, unnest(range({1})) AS n)", fmt::join(ids, ", "), ids.size());
}

std::string FingerprintOf(const std::map<std::int64_t, std::string>& signatures, const std::vector<const DataFile*>& group) {
  Fingerprint fingerprint;
  for (const DataFile* file : group) fingerprint.Add(Location(file->path)).Add(signatures.at(file->id));
  return fingerprint.Short();
}

}  // namespace

std::map<std::int64_t, std::string> PositionDeletes::Signatures(const TableState& state) {
  std::map<std::int64_t, std::string> signatures;
  std::set<std::int64_t> by_snapshot;   // which rows are gone depends on the snapshot itself
  for (const DeleteFile& file : state.deletes) {
    signatures[file.data_file] += fmt::format("{},", file.id);
    if (file.by_snapshot) by_snapshot.insert(file.data_file);
  }
  for (const auto& [file, count] : state.inlined_deletes) signatures[file] += fmt::format("+{}", count);
  for (const DataFile& file : state.data) {
    if (file.younger_rows) by_snapshot.insert(file.id);
  }
  for (const std::int64_t file : by_snapshot) signatures[file] += fmt::format("@{}", state.at.snapshot);
  return signatures;
}

Result<std::map<std::string, PositionDeletes::Known>> PositionDeletes::ReadFolder() const {
  std::map<std::string, Known> known;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    // <fingerprint>-<snapshot>-<records>.parquet
    const std::string name = entry->path().filename().string();
    const auto dash = name.find('-');
    if (dash == name.npos || entry->path().extension() != ".parquet") continue;
    Known file{.path = entry->path()};
    const char* const last = name.data() + name.size();
    const auto snapshot = std::from_chars(name.data() + dash + 1, last, file.snapshot);
    if (snapshot.ec != std::errc() || snapshot.ptr == last || *snapshot.ptr != '-') continue;
    const auto records = std::from_chars(snapshot.ptr + 1, last, file.records);
    if (records.ec != std::errc() || records.ptr == last || *records.ptr != '.') continue;
    if (file.snapshot > state_.at.snapshot) continue;
    Known& best = known[name.substr(0, dash)];
    if (best.path.empty() || best.snapshot < file.snapshot) best = std::move(file);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Fail(Code::kUnavailable, "the folder {} can not be read: {}", folder_.string(), error.message());
  }
  return known;
}

Result<std::vector<OwnDeleteFile>> PositionDeletes::Write(const std::vector<std::vector<const DataFile*>>& groups) {
  std::vector<OwnDeleteFile> written;
  if (groups.empty()) return written;
  TRY(io::MakeFolders(folder_, kPoint));
  ASSIGN(const auto known, ReadFolder());
  std::vector<std::string> fingerprints;
  std::set<std::int64_t> missing;
  for (const auto& group : groups) {
    fingerprints.push_back(FingerprintOf(signatures_, group));
    if (known.contains(fingerprints.back())) continue;
    for (const DataFile* file : group) missing.insert(file->id);
  }
  if (!missing.empty()) TRY(LoadPositions(missing));
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto there = known.find(fingerprints[i]);
    if (there == known.end()) {
      ASSIGN(OwnDeleteFile file, WriteGroup(groups[i], fingerprints[i]));
      if (file.records > 0) written.push_back(std::move(file));
      continue;
    }
    std::error_code error;
    const auto bytes = std::filesystem::file_size(there->second.path, error);
    if (error) return Fail(Code::kUnavailable, "{} can not be read: {}", there->second.path.string(), error.message());
    written.push_back({.data = groups[i],
                       .location = Location(there->second.path),
                       .records = there->second.records,
                       .bytes = static_cast<std::int64_t>(bytes),
                       .snapshot = there->second.snapshot});
  }
  // Also for files that were there: a run that was cut short may not have come to this.
  TRY(io::SyncFolder(folder_, kPoint));
  if (!missing.empty()) TRY(connection_.Execute(fmt::format("DROP TABLE IF EXISTS {}", kPositions)));
  return written;
}

Status PositionDeletes::LoadPositions(const std::set<std::int64_t>& files) {
  TRY(connection_.Execute(fmt::format("CREATE OR REPLACE TEMP TABLE nanohouse_deleted_positions (data_file BIGINT, pos BIGINT)")));
  TRY(LoadFromDeleteFiles(files, false));
  TRY(LoadFromDeleteFiles(files, true));
  TRY(LoadYoungerRows(files));
  return LoadInlined(files);
}

Status PositionDeletes::LoadFromDeleteFiles(const std::set<std::int64_t>& files, bool by_snapshot) {
  std::vector<std::string> paths;
  std::vector<std::int64_t> ids;
  const auto load = [&]() -> Status {
    if (paths.empty()) return {};
    const std::string until = by_snapshot ? fmt::format("WHERE _ducklake_internal_snapshot_id <= {}", state_.at.snapshot) : "";
    TRY(connection_.Execute(fmt::format("INSERT INTO {} SELECT m.data_file, d.pos FROM "
                                        "(SELECT file_index, pos FROM read_parquet({}, union_by_name = true) {}) d JOIN {} m ON m.n = d.file_index",
                                        kPositions, List(paths), until, ZippedIds(ids))));
    paths.clear();
    ids.clear();
    return {};
  };
  for (const DeleteFile& file : state_.deletes) {
    if (file.by_snapshot != by_snapshot || !files.contains(file.data_file)) continue;
    paths.push_back(file.path.string());
    ids.push_back(file.data_file);
    if (paths.size() == kFilesAtOnce) TRY(load());
  }
  return load();
}

Status PositionDeletes::LoadYoungerRows(const std::set<std::int64_t>& files) {
  for (const DataFile& file : state_.data) {
    if (!file.younger_rows || !files.contains(file.id)) continue;
    TRY(connection_.Execute(fmt::format("INSERT INTO {} SELECT {}, file_row_number FROM read_parquet({}) WHERE _ducklake_internal_snapshot_id > {}",
                                        kPositions, file.id, engine::Literal(file.path.string()), state_.at.snapshot)));
  }
  return {};
}

Status PositionDeletes::LoadInlined(const std::set<std::int64_t>& files) {
  if (state_.inlined_deletes.empty()) return {};
  return connection_.Execute(fmt::format("INSERT INTO {} SELECT file_id, row_id FROM {}.{} WHERE begin_snapshot <= {} AND file_id IN ({})", kPositions,
                                         engine::Quote(kMetaDatabase), engine::Quote(InlinedDeletes(state_.table_id)), state_.at.snapshot,
                                         fmt::join(files, ", ")));
}

Result<OwnDeleteFile> PositionDeletes::WriteGroup(const std::vector<const DataFile*>& group, const std::string& fingerprint) {
  std::vector<std::string> locations;
  std::vector<std::int64_t> ids;
  for (const DataFile* file : group) {
    locations.push_back(Location(file->path));
    ids.push_back(file->id);
  }
  const std::string rows = fmt::format("SELECT DISTINCT data_file, pos FROM {} WHERE data_file IN ({})", kPositions, fmt::join(ids, ", "));
  ASSIGN(const engine::Rows count, connection_.Query(fmt::format("SELECT count(*) FROM ({})", rows)));
  OwnDeleteFile file{.data = group, .location = {}, .records = count.integer(0, 0), .bytes = 0, .snapshot = state_.at.snapshot};
  if (file.records == 0) return file;

  const std::filesystem::path path = folder_ / fmt::format("{}-{}-{}.parquet", fingerprint, file.snapshot, file.records);
  const std::filesystem::path temporary = path.string() + ".tmp";
  // Readers match file_path byte for byte, and some of them search it: sorted, as the bytes are.
  TRY(connection_.Execute(fmt::format(
      "COPY (SELECT l.location AS file_path, p.pos AS pos FROM ({0}) p "
      "JOIN (SELECT unnest([{1}]) AS data_file, unnest({2}) AS location) l USING (data_file) ORDER BY l.location, p.pos) "
      "TO {3} (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {{file_path: 2147483546, pos: 2147483545}})",
      rows, fmt::join(ids, ", "), List(locations), engine::Literal(temporary.string()))));
  TRY(io::SyncFile(temporary, kPoint));
  TRY(io::RenameFile(temporary, path, kPoint));
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return Fail(Code::kUnavailable, "{} can not be read: {}", path.string(), error.message());
  file.bytes = static_cast<std::int64_t>(bytes);
  file.location = Location(path);
  return file;
}

}  // namespace nano::publish
