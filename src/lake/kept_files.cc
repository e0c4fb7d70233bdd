// SPDX-License-Identifier: Apache-2.0
#include "lake/kept_files.h"

#include <system_error>

#include "io/files.h"
#include "lake/catalog_sql.h"

namespace nano::lake {

namespace fs = std::filesystem;

Status KeptFiles::Keep(fs::file_time_type since) const {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(data_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    if (!entry->is_regular_file(gone) || entry->path().extension() != ".parquet" || entry->last_write_time(gone) < since) continue;
    const fs::path second = kept_ / entry->path().lexically_relative(data_);
    TRY(io::MakeFolders(second.parent_path(), "lake.folder"));
    fs::create_hard_link(entry->path(), second, gone);
    if (gone && gone != std::errc::file_exists) return Fail(Code::kUnavailable, "could not keep file \"{}\": {}", entry->path().string(), gone.message());
  }
  if (error) return Fail(Code::kUnavailable, "could not read folder \"{}\": {}", data_.string(), error.message());
  return {};
}

Status KeptFiles::Restore(engine::Connection& connection) const {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(kept_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const fs::path first = data_ / entry->path().lexically_relative(kept_);
    if (!entry->is_regular_file(gone) || fs::exists(first, gone)) continue;
    const std::string name = first.filename().string();   // no two files have the same
    ASSIGN(const auto named, connection.Query("SELECT count(*) FROM (SELECT path FROM " + Meta("data_file") + " UNION ALL SELECT path FROM " + Meta("delete_file") +
                                              ") WHERE parse_filename(path) = ?", {name}));
    if (named.integer(0, 0) == 0) continue;
    TRY(io::RenameFile(entry->path(), first, "lake.kept"));
    TRY(io::SyncFolder(first.parent_path(), "lake.kept"));
  }
  return {};
}

void KeptFiles::Drop() const {
  std::error_code ignored;
  fs::remove_all(kept_, ignored);
}

}  // namespace nano::lake
