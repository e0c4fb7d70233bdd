// SPDX-License-Identifier: Apache-2.0
#include "io/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "io/files.h"

namespace nano::io {
namespace {

constexpr std::size_t kBuffer = 256 << 10;

struct Header {
  std::uint64_t mark;
  std::uint64_t size;
};

class FileSpool final : public Spool {
 public:
  explicit FileSpool(int file) : file_(file) {}
  ~FileSpool() override { ::close(file_); }

  Status Add(std::uint64_t mark, std::string_view piece) override {
    const Header header{mark, piece.size()};
    buffer_.append(reinterpret_cast<const char*>(&header), sizeof header);
    buffer_.append(piece);
    bytes_ += sizeof header + piece.size();
    return buffer_.size() < kBuffer ? Status() : Flush();
  }

  Result<bool> Next(std::uint64_t& mark, std::string_view& piece) override {
    if (!reading_) {
      TRY(Flush());
      reading_ = true;
    }
    Header header{};
    TRY(Have(sizeof header));
    if (buffer_.size() == at_) return false;
    memcpy(&header, buffer_.data() + at_, sizeof header);
    at_ += sizeof header;
    TRY(Have(header.size));
    mark = header.mark;
    piece = std::string_view(buffer_).substr(at_, header.size);
    at_ += header.size;
    return true;
  }
  std::uint64_t bytes() const override { return bytes_; }

 private:
  static tl::unexpected<Error> Failed(const char* what) { return Fail(Code::kUnavailable, "a temporary file can't be {}: {}", what, ::strerror(errno)); }

  Status Flush() {
    for (std::size_t done = 0; done < buffer_.size();) {
      const ssize_t wrote = ::pwrite(file_, buffer_.data() + done, buffer_.size() - done, static_cast<off_t>(place_));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return Failed("written");
      done += static_cast<std::size_t>(wrote);
      place_ += static_cast<std::uint64_t>(wrote);
    }
    buffer_.clear();
    at_ = 0;
    return {};
  }

  /// Reads on until `size` bytes are there, or nothing more is.
  Status Have(std::size_t size) {
    if (buffer_.size() - at_ >= size) return {};
    buffer_.erase(0, at_);
    at_ = 0;
    while (buffer_.size() < size && read_ < place_) {
      const std::size_t had = buffer_.size();
      const std::size_t want = std::min<std::uint64_t>(std::max(kBuffer, size - had), place_ - read_);
      buffer_.resize(had + want);
      const ssize_t got = ::pread(file_, buffer_.data() + had, want, static_cast<off_t>(read_));
      buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Failed("read");
      read_ += static_cast<std::uint64_t>(got);
    }
    return {};
  }

  const int file_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t place_ = 0, read_ = 0, bytes_ = 0;
  bool reading_ = false;
};

}  // namespace

Result<std::unique_ptr<Spool>> Spool::Make(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::string name = (folder / "spool-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return Fail(Code::kUnavailable, "no temporary file can be made in \"{}\": {}", folder.string(), ::strerror(errno));
  ::unlink(name.c_str());
  return std::unique_ptr<Spool>(std::make_unique<FileSpool>(file));
}

}  // namespace nano::io
