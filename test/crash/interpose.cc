// SPDX-License-Identifier: Apache-2.0
/// A disk that fails, for test/crash/disk.py: preloaded into the program, it stands before libc's calls that change files, whoever
/// makes them (we, DuckDB, SQLite), for paths under NANO_DISK_ROOT. Calls are numbered as they come.
///   NANO_DISK_LOG=<file>      each call, a line; those that are disturbed begin with `!`
///   NANO_DISK_FAULT=<n>=eio | enospc    the n-th call fails, and so do writes after it (a full disk stays full)
///   NANO_DISK_FAULT=<n>=once            the n-th call fails with EIO, later ones succeed
///   NANO_DISK_FAULT=<n>=short           the first call from the n-th on that writes, writes half of it and says so
///   NANO_DISK_FAULT=<n>=lose            a power cut before the n-th call: what was not synced is as it was before, and SIGKILL
///   NANO_DISK_FAULT=<n>=some            the same, but every other write that was not synced has reached the disk

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace {

template <class F>
F Real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

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

struct Disk {
  std::recursive_mutex mutex;   // guards all below
  std::string root, action;
  unsigned long fault_at = 0, calls = 0;
  bool acted = false;
  int log = -1;
  std::map<std::string, File> files;
  std::vector<Rename> renames;
};

Disk& TheDisk() {
  static Disk* const disk = [] {
    auto* made = new Disk;
    if (const char* root = ::getenv("NANO_DISK_ROOT")) made->root = root;
    if (const char* fault = ::getenv("NANO_DISK_FAULT")) {
      char* end = nullptr;
      made->fault_at = ::strtoul(fault, &end, 10);
      if (*end == '=') made->action = end + 1;
    }
    if (const char* log = ::getenv("NANO_DISK_LOG")) made->log = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    return made;
  }();
  return *disk;
}

bool IsOurs(const std::string& path) {
  const Disk& disk = TheDisk();
  return !disk.root.empty() && path.starts_with(disk.root + "/") && !path.ends_with("-shm") && !path.ends_with("run.lock") &&
         !path.ends_with(" (deleted)");
}

/// Empty where it is no file of ours.
std::string PathOf(int fd) {
  if (TheDisk().root.empty()) return {};
  char target[PATH_MAX];
  const ssize_t n = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
  std::string path(target, n > 0 ? static_cast<std::size_t>(n) : 0);
  return IsOurs(path) || path == TheDisk().root ? path : std::string();
}
std::string PathOf(const char* name) {
  if (TheDisk().root.empty() || name == nullptr) return {};
  std::string path = name;
  if (path.empty() || path[0] != '/') {
    char folder[PATH_MAX];
    if (::getcwd(folder, sizeof folder) == nullptr) return {};
    path = std::string(folder) + "/" + path;
  }
  return IsOurs(path) ? path : std::string();
}
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

[[noreturn]] void CutPower(Disk& disk) {
  const bool some = disk.action == "some";
  for (const auto& [path, file] : disk.files) Undo(path, file, some);
  if (!some) {
    for (auto rename = disk.renames.rbegin(); rename != disk.renames.rend(); ++rename) {
      ::syscall(SYS_rename, rename->to.c_str(), rename->from.c_str());
      if (!rename->replaced) continue;
      const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, rename->to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
      (void)!::syscall(SYS_write, fd, rename->replaced->data(), rename->replaced->size());
      ::syscall(SYS_close, fd);
    }
    for (const auto& [path, file] : disk.files)
      if (file.is_new) ::syscall(SYS_unlink, path.c_str());   // past the hook, which would change what is walked here
  }
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

enum class Fate { kPass, kFail, kShort };

/// Whether this call is the one, or comes after it on a disk that stays bad.
bool IsDisturbed(const Disk& disk, bool writes) {
  if (disk.fault_at == 0 || disk.calls < disk.fault_at) return false;
  if (disk.action == "short") return writes && !disk.acted;
  if (disk.action == "eio" || (disk.action == "enospc" && writes)) return true;
  return disk.calls == disk.fault_at;
}

/// One more call; sets errno where it fails.
Fate Count(Disk& disk, const char* call, const std::string& path, bool writes) {
  ++disk.calls;
  const bool disturbed = IsDisturbed(disk, writes);
  if (disk.log >= 0) {
    const std::string line = std::string(disturbed ? "!" : "") + call + " " + path.substr(disk.root.size()) + "\n";
    (void)!::syscall(SYS_write, disk.log, line.data(), line.size());
  }
  if (!disturbed) return Fate::kPass;
  disk.acted = true;
  if (disk.action == "lose" || disk.action == "some") CutPower(disk);
  if (disk.action == "short") return Fate::kShort;
  errno = disk.action == "enospc" ? ENOSPC : EIO;
  return Fate::kFail;
}

void Remember(Disk& disk, const std::string& path, off_t begin, std::size_t length) {
  if (disk.action != "lose" && disk.action != "some") return;
  const off_t size = SizeOf(path);
  disk.files[path].changes.push_back({begin, size, begin < size ? Content(path, begin, std::min(length, static_cast<std::size_t>(size - begin))) : std::string()});
}

void Synced(Disk& disk, const std::string& path) {
  if (const auto at = disk.files.find(path); at != disk.files.end()) at->second.changes.clear();
  for (auto& [name, file] : disk.files)
    if (FolderOf(name) == path) file.is_new = false;
  std::erase_if(disk.renames, [&](const Rename& rename) { return FolderOf(rename.to) == path; });
}

using Write = ssize_t (*)(int, const void*, size_t);
using PWrite = ssize_t (*)(int, const void*, size_t, off_t);

ssize_t WriteAt(const char* name, int fd, const void* bytes, size_t length, off_t at) {
  static const PWrite real = Real<PWrite>("pwrite64");
  const std::string path = PathOf(fd);
  if (path.empty()) return real(fd, bytes, length, at);
  Disk& disk = TheDisk();
  const std::lock_guard lock(disk.mutex);
  const Fate fate = Count(disk, name, path, true);
  if (fate == Fate::kFail) return -1;
  Remember(disk, path, at, length);
  return real(fd, bytes, fate == Fate::kShort ? (length + 1) / 2 : length, at);
}

int Sync(const char* name, int fd) {
  const auto real = Real<int (*)(int)>(name);
  const std::string path = PathOf(fd);
  if (path.empty()) return real(fd);
  Disk& disk = TheDisk();
  const std::lock_guard lock(disk.mutex);
  if (Count(disk, name, path, false) == Fate::kFail) return -1;
  Synced(disk, path);
  return real(fd);
}

int Open(const char* name, const char* file, int flags, mode_t mode) {
  const auto real = Real<int (*)(const char*, int, ...)>(name);
  const std::string path = (flags & (O_CREAT | O_TRUNC)) != 0 ? PathOf(file) : std::string();
  if (path.empty()) return real(file, flags, mode);
  Disk& disk = TheDisk();
  const std::lock_guard lock(disk.mutex);
  const off_t size = SizeOf(path);
  if (size >= 0 && ((flags & O_TRUNC) == 0 || size == 0)) return real(file, flags, mode);
  if (Count(disk, "open", path, true) == Fate::kFail) return -1;
  if (size > 0) Remember(disk, path, 0, static_cast<std::size_t>(size));
  if (size < 0) disk.files[path] = {{}, true};
  return real(file, flags, mode);
}

}  // namespace

extern "C" {

ssize_t pwrite64(int fd, const void* bytes, size_t length, off_t at) { return WriteAt("pwrite64", fd, bytes, length, at); }
ssize_t pwrite(int fd, const void* bytes, size_t length, off_t at) { return WriteAt("pwrite", fd, bytes, length, at); }

ssize_t write(int fd, const void* bytes, size_t length) {
  static const Write real = Real<Write>("write");
  const std::string path = PathOf(fd);
  if (path.empty()) return real(fd, bytes, length);
  Disk& disk = TheDisk();
  const std::lock_guard lock(disk.mutex);
  const Fate fate = Count(disk, "write", path, true);
  if (fate == Fate::kFail) return -1;
  const bool appends = (::fcntl(fd, F_GETFL) & O_APPEND) != 0;
  Remember(disk, path, appends ? SizeOf(path) : ::lseek(fd, 0, SEEK_CUR), length);
  return real(fd, bytes, fate == Fate::kShort ? (length + 1) / 2 : length);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  using WriteV = ssize_t (*)(int, const struct iovec*, int);
  static const WriteV real = Real<WriteV>("writev");
  if (PathOf(fd).empty()) return real(fd, parts, count);
  ssize_t sum = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t n = ::write(fd, parts[i].iov_base, parts[i].iov_len);
    if (n < 0) return sum > 0 ? sum : n;
    sum += n;
    if (static_cast<size_t>(n) < parts[i].iov_len) break;
  }
  return sum;
}

int fsync(int fd) { return Sync("fsync", fd); }
int fdatasync(int fd) { return Sync("fdatasync", fd); }

int syncfs(int fd) {
  static const auto real = Real<int (*)(int)>("syncfs");
  const std::string path = PathOf(fd);
  if (path.empty()) return real(fd);
  Disk& disk = TheDisk();
  const std::lock_guard lock(disk.mutex);
  if (Count(disk, "syncfs", path, false) == Fate::kFail) return -1;
  disk.files.clear();
  disk.renames.clear();
  return 0;   // of what was written here all counts as synced; the machine's other files are no matter of the test
}

int ftruncate64(int fd, off_t size) {
  static const auto real = Real<int (*)(int, off_t)>("ftruncate64");
  const std::string path = PathOf(fd);
  if (path.empty()) return real(fd, size);
  Disk& disk = TheDisk();
  const std::lock_guard lock(disk.mutex);
  if (Count(disk, "ftruncate", path, false) == Fate::kFail) return -1;
  if (const off_t before = SizeOf(path); before > size) Remember(disk, path, size, static_cast<std::size_t>(before - size));
  return real(fd, size);
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int rename(const char* from, const char* to) {
  static const auto real = Real<int (*)(const char*, const char*)>("rename");
  const std::string path = PathOf(to), before = PathOf(from);
  if (path.empty() || before.empty()) return real(from, to);
  Disk& disk = TheDisk();
  const std::lock_guard lock(disk.mutex);
  if (Count(disk, "rename", path, false) == Fate::kFail) return -1;
  Rename made{before, path, {}};
  if (const off_t size = SizeOf(path); size >= 0) made.replaced = Content(path, 0, static_cast<std::size_t>(size));
  const int done = real(from, to);
  if (done != 0) return done;
  disk.renames.push_back(std::move(made));
  if (const auto at = disk.files.find(before); at != disk.files.end()) {
    disk.files[path] = std::move(at->second);
    disk.files[path].is_new = false;   // the renaming stands for it
    disk.files.erase(at);
  }
  return 0;
}

int unlink(const char* name) {
  static const auto real = Real<int (*)(const char*)>("unlink");
  if (const std::string path = PathOf(name); !path.empty()) {
    Disk& disk = TheDisk();
    const std::lock_guard lock(disk.mutex);
    disk.files.erase(path);
  }
  return real(name);
}

int open(const char* file, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return Open("open", file, flags, mode);
}
int open64(const char* file, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return Open("open64", file, flags, mode);
}

}  // extern "C"
