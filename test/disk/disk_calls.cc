// SPDX-License-Identifier: Apache-2.0
/// Stands before libc's calls that change files, in this program and in what it loads (DuckDB, its extensions, SQLite), and asks the
/// WatchedDisk that is in place.

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>

#include "watched_disk.h"

namespace {

using Disk = nano::disk::WatchedDisk;
using Fate = Disk::Fate;

template <class F>
F Real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

/// Empty where it is no file of the disk's.
std::string PathOf(int fd) {
  const Disk* const disk = Disk::Current();
  if (disk == nullptr) return {};
  char target[PATH_MAX];
  const ssize_t n = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
  std::string path(target, n > 0 ? static_cast<std::size_t>(n) : 0);
  return disk->IsOurs(path) || path == disk->root() ? path : std::string();
}
std::string PathOf(const char* name) {
  const Disk* const disk = Disk::Current();
  if (disk == nullptr || name == nullptr) return {};
  std::string path = name;
  if (path.empty() || path[0] != '/') {
    char folder[PATH_MAX];
    if (::getcwd(folder, sizeof folder) == nullptr) return {};
    path = std::string(folder) + "/" + path;
  }
  return disk->IsOurs(path) ? path : std::string();
}

off_t SizeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_size : -1;
}

using PWrite = ssize_t (*)(int, const void*, size_t, off_t);

ssize_t WriteAt(const char* name, int fd, const void* bytes, size_t length, off_t at) {
  static const PWrite real = Real<PWrite>("pwrite64");
  const std::string path = PathOf(fd);
  if (path.empty()) return real(fd, bytes, length, at);
  Disk& disk = *Disk::Current();
  const auto held = disk.Hold();
  const Fate fate = disk.Count(name, path, true);
  if (fate == Fate::kFail) return -1;
  disk.WillWrite(path, at, length);
  return real(fd, bytes, fate == Fate::kShort ? (length + 1) / 2 : length, at);
}

int Sync(const char* name, int fd) {
  const auto real = Real<int (*)(int)>(name);
  const std::string path = PathOf(fd);
  if (path.empty()) return real(fd);
  Disk& disk = *Disk::Current();
  const auto held = disk.Hold();
  if (disk.Count(name, path, false) == Fate::kFail) return -1;
  disk.Synced(path);
  return real(fd);
}

int Open(const char* name, const char* file, int flags, mode_t mode) {
  const auto real = Real<int (*)(const char*, int, ...)>(name);
  const std::string path = (flags & (O_CREAT | O_TRUNC)) != 0 ? PathOf(file) : std::string();
  if (path.empty()) return real(file, flags, mode);
  Disk& disk = *Disk::Current();
  const auto held = disk.Hold();
  const off_t size = SizeOf(path);
  if (size >= 0 && ((flags & O_TRUNC) == 0 || size == 0)) return real(file, flags, mode);
  if (disk.Count("open", path, true) == Fate::kFail) return -1;
  if (size > 0) disk.WillWrite(path, 0, static_cast<std::size_t>(size));
  const int fd = real(file, flags, mode);
  if (size < 0 && fd >= 0) disk.Made(path);
  return fd;
}

}  // namespace

extern "C" {

ssize_t pwrite64(int fd, const void* bytes, size_t length, off_t at) { return WriteAt("pwrite", fd, bytes, length, at); }
ssize_t pwrite(int fd, const void* bytes, size_t length, off_t at) { return WriteAt("pwrite", fd, bytes, length, at); }

ssize_t write(int fd, const void* bytes, size_t length) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t)>("write");
  const std::string path = PathOf(fd);
  if (path.empty()) return real(fd, bytes, length);
  Disk& disk = *Disk::Current();
  const auto held = disk.Hold();
  const Fate fate = disk.Count("write", path, true);
  if (fate == Fate::kFail) return -1;
  const bool appends = (::fcntl(fd, F_GETFL) & O_APPEND) != 0;
  disk.WillWrite(path, appends ? SizeOf(path) : ::lseek(fd, 0, SEEK_CUR), length);
  return real(fd, bytes, fate == Fate::kShort ? (length + 1) / 2 : length);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  static const auto real = Real<ssize_t (*)(int, const struct iovec*, int)>("writev");
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
  const std::string path = PathOf(fd);
  if (path.empty()) return Real<int (*)(int)>("syncfs")(fd);
  Disk& disk = *Disk::Current();
  const auto held = disk.Hold();
  if (disk.Count("syncfs", path, false) == Fate::kFail) return -1;
  disk.SyncedAll();
  return 0;   // of what was written here all counts as synced; the machine's other files are no matter of the test
}

int ftruncate64(int fd, off_t size) {
  static const auto real = Real<int (*)(int, off_t)>("ftruncate64");
  const std::string path = PathOf(fd);
  if (path.empty()) return real(fd, size);
  Disk& disk = *Disk::Current();
  const auto held = disk.Hold();
  if (disk.Count("ftruncate", path, false) == Fate::kFail) return -1;
  if (const off_t before = SizeOf(path); before > size) disk.WillWrite(path, size, static_cast<std::size_t>(before - size));
  return real(fd, size);
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int rename(const char* from, const char* to) {
  static const auto real = Real<int (*)(const char*, const char*)>("rename");
  const std::string path = PathOf(to), before = PathOf(from);
  if (path.empty() || before.empty()) return real(from, to);
  Disk& disk = *Disk::Current();
  const auto held = disk.Hold();
  if (disk.Count("rename", path, false) == Fate::kFail) return -1;
  disk.WillRename(before, path);
  const int done = real(from, to);
  if (done == 0) disk.Renamed(before, path);
  return done;
}

int unlink(const char* name) {
  static const auto real = Real<int (*)(const char*)>("unlink");
  const std::string path = PathOf(name);
  if (path.empty()) return real(name);
  Disk& disk = *Disk::Current();
  const auto held = disk.Hold();
  return disk.WillRemove(path) == Fate::kFail ? -1 : real(name);
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
