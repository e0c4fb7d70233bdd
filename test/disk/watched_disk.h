// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What is told of every call of libc's that changes a file below one folder, whoever makes it, and says what becomes of it
/// (disk_calls.cc asks). A program has one in place or none.

#include <sys/types.h>

#include <cstddef>
#include <mutex>
#include <string>

namespace nano::disk {

class WatchedDisk {
 public:
  enum class Fate { kPass, kFail, kShort };
  virtual ~WatchedDisk() = default;
  /// The one that is in place; null: none. Each program says it.
  static WatchedDisk* Current();

  /// The folder that is watched.
  virtual const std::string& root() const = 0;
  /// Whether a file with this whole path is.
  virtual bool IsOurs(const std::string& path) const = 0;
  /// Kept from before a call until behind it.
  virtual std::unique_lock<std::recursive_mutex> Hold() = 0;

  /// One more call; sets errno where it fails.
  virtual Fate Count(const char* call, const std::string& path, bool writes) = 0;
  /// `length` bytes from `begin` on are about to be written, or cut away.
  virtual void WillWrite(const std::string& path, off_t begin, std::size_t length) = 0;
  /// A file was made.
  virtual void Made(const std::string& path) = 0;
  /// A file, or the names in a folder, are durable; everything is.
  virtual void Synced(const std::string& path) = 0;
  virtual void SyncedAll() = 0;
  virtual void WillRename(const std::string& from, const std::string& to) = 0;
  virtual void Renamed(const std::string& from, const std::string& to) = 0;
  /// A name is about to go; counts as a call where the disk wants it to.
  virtual Fate WillRemove(const std::string& path) = 0;
};

}  // namespace nano::disk
