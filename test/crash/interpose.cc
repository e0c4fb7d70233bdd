// SPDX-License-Identifier: Apache-2.0
/// A disk that fails, for test/crash/disk.py: preloaded into the program, it stands before libc's calls that change files, whoever
/// makes them (we, DuckDB, SQLite), for paths under NANO_DISK_ROOT. Calls are numbered as they come.
///   NANO_DISK_LOG=<file>      each call, a line; those that are disturbed begin with `!`
///   NANO_DISK_FAULT=<n>=eio | enospc    the n-th call fails, and so do writes after it (a full disk stays full)
///   NANO_DISK_FAULT=<n>=once            the n-th call fails with EIO, later ones succeed
///   NANO_DISK_FAULT=<n>=short           the first call from the n-th on that writes, writes half of it and says so
///   NANO_DISK_FAULT=<n>=lose            a power cut before the n-th call: what was not synced is as it was before, and SIGKILL
///   NANO_DISK_FAULT=<n>=some            the same, but every other write that was not synced has reached the disk

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "watched_disk.h"

namespace {

/// What a write that is not synced covered.
struct Change {
  off_t begin = 0;
  off_t size_before = 0;
  std::string before;
};
struct File {
  std::vector<Change> changes;   ///< since the last sync
  bool is_new = false;           ///< its name is not synced yet
};
struct Rename {
  std::string from, to;
  std::optional<std::string> replaced;
};

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

std::string Content(const std::string& path, off_t begin, std::size_t length) {
  std::string out;
  const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd < 0) return out;
  out.resize(length);
  const ssize_t n = ::pread(fd, out.data(), length, begin);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  ::syscall(SYS_close, fd);
  return out;
}
off_t SizeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_size : -1;
}

/// The file as its changes that did not reach the disk leave it.
void Undo(const std::string& path, const File& file, bool some) {
  const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd < 0) return;
  std::size_t n = file.changes.size();
  off_t size = SizeOf(path);
  for (auto change = file.changes.rbegin(); change != file.changes.rend(); ++change) {
    if (some && --n % 2 == 0) continue;
    if (!change->before.empty()) (void)!::syscall(SYS_pwrite64, fd, change->before.data(), change->before.size(), change->begin);
    if (!some) size = change->size_before;
    else if (change->size_before <= change->begin && size > change->begin) {   // what had been added has no content
      const std::string nothing(static_cast<std::size_t>(std::min<off_t>(size - change->begin, 1 << 20)), '\0');
      (void)!::syscall(SYS_pwrite64, fd, nothing.data(), nothing.size(), change->begin);
    }
  }
  (void)!::syscall(SYS_ftruncate, fd, size);
  ::syscall(SYS_close, fd);
}

/// By the environment. What it does to files itself goes past the hooks.
class FaultyDisk final : public nano::disk::WatchedDisk {
 public:
  FaultyDisk(std::string root) : root_(std::move(root)) {
    if (const char* fault = ::getenv("NANO_DISK_FAULT")) {
      char* end = nullptr;
      fault_at_ = ::strtoul(fault, &end, 10);
      if (*end == '=') action_ = end + 1;
    }
    if (const char* log = ::getenv("NANO_DISK_LOG")) log_ = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  }

  const std::string& root() const override { return root_; }
  bool IsOurs(const std::string& path) const override {
    return path.starts_with(root_ + "/") && !path.ends_with("-shm") && !path.ends_with("run.lock") && !path.ends_with(" (deleted)");
  }
  std::unique_lock<std::recursive_mutex> Hold() override { return std::unique_lock(mutex_); }

  Fate Count(const char* call, const std::string& path, bool writes) override {
    ++calls_;
    const bool disturbed = IsDisturbed(writes);
    if (log_ >= 0) {
      const std::string line = std::string(disturbed ? "!" : "") + call + " " + path.substr(root_.size()) + "\n";
      (void)!::syscall(SYS_write, log_, line.data(), line.size());
    }
    if (!disturbed) return Fate::kPass;
    acted_ = true;
    if (cuts_power()) CutPower();
    if (action_ == "short") return Fate::kShort;
    errno = action_ == "enospc" ? ENOSPC : EIO;
    return Fate::kFail;
  }
  void WillWrite(const std::string& path, off_t begin, std::size_t length) override {
    if (!cuts_power()) return;
    const off_t size = SizeOf(path);
    files_[path].changes.push_back({begin, size, begin < size ? Content(path, begin, std::min(length, static_cast<std::size_t>(size - begin))) : std::string()});
  }
  void Made(const std::string& path) override { files_[path] = {{}, true}; }
  void Synced(const std::string& path) override {
    if (const auto at = files_.find(path); at != files_.end()) at->second.changes.clear();
    for (auto& [name, file] : files_)
      if (FolderOf(name) == path) file.is_new = false;
    std::erase_if(renames_, [&](const Rename& rename) { return FolderOf(rename.to) == path; });
  }
  void SyncedAll() override {
    files_.clear();
    renames_.clear();
  }
  void WillRename(const std::string&, const std::string& to) override {
    replaced_.reset();
    if (const off_t size = SizeOf(to); size >= 0) replaced_ = Content(to, 0, static_cast<std::size_t>(size));
  }
  void Renamed(const std::string& from, const std::string& to) override {
    renames_.push_back({from, to, std::move(replaced_)});
    const auto at = files_.find(from);
    if (at == files_.end()) return;
    files_[to] = std::move(at->second);
    files_[to].is_new = false;   // the renaming stands for it
    files_.erase(at);
  }
  /// No call is counted for it: a name that goes is never disturbed.
  Fate WillRemove(const std::string& path) override {
    files_.erase(path);
    return Fate::kPass;
  }

 private:
  bool cuts_power() const { return action_ == "lose" || action_ == "some"; }

  /// Whether this call is the one, or comes after it on a disk that stays bad.
  bool IsDisturbed(bool writes) const {
    if (fault_at_ == 0 || calls_ < fault_at_) return false;
    if (action_ == "short") return writes && !acted_;
    if (action_ == "eio" || (action_ == "enospc" && writes)) return true;
    return calls_ == fault_at_;
  }

  [[noreturn]] void CutPower() {
    const bool some = action_ == "some";
    for (const auto& [path, file] : files_) Undo(path, file, some);
    if (!some) {
      for (auto rename = renames_.rbegin(); rename != renames_.rend(); ++rename) {
        ::syscall(SYS_rename, rename->to.c_str(), rename->from.c_str());
        if (!rename->replaced) continue;
        const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, rename->to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        (void)!::syscall(SYS_write, fd, rename->replaced->data(), rename->replaced->size());
        ::syscall(SYS_close, fd);
      }
      for (const auto& [path, file] : files_)
        if (file.is_new) ::syscall(SYS_unlink, path.c_str());   // past the hook, which would change what is walked here
    }
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }

  std::recursive_mutex mutex_;   // guards all below
  const std::string root_;
  std::string action_;
  unsigned long fault_at_ = 0, calls_ = 0;
  bool acted_ = false;
  int log_ = -1;
  std::map<std::string, File> files_;
  std::vector<Rename> renames_;
  std::optional<std::string> replaced_;   ///< by the renaming that is under way
};

}  // namespace

nano::disk::WatchedDisk* nano::disk::WatchedDisk::Current() {
  // Never destroyed: calls come until the very end.
  static FaultyDisk* const disk = [] {
    const char* const root = ::getenv("NANO_DISK_ROOT");
    return root != nullptr && *root != '\0' ? new FaultyDisk(root) : nullptr;
  }();
  return disk;
}
