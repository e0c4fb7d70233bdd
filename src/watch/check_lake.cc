// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "lake/invariants.h"
#include "lake/key_index.h"
#include "lake/reader.h"
#include "watch/check_parts.h"

namespace nano::watch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostTroubles = 100;

bool IsOfFile(const lake::Violation& violation) {
  using enum lake::Invariant;
  switch (violation.invariant) {
    case kFileMissing: case kFileSize: case kFileRows: case kPaths: return true;
    case kDeleteCount: return violation.file.is_absolute();
    default: return false;
  }
}

std::string CureOf(const lake::Violation& violation) {
  switch (violation.invariant) {
    case lake::Invariant::kRowIds: return "next_row_id raised above every row";
    case lake::Invariant::kColumnBounds: return "the bounds that are wrong forgotten";
    case lake::Invariant::kPositions: return "nanohouse.position written again, as the newest commit says";
    default: return "its catalog row corrected";
  }
}

Trouble FromViolation(const lake::Violation& violation) {
  const bool of_file = IsOfFile(violation);
  std::string message = of_file || violation.table.empty() ? violation.what : fmt::format("table \"{}\": {}", violation.table, violation.what);
  if (!of_file && !violation.file.empty()) message += fmt::format(" (file \"{}\")", violation.file.string());
  Trouble trouble = MakeTrouble(Code::kCorrupt, std::move(message), violation.hint);
  if (!violation.mendable()) return trouble;
  trouble.cure = CureOf(violation);
  trouble.mend = [violation](Hands& hands) -> Status {
    ASSIGN(lake::Writer* const writer, hands.lake());
    return lake::Mend(*writer, violation);
  };
  return trouble;
}

/// Where the catalog believes that the files lie. Ours look where the warehouse is; other programs believe it.
Status CheckDataPath(engine::Connection& connection, const contract::Layout& layout, Check& check) {
  ASSIGN(const auto rows, connection.Query("SELECT value FROM __ducklake_metadata_lake.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL"));
  const std::string here = layout.lake().string() + "/";
  if (rows.empty() || rows.text(0, 0) == here) return {};
  Trouble moved = MakeTrouble(Code::kCorrupt, fmt::format("the catalog says that the tables' files lie in \"{}\", they lie in \"{}\"", rows.text(0, 0), here),
                              "The folder was moved; the next writer sets it right.");
  moved.cure = "the path corrected";
  moved.mend = [](Hands& hands) -> Status {
    ASSIGN(lake::Writer* const writer, hands.lake());   // opening does it
    (void)writer;
    return {};
  };
  check.troubles.push_back(std::move(moved));
  return {};
}

bool HasFiles(const fs::path& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".parquet") return true;
  return false;
}

}  // namespace

std::vector<Check> CheckLake(const contract::Layout& layout, const Looking& looking, std::optional<std::set<fs::path>>& named) {
  Check catalog{"catalog", layout.catalog_url.empty() ? layout.catalog().string() : fmt::format("PostgreSQL, schema {}", layout.catalog_schema), {}}, files{"tables' files", {}, {}};
  const auto only = [&](Trouble trouble) {
    catalog.troubles.push_back(std::move(trouble));
    return std::vector<Check>{catalog};
  };
  auto reader = lake::Reader::Open(lake::PlaceOf(layout), {});
  if (!reader) {
    if (reader.error().code != Code::kNotFound) return only({reader.error(), false, {}, {}, {}, {}});
    if (HasFiles(layout.lake()))
      return only(MakeTrouble(Code::kCorrupt, fmt::format("{} is missing, and files of tables are there", layout.catalog_url.empty() ? "\"" + layout.catalog().string() + "\"" : "the catalog in " + catalog.looked_at),
                              "Restore it from a backup; or move the folder \"lake\" away, and `nanohouse ingest` lands everything anew from the journal."));
    catalog.looked_at = "not made yet";
    return {catalog};
  }
  engine::Connection& connection = (*reader)->connection();
  const auto counted = connection.Query("SELECT (SELECT count(*) FROM lake.nanohouse.build)::BIGINT, max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot");
  if (!counted) return only({counted.error(), false, {}, {}, {}, {}});
  catalog.looked_at += fmt::format(", {} builds, snapshot {}", counted->integer(0, 0), counted->integer(0, 1));
  if (const auto path = CheckDataPath(connection, layout, catalog); !path) return only({path.error(), false, {}, {}, {}, {}});
  const auto inspection = lake::Inspect(connection, layout.lake(), looking.stop);
  if (!inspection) return only({inspection.error(), false, {}, {}, {}, {}});
  for (const auto& violation : inspection->violations) {
    Check& check = IsOfFile(violation) ? files : catalog;
    if (check.troubles.size() < kMostTroubles) check.troubles.push_back(FromViolation(violation));
  }
  files.looked_at = fmt::format("{} files, {:.1f} MB", inspection->files, static_cast<double>(inspection->bytes) / 1e6);
  if (!looking.stop()) {
    named.emplace();
    for (const auto& path : inspection->named) named->insert(path.lexically_normal());
  }
  return {catalog, files};
}

Check CheckIndexes(const contract::Layout& layout, const Looking& looking) {
  Check check{"key indexes", {}, {}};
  std::error_code error;
  std::set<fs::path> folders;
  for (fs::directory_iterator entry(layout.index(), error), end; !error && entry != end; entry.increment(error))
    if (entry->is_directory(error) && entry->path().filename().string().find(kAside) == std::string::npos) folders.insert(entry->path());
  for (const auto& folder : folders) {
    if (looking.stop()) break;
    const Status whole = lake::CheckIndex(folder);
    if (whole) continue;
    Trouble damaged{whole.error(), false, {}, {}, {}, {}};
    if (damaged.hint.empty()) damaged.hint = "It is made again from the tables' files.";
    damaged.cure = "set aside; it is made again when it is needed";
    damaged.mend = [folder](Hands&) { return SetAside(folder); };
    check.troubles.push_back(std::move(damaged));
  }
  check.looked_at = fmt::format("{} of them", folders.size());
  return check;
}

}  // namespace nano::watch
