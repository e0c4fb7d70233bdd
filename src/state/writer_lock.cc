// SPDX-License-Identifier: Apache-2.0
#include "state/writer_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace nano::state {

Result<std::optional<WriterLock>> WriterLock::TryLock(const std::filesystem::path& path) {
  int fd;
  do fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    return Fail(errno == EACCES || errno == EROFS ? Code::kDenied : Code::kUnavailable, "could not open lock file \"{}\": {}", path.string(), std::strerror(errno));
  }
  WriterLock lock(fd);
  int result;
  do result = ::flock(fd, LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  if (result == 0) return std::optional<WriterLock>(std::move(lock));
  if (errno == EWOULDBLOCK) return std::optional<WriterLock>();
  return Fail(Code::kUnavailable, "could not lock file \"{}\": {}", path.string(), std::strerror(errno));
}

WriterLock::WriterLock(WriterLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

WriterLock::~WriterLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace nano::state
