// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Second names for the files of a commit of the extension's: where a COMMIT fails, the extension removes the files that it wrote, though a
/// server may have committed them, its answer lost, or SQLite's log may hold the commit that it could not sync. With a second name they are
/// put back once the catalog names them.

#include <chrono>
#include <filesystem>

#include "base/result.h"
#include "engine/database.h"

namespace nano::lake {

class KeptFiles {
 public:
  explicit KeptFiles(std::filesystem::path data) : data_(std::move(data)), kept_(data_.parent_path() / "kept") {}

  /// Gives a second name to each file below the data folder that was written since.
  Status Keep(std::filesystem::file_time_type since) const;
  /// Puts back what the catalog names and is gone.
  Status Restore(engine::Connection& connection) const;
  /// Forgets the second names: the files are where they belong, or belong nowhere.
  void Drop() const;

 private:
  std::filesystem::path data_, kept_;
};

}  // namespace nano::lake
