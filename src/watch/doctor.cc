// SPDX-License-Identifier: Apache-2.0
#include "watch/doctor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/database.h"
#include "io/files.h"
#include "journal/journal.h"
#include "state/state.h"

namespace nano::watch {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLeastRoom = 1ULL << 30;
constexpr std::size_t kFootersAtOnce = 200, kMostTroubles = 100;

Error Trouble(Code code, std::string message, std::string hint = {}) { return {code, std::move(message), std::move(hint), {}, {}}; }

Check CheckEngine() {
  Check check{"engine", {}, {}};
  auto database = engine::Database::Open({.threads = 1, .memory_limit = "128MB", .temp_directory = {}});
  if (!database) {
    check.troubles.push_back(database.error());
    return check;
  }
  const auto versions = (*database)->Versions();
  if (!versions) {
    check.troubles.push_back(versions.error());
    return check;
  }
  for (std::size_t row = 0; row < versions->size(); ++row)
    check.looked_at += fmt::format("{}{} {}", row == 0 ? "" : ", ", versions->text(row, 0), versions->text(row, 1));
  return check;
}

/// The first folder of the path that is there.
fs::path NearestFolder(fs::path path) {
  std::error_code error;
  while (!path.empty() && !fs::exists(path, error) && path != path.parent_path()) path = path.parent_path();
  return path;
}

Check CheckFolder(const char* name, const fs::path& folder) {
  Check check{name, folder.string(), {}};
  const fs::path there = NearestFolder(folder);
  if (access(there.c_str(), W_OK | X_OK) != 0)
    check.troubles.push_back(Trouble(Code::kDenied, fmt::format("folder \"{}\" can't be written", there.string()),
                                     "Run as the user who owns the warehouse, or change the folder's rights."));
  std::error_code error;
  const auto space = fs::space(there, error);
  if (!error) {
    check.looked_at += fmt::format(", {:.1f} GB free", static_cast<double>(space.available) / 1e9);
    if (space.available < kLeastRoom)
      check.troubles.push_back(Trouble(Code::kUnavailable, fmt::format("less than 1 GB is free in \"{}\"", there.string()),
                                       "Make room: the journal and every commit need some."));
  }
  return check;
}

Check CheckState(const contract::Layout& layout) {
  Check check{"state", layout.state().string(), {}};
  std::error_code error;
  if (!fs::exists(layout.state(), error)) {
    check.looked_at = "not made yet";
    return check;
  }
  auto state = state::State::Open(layout.local);
  if (!state) {
    check.troubles.push_back(state.error());
    return check;
  }
  const auto writer = (*state)->writer();
  if (!writer) check.troubles.push_back(writer.error());
  else if (*writer) check.looked_at += fmt::format(", writer epoch {}{}", (*writer)->epoch, (*writer)->held ? fmt::format(", held by pid {}", (*writer)->pid) : "");
  return check;
}

Check CheckJournal(const fs::path& folder, const std::function<bool()>& stop) {
  Check check{"journal " + folder.filename().string(), {}, {}};
  auto opened = journal::Reader::Open(folder);
  if (!opened) {
    check.troubles.push_back(opened.error());
    return check;
  }
  journal::Reader& reader = **opened;
  const auto tail = reader.Refresh();
  if (!tail) {
    check.troubles.push_back(tail.error());
    return check;
  }
  std::uint64_t blocks = 0, bytes = 0;
  for (Position at = reader.first(); at < tail->end && !stop();) {
    const auto block = reader.Read(at);
    if (!block) {
      check.troubles.push_back(block.error());
      return check;
    }
    if (!*block || (*block)->size() == 0) {
      check.troubles.push_back(Trouble(Code::kCorrupt, fmt::format("the journal ends at position {} before its last commit at {}", at.value,
                                                                   tail->end.value)));
      return check;
    }
    ++blocks;
    bytes += (*block)->raw_bytes();
    at = (*block)->end();
  }
  check.looked_at = fmt::format("positions {} to {}, {} blocks, {:.1f} MB", reader.first().value, tail->end.value, blocks,
                                static_cast<double>(bytes) / 1e6);
  return check;
}

struct NamedFile {
  fs::path path;
  std::uint64_t bytes = 0;
  std::int64_t rows = 0;
  bool deletes = false;
};

/// Every file that the catalog names: also those that only older, kept snapshots need.
constexpr const char* kNamedFiles = R"sql(
SELECT s.path, s.path_is_relative, t.path, t.path_is_relative, f.path, f.path_is_relative::BIGINT, f.file_size_bytes, f.records, f.deletes
FROM (
  SELECT table_id, path, path_is_relative, file_size_bytes, record_count AS records, false AS deletes
  FROM __ducklake_metadata_lake.ducklake_data_file
  UNION ALL
  SELECT table_id, path, path_is_relative, file_size_bytes, delete_count, true FROM __ducklake_metadata_lake.ducklake_delete_file) f
JOIN (SELECT table_id, max(schema_id) AS schema_id, max(path) AS path, min(path_is_relative::BIGINT) AS path_is_relative
      FROM __ducklake_metadata_lake.ducklake_table GROUP BY table_id) t USING (table_id)
JOIN (SELECT schema_id, max(path) AS path, min(path_is_relative::BIGINT) AS path_is_relative
      FROM __ducklake_metadata_lake.ducklake_schema GROUP BY schema_id) s USING (schema_id))sql";

