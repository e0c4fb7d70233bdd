// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The disk under the program: every call of libc's that changes a file below one folder, whoever makes it (the journal, DuckDB,
/// SQLite), passes here. A call may fail or be short, or be the last before the process dies; then nothing reaches the disk any more
/// until Restart(), which takes away what was written and not synced if the power was cut. One thread.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "draw.h"
#include "trace.h"
#include "watched_disk.h"

namespace nano::simulation {

enum class DiskFault { kNone, kEio, kFull, kShort, kKill, kLose, kLoseSome };
const char* Name(DiskFault fault);

class Disk final : public disk::WatchedDisk {
 public:
  Disk(std::filesystem::path root, Draw draw, Trace& trace);
  ~Disk() override;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Acts at the n-th call from now on; 0: the next. One at a time.
  void Arm(DiskFault fault, std::uint64_t calls);
  void Disarm();
  bool armed() const { return armed_ != DiskFault::kNone; }
  bool dead() const { return dead_; }
  /// The process dies here, between two calls.
  void Die(DiskFault how);
  /// Once nothing of the process is left: the disk as the next one finds it.
  void Restart();
  std::uint64_t calls() const { return calls_; }

  const std::string& root() const override { return root_; }
  bool IsOurs(const std::string& path) const override;
  std::unique_lock<std::recursive_mutex> Hold() override { return {}; }
  Fate Count(const char* call, const std::string& path, bool writes) override;
  void WillWrite(const std::string& path, off_t begin, std::size_t length) override;
  void Made(const std::string& path) override;
  void Synced(const std::string& path) override;
  void SyncedAll() override;
  void WillRename(const std::string& from, const std::string& to) override;
  void Renamed(const std::string& from, const std::string& to) override;
  Fate WillRemove(const std::string& path) override;

 private:
  struct Written {
    std::int64_t begin = 0, size_before = 0;
    std::string before;
  };
  struct File {
    std::vector<Written> written;   ///< since the last sync
    bool is_new = false;            ///< its name is not synced
  };
  struct Move {
    std::string from, to;           ///< to: empty where it was removed
    std::optional<std::string> content;   ///< of what was replaced, or removed
  };
  void Lose(bool some);
  void Undo(const std::string& path, const File& file, bool some);

  const std::string root_;
  Draw draw_;
  Trace& trace_;
  DiskFault armed_ = DiskFault::kNone, death_ = DiskFault::kNone;
  std::uint64_t countdown_ = 0, calls_ = 0;
  int full_for_ = 0;                ///< so many writes fail as the disk is full
  bool dead_ = false, at_work_ = false;
  std::map<std::string, File> files_;
  std::vector<Move> moves_;
};

}  // namespace nano::simulation
