// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Files with the durability that we promise: what is durable says so, and each step that could fail or be the last
/// one before a crash is a fault point that tests can reach (io/fault.h).

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nano::io {

/// A file that grows at its end. Not for several threads.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  /// Opens or makes `path`. `point` names the fault points of its steps: `<point>.write`, `<point>.sync`.
  static Result<std::unique_ptr<AppendFile>> Open(const std::filesystem::path& path, const std::string& point);
  virtual Status Append(std::string_view bytes) = 0;
  /// Makes the content durable (fdatasync).
  virtual Status Sync() = 0;
  /// Cuts the file to `size` bytes, durably.
  virtual Status Truncate(std::uint64_t size) = 0;
  virtual std::uint64_t size() const = 0;
};

/// Makes a folder's entries durable (after a file in it was made, renamed or removed).
Status SyncFolder(const std::filesystem::path& folder, const std::string& point);
/// Makes one file's content durable.
Status SyncFile(const std::filesystem::path& file, const std::string& point);
/// The same of several files, side by side: the system writes them in fewer rounds. Then their folders.
Status SyncFiles(const std::vector<std::filesystem::path>& files, const std::string& point);
/// Makes everything written to the file system that holds `folder` durable (syncfs).
Status SyncFileSystem(const std::filesystem::path& folder, const std::string& point);
/// Puts a durable file in another's place, in the same folder; lasting once the folder is synced. `<point>.rename`.
Status RenameFile(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& point);
/// Makes the folder and those above it, durably.
Status MakeFolders(const std::filesystem::path& folder, const std::string& point);

/// Writes `path` whole or not at all: temporary name, fsync, rename, folder fsync.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content, const std::string& point);
/// kNotFound, kUnavailable; kInvalid past `limit` bytes.
Result<std::string> ReadFile(const std::filesystem::path& path, std::uint64_t limit = 1ULL << 30);

}  // namespace nano::io
