// SPDX-License-Identifier: Apache-2.0
#include "io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <set>
#include <vector>

#include "io/background.h"
#include "io/descriptor.h"
#include "io/fault.h"

namespace nano::io {
namespace {

std::string ErrnoText(int error) {
  std::array<char, 256> buffer{};
  return ::strerror_r(error, buffer.data(), buffer.size());
}

/// The system's "no" as ours: what is missing, what is forbidden, what may pass.
tl::unexpected<Error> SystemFail(std::string_view what, const std::filesystem::path& path, int error) {
  Code code = Code::kUnavailable;
  if (error == ENOENT || error == ENOTDIR) code = Code::kNotFound;
  if (error == EACCES || error == EPERM || error == EROFS) code = Code::kDenied;
  return Fail(code, "{} \"{}\": {}", what, path.string(), ErrnoText(error));
}

int OpenRetrying(const std::filesystem::path& path, int flags, mode_t mode = 0) {
  int fd;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

/// Writes all of it, or says how much was written and why not more.
int WriteAll(int fd, std::string_view bytes, std::size_t& written) {
  written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (n == 0) return ENOSPC;
    written += static_cast<std::size_t>(n);
  }
  return 0;
}

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(int fd, std::uint64_t size, std::filesystem::path path, const std::string& point)
      : fd_(fd), size_(size), path_(std::move(path)), write_point_(point + ".write"), sync_point_(point + ".sync"),
        truncate_point_(point + ".truncate") {}

  Status Append(std::string_view bytes) override {
    const Fault fault = PassPoint(write_point_);
    if (fault == Fault::kEio) return SystemFail("could not write file", path_, EIO);
    if (fault == Fault::kEnospc) return SystemFail("could not write file", path_, ENOSPC);
    std::size_t written = 0;
    int error = WriteAll(fd_.get(), fault == Fault::kShortWrite ? bytes.substr(0, bytes.size() / 2) : bytes, written);
    size_ += written;
    if (fault == Fault::kShortWrite) error = ENOSPC;
    if (error != 0) return SystemFail("could not write file", path_, error);
    return {};
  }

  Status Sync() override {
    TRY(PassOrFail(sync_point_));
    if (::fdatasync(fd_.get()) != 0) return SystemFail("could not sync file", path_, errno);
    return {};
  }

  Status Truncate(std::uint64_t size) override {
    TRY(PassOrFail(truncate_point_));
    int error = 0;
    while (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      if (errno != EINTR) { error = errno; break; }
    }
    if (error != 0) return SystemFail("could not truncate file", path_, error);
    size_ = size;
    TRY(PassOrFail(sync_point_));
    if (::fsync(fd_.get()) != 0) return SystemFail("could not sync file", path_, errno);
    return {};
  }

  std::uint64_t size() const override { return size_; }

 private:
  Descriptor fd_;
  std::uint64_t size_;
  std::filesystem::path path_;
  std::string write_point_, sync_point_, truncate_point_;
};

}  // namespace

Result<std::unique_ptr<AppendFile>> AppendFile::Open(const std::filesystem::path& path, const std::string& point) {
  const int fd = OpenRetrying(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd < 0) return SystemFail("could not open file", path, errno);
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    const int error = errno;
    ::close(fd);
    return SystemFail("could not open file", path, error);
  }
  return std::make_unique<PosixAppendFile>(fd, static_cast<std::uint64_t>(info.st_size), path, point);
}

Status SyncFolder(const std::filesystem::path& folder, const std::string& point) {
  TRY(PassOrFail(point + ".folder"));
  const Descriptor fd(OpenRetrying(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY));
  if (!fd.valid()) return SystemFail("could not open folder", folder, errno);
  if (::fsync(fd.get()) != 0) return SystemFail("could not sync folder", folder, errno);
  return {};
}

Status SyncFile(const std::filesystem::path& file, const std::string& point) {
  TRY(PassOrFail(point + ".sync"));
  const Descriptor fd(OpenRetrying(file, O_RDONLY));
  if (!fd.valid()) return SystemFail("could not open file", file, errno);
  if (::fsync(fd.get()) != 0) return SystemFail("could not sync file", file, errno);
  return {};
}

Status SyncFiles(const std::vector<std::filesystem::path>& files, const std::string& point) {
  constexpr std::size_t kAtOnce = 8;
  std::set<std::filesystem::path> folders;
  for (const auto& file : files) folders.insert(file.parent_path());
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  Status failed;   // the first failure; guarded by mutex
  const auto sync = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) {
      Status status = SyncFile(files[i], point);
      const std::lock_guard lock(mutex);
      if (!status && failed) failed = std::move(status);
      if (!failed) return;
    }
  };
  {
    std::vector<std::unique_ptr<Background::Work>> beside;
    for (std::size_t i = 1; i < std::min(files.size(), kAtOnce); ++i) beside.push_back(TheBackground().Start([&sync](const std::stop_token&) { sync(); }));
    sync();
  }
  TRY(failed);
  for (const auto& folder : folders) TRY(SyncFolder(folder, point));
  return {};
}

