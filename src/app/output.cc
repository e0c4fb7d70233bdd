// SPDX-License-Identifier: Apache-2.0
#include "app/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

// check-layers: allow rename (the answer of a query, in a file of the user's: no store of ours)
namespace nano::app {
namespace {
constexpr std::size_t kBuffer = 64 << 10;
}

Result<Output> Output::ToFile(const std::filesystem::path& path) {
  Output out;
  out.path_ = path;
  out.temporary_ = path;
  out.temporary_ += ".part";
  out.descriptor_ = open(out.temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out.descriptor_ < 0) {
    const int why = errno;
    out.temporary_.clear();
    return Fail(Code::kUnavailable, "file \"{}\" can't be written: {}", path.string(), std::strerror(why));
  }
  return out;
}

Output::Output(Output&& other) noexcept
    : descriptor_(other.descriptor_), path_(std::move(other.path_)), temporary_(std::move(other.temporary_)),
      buffer_(std::move(other.buffer_)), abandoned_(other.abandoned_) {
  other.temporary_.clear();
  other.path_.clear();
  other.buffer_.clear();
  other.descriptor_ = 1;
}

Output::~Output() {
  if (temporary_.empty()) {
    (void)Flush();
    return;
  }
  if (descriptor_ > 2) close(descriptor_);
  unlink(temporary_.c_str());
}

Status Output::Write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() < kBuffer) return {};
  return Flush();
}

Status Output::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && !abandoned_) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      abandoned_ = true;
    } else if (errno != EINTR) {
      const int why = errno;
      buffer_.clear();
      return Fail(Code::kUnavailable, "{} can't be written: {}", path_.empty() ? "standard output" : path_.string(), std::strerror(why));
    }
  }
  buffer_.clear();
  return {};
}

Status Output::Finish() {
  TRY(Flush());
  if (temporary_.empty()) return {};
  if (close(descriptor_) != 0) return Fail(Code::kUnavailable, "file \"{}\" can't be written: {}", path_.string(), std::strerror(errno));
  descriptor_ = 1;
  if (rename(temporary_.c_str(), path_.c_str()) != 0)
    return Fail(Code::kUnavailable, "file \"{}\" can't be named: {}", path_.string(), std::strerror(errno));
  temporary_.clear();
  return {};
}

}  // namespace nano::app