fs::path Below(const fs::path& folder, const std::string& path, bool relative) {
  if (relative) return folder / path;
  return path.starts_with("file://") ? fs::path(path.substr(7)) : fs::path(path);
}

Result<std::vector<NamedFile>> ReadNamedFiles(engine::Connection& connection, const fs::path& data) {
  ASSIGN(const auto rows, connection.Query(kNamedFiles));
  std::vector<NamedFile> out;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto relative = [&](std::size_t column) { return rows.integer(row, column) != 0; };
    const fs::path schema = Below(data, rows.text(row, 0), relative(1));
    const fs::path table = Below(schema, rows.text(row, 2), relative(3));
    out.push_back({Below(table, rows.text(row, 4), relative(5)), static_cast<std::uint64_t>(rows.integer(row, 6)), rows.integer(row, 7),
                   rows.text(row, 8) == "true"});
  }
  return out;
}

/// A Parquet file is framed by its magic at both ends; a torn one is not.
bool Framed(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  char head[4] = {}, tail[4] = {};
  file.read(head, 4);
  file.seekg(-4, std::ios::end);
  file.read(tail, 4);
  return file.good() && std::string_view(head, 4) == "PAR1" && std::string_view(tail, 4) == "PAR1";
}

/// Rows by footer of some files, by their path; where one can't be read, the error names it.
Result<std::map<std::string, std::int64_t>> FooterRows(engine::Connection& connection, const std::vector<const NamedFile*>& files) {
  std::string list;
  for (const auto* file : files) list += (list.empty() ? "" : ", ") + engine::Literal(file->path.string());
  ASSIGN(const auto rows, connection.Query("SELECT file_name, num_rows FROM parquet_file_metadata([" + list + "])"));
  std::map<std::string, std::int64_t> out;
  for (std::size_t row = 0; row < rows.size(); ++row) out[rows.text(row, 0)] = rows.integer(row, 1);
  return out;
}

void CheckFooters(engine::Connection& connection, const std::vector<const NamedFile*>& files, Check& check) {
  const auto rows = FooterRows(connection, files);
  if (!rows) {
    if (files.size() == 1) {
      check.troubles.push_back(Trouble(Code::kCorrupt, fmt::format("file \"{}\" has no readable footer", files[0]->path.string())));
      return;
    }
    const auto middle = files.begin() + static_cast<std::ptrdiff_t>(files.size() / 2);   // find which one it is
    CheckFooters(connection, {files.begin(), middle}, check);
    CheckFooters(connection, {middle, files.end()}, check);
    return;
  }
  for (const auto* file : files) {
    const auto found = rows->find(file->path.string());
    if (found != rows->end() && found->second != file->rows && !file->deletes)
      check.troubles.push_back(Trouble(Code::kCorrupt, fmt::format("file \"{}\" has {} rows, the catalog says {}", file->path.string(),
                                                                   found->second, file->rows)));
  }
}

