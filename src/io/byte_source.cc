// SPDX-License-Identifier: Apache-2.0
#include "io/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace nano::io {
namespace {

class DescriptorSource final : public ByteSource {
 public:
  enum class Owns { kNo, kYes };
  DescriptorSource(int fd, Owns owns) : fd_(fd), owns_(owns) {
    struct stat info {};
    waits_ = ::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode);
  }
  DescriptorSource(const DescriptorSource&) = delete;
  DescriptorSource& operator=(const DescriptorSource&) = delete;
  ~DescriptorSource() override {
    if (owns_ == Owns::kYes) ::close(fd_);
  }

  Result<Outcome> Read(char* into, std::size_t size, std::chrono::milliseconds wait) override {
    if (waits_) {
      pollfd poll{.fd = fd_, .events = POLLIN, .revents = 0};
      const int ready = ::poll(&poll, 1, static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, std::numeric_limits<int>::max())));
      if (ready == 0 || (ready < 0 && errno == EINTR)) return Outcome{State::kNotYet, 0};
      if (ready < 0) return Fail(Code::kUnavailable, "could not wait for input: errno {}", errno);
    }
    const ssize_t n = ::read(fd_, into, size);
    if (n > 0) return Outcome{State::kData, static_cast<std::size_t>(n)};
    if (n == 0) return Outcome{State::kEnd, 0};
    if (errno == EINTR || errno == EAGAIN) return Outcome{State::kNotYet, 0};
    return Fail(Code::kUnavailable, "could not read input: errno {}", errno);
  }

 private:
  int fd_;
  Owns owns_;
  bool waits_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> OpenFileSource(const std::filesystem::path& path, std::uint64_t offset) {
  int fd;
  do fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    const Code code = errno == ENOENT || errno == ENOTDIR ? Code::kNotFound : errno == EACCES ? Code::kDenied : Code::kUnavailable;
    return Fail(code, "could not open file \"{}\": {}", path.string(), std::strerror(errno));
  }
  auto source = std::make_unique<DescriptorSource>(fd, DescriptorSource::Owns::kYes);
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) return Fail(Code::kInvalid, "could not read file \"{}\": it is a folder", path.string());
  if (offset > 0 && ::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) {
    return Fail(Code::kUnavailable, "could not go to byte {} of file \"{}\": {}", offset, path.string(), std::strerror(errno));
  }
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return source;
}

std::unique_ptr<ByteSource> MakeDescriptorSource(int descriptor) {
  return std::make_unique<DescriptorSource>(descriptor, DescriptorSource::Owns::kNo);
}

}  // namespace nano::io