Status SyncFileSystem(const std::filesystem::path& folder, const std::string& point) {
  TRY(PassOrFail(point + ".syncfs"));
  const Descriptor fd(OpenRetrying(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY));
  if (!fd.valid()) return SystemFail("could not open folder", folder, errno);
  if (::syncfs(fd.get()) != 0) return SystemFail("could not sync the file system of", folder, errno);
  return {};
}

Status MakeFolders(const std::filesystem::path& folder, const std::string& point) {
  std::vector<std::filesystem::path> missing;
  std::filesystem::path at = folder.lexically_normal();
  if (!at.has_filename()) at = at.parent_path();   // "a/b/" is "a/b"
  while (!at.empty()) {
    struct stat info {};
    if (::stat(at.c_str(), &info) == 0) {
      if (!S_ISDIR(info.st_mode)) return SystemFail("could not make folder", at, ENOTDIR);
      break;
    }
    if (errno != ENOENT) return SystemFail("could not make folder", at, errno);
    missing.push_back(at);
    if (at == at.parent_path()) break;
    at = at.parent_path();
  }
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    TRY(PassOrFail(point + ".mkdir"));
    if (::mkdir(it->c_str(), 0755) != 0 && errno != EEXIST) return SystemFail("could not make folder", *it, errno);
    TRY(SyncFolder(it->parent_path(), point));
  }
  return {};
}

Status RenameFile(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& point) {
  TRY(PassOrFail(point + ".rename"));
  if (::rename(from.c_str(), to.c_str()) != 0) return SystemFail("could not put in place file", to, errno);
  return {};
}

Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content, const std::string& point) {
  static std::atomic<unsigned> counter{0};
  const std::filesystem::path temporary =
      path.parent_path() / fmt::format(".{}.{}.{}.tmp", path.filename().string(), ::getpid(), counter.fetch_add(1));
  const auto write = [&]() -> Status {
    Descriptor fd(OpenRetrying(temporary, O_WRONLY | O_CREAT | O_EXCL, 0644));
    if (!fd.valid()) return SystemFail("could not make file", temporary, errno);
    const Fault fault = PassPoint(point + ".write");
    if (fault == Fault::kEio) return SystemFail("could not write file", temporary, EIO);
    if (fault == Fault::kEnospc) return SystemFail("could not write file", temporary, ENOSPC);
    std::size_t written = 0;
    int error = WriteAll(fd.get(), fault == Fault::kShortWrite ? content.substr(0, content.size() / 2) : content, written);
    if (fault == Fault::kShortWrite) error = ENOSPC;
    if (error != 0) return SystemFail("could not write file", temporary, error);
    TRY(PassOrFail(point + ".sync"));
    if (::fsync(fd.get()) != 0) return SystemFail("could not sync file", temporary, errno);
    if (fd.Close() != 0) return SystemFail("could not close file", temporary, errno);
    TRY(PassOrFail(point + ".rename"));
    if (::rename(temporary.c_str(), path.c_str()) != 0) return SystemFail("could not put in place file", path, errno);
    return {};
  };
  if (auto status = write(); !status) {
    ::unlink(temporary.c_str());
    return status;
  }
  return SyncFolder(path.parent_path(), point);
}

Result<std::string> ReadFile(const std::filesystem::path& path, std::uint64_t limit) {
  const Descriptor fd(OpenRetrying(path, O_RDONLY));
  if (!fd.valid()) return SystemFail("could not open file", path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return SystemFail("could not read file", path, errno);
  if (S_ISDIR(info.st_mode)) return Fail(Code::kInvalid, "could not read file \"{}\": it is a folder", path.string());
  std::string content;
  std::size_t step = static_cast<std::size_t>(std::clamp<std::uint64_t>(static_cast<std::uint64_t>(info.st_size) + 1, 4096, 1U << 20));
  for (;;) {
    const std::size_t at = content.size();
    content.resize(at + step);
    const ssize_t n = ::read(fd.get(), content.data() + at, step);
    if (n < 0) {
      content.resize(at);
      if (errno == EINTR) continue;
      return SystemFail("could not read file", path, errno);
    }
    content.resize(at + static_cast<std::size_t>(n));
    if (content.size() > limit) return Fail(Code::kInvalid, "file \"{}\" is larger than {} bytes", path.string(), limit);
    if (n == 0) return content;
  }
}

}  // namespace nano::io