Check CheckTableFiles(const contract::Layout& layout, lake::Reader& reader, const std::function<bool()>& stop) {
  Check check{"tables' files", {}, {}};
  const auto files = ReadNamedFiles(reader.connection(), layout.lake());
  if (!files) {
    check.troubles.push_back(files.error());
    return check;
  }
  std::uint64_t bytes = 0;
  std::vector<const NamedFile*> whole;
  std::set<fs::path> named;
  for (const auto& file : *files) {
    named.insert(file.path);
    bytes += file.bytes;
    std::error_code error;
    const auto size = fs::file_size(file.path, error);
    if (error) {
      check.troubles.push_back(Trouble(Code::kCorrupt, fmt::format("file \"{}\" is missing", file.path.string()),
                                       "Restore it from a backup: the catalog names it."));
    } else if (size != file.bytes) {
      check.troubles.push_back(Trouble(Code::kCorrupt, fmt::format("file \"{}\" has {} bytes, the catalog says {}", file.path.string(), size, file.bytes)));
    } else if (!Framed(file.path)) {
      check.troubles.push_back(Trouble(Code::kCorrupt, fmt::format("file \"{}\" is torn: it has no end", file.path.string())));
    } else {
      whole.push_back(&file);
    }
    if (check.troubles.size() >= kMostTroubles) return check;
  }
  for (std::size_t at = 0; at < whole.size() && !stop() && check.troubles.size() < kMostTroubles; at += kFootersAtOnce)
    CheckFooters(reader.connection(), {whole.begin() + static_cast<std::ptrdiff_t>(at),
                                       whole.begin() + static_cast<std::ptrdiff_t>(std::min(at + kFootersAtOnce, whole.size()))}, check);
  std::uint64_t strangers = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(layout.lake(), error), end; !error && entry != end; entry.increment(error))
    if (entry->is_regular_file(error) && !named.contains(entry->path())) ++strangers;
  check.looked_at = fmt::format("{} files, {:.1f} MB", files->size(), static_cast<double>(bytes) / 1e6);
  if (strangers > 0) check.looked_at += fmt::format("; {} that nothing names (left by a stop, harmless)", strangers);
  return check;
}

Check CheckPublished(const contract::Layout& layout) {
  Check check{"published names", "none", {}};
  const auto text = io::ReadFile(layout.iceberg() / "names.json");
  if (!text) {
    if (text.error().code != Code::kNotFound) check.troubles.push_back(text.error());
    return check;
  }
  const auto names = nlohmann::json::parse(*text, nullptr, false);
  if (!names.is_object()) {
    check.troubles.push_back(Trouble(Code::kCorrupt, "iceberg/names.json is not JSON", "`nanohouse publish` writes it anew."));
    return check;
  }
  std::size_t count = 0;
  const std::function<void(const nlohmann::json&)> visit = [&](const nlohmann::json& node) {
    if (node.is_string() && node.get_ref<const std::string&>().ends_with(".metadata.json")) {
      ++count;
      std::string path = node.get<std::string>();
      if (path.starts_with("file://")) path.erase(0, 7);
      const fs::path file = fs::path(path).is_absolute() ? fs::path(path) : layout.iceberg() / path;
      const auto metadata = io::ReadFile(file);
      if (!metadata || !nlohmann::json::accept(*metadata))
        check.troubles.push_back(Trouble(Code::kCorrupt, fmt::format("published metadata \"{}\" is missing or torn", file.string()),
                                         "`nanohouse publish` writes it anew."));
    } else if (node.is_structured()) {
      for (const auto& item : node) visit(item);
    }
  };
  visit(names);
  check.looked_at = fmt::format("{} tables", count);
  return check;
}

}  // namespace

std::vector<Check> CheckInstallation(const contract::Layout& layout) {
  return {CheckEngine(), CheckFolder("storage.root", layout.root), CheckFolder("storage.local", layout.local)};
}

std::vector<Check> CheckStores(const contract::Layout& layout, const std::function<bool()>& stop) {
  std::vector<Check> out{CheckState(layout)};
  std::error_code error;
  std::set<fs::path> journals;
  for (fs::directory_iterator entry(layout.local / "journal", error), end; !error && entry != end; entry.increment(error))
    if (entry->is_directory(error)) journals.insert(entry->path());
  for (const auto& folder : journals)
    if (!stop()) out.push_back(CheckJournal(folder, stop));
  Check catalog{"catalog", layout.catalog().string(), {}};
  auto reader = lake::Reader::Open({layout.lake(), layout.catalog(), layout.spill()}, {});
  if (!reader) {
    if (reader.error().code == Code::kNotFound) catalog.looked_at = "not made yet";
    else catalog.troubles.push_back(reader.error());
    out.push_back(std::move(catalog));
    return out;
  }
  const auto counted = (*reader)->connection().Query("SELECT (SELECT count(*) FROM lake.nanohouse.build)::BIGINT, max(snapshot_id) FROM "
                                                     "__ducklake_metadata_lake.ducklake_snapshot");
  if (!counted) catalog.troubles.push_back(counted.error());
  else catalog.looked_at += fmt::format(", {} builds, snapshot {}", counted->integer(0, 0), counted->integer(0, 1));
  out.push_back(std::move(catalog));
  out.push_back(CheckTableFiles(layout, **reader, stop));
  out.push_back(CheckPublished(layout));
  return out;
}

}  // namespace nano::watch
