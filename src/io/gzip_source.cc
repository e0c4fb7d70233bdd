// SPDX-License-Identifier: Apache-2.0
#include "io/gzip_source.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace nano::io {
namespace {

constexpr int kGzipOnly = 15 + 16;   // zlib: the largest window, with gzip's header and no other
constexpr std::size_t kPacked = 128 << 10;

class GzipSource final : public ByteSource {
 public:
  GzipSource(std::unique_ptr<ByteSource> packed, std::string name) : packed_(std::move(packed)), name_(std::move(name)), input_(kPacked) {
    ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }

  Result<Outcome> Read(char* into, std::size_t size, std::chrono::milliseconds wait) override {
    if (!ready_) return Fail(Code::kInternal, "file \"{}\" can't be unpacked: no memory", name_);
    stream_.next_out = reinterpret_cast<Bytef*>(into);
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room) {
      if (stream_.avail_in == 0) {
        ASSIGN(const Outcome got, packed_->Read(input_.data(), input_.size(), wait));
        if (got.state == State::kNotYet) return got;
        if (got.state == State::kEnd && inside_)
          return Fail(Code::kCorrupt, "file \"{}\" ends in the middle of what gzip packed", name_);
        if (got.state == State::kEnd && !any_) return Fail(Code::kCorrupt, "file \"{}\" is empty, which no gzip file is", name_);
        if (got.state == State::kEnd) return got;
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(got.bytes);
      }
      if (!inside_ && any_) inflateReset(&stream_);  // another member follows
      any_ = inside_ = true;
      const int outcome = inflate(&stream_, Z_NO_FLUSH);
      if (outcome == Z_STREAM_END) inside_ = false;
      else if (outcome != Z_OK && outcome != Z_BUF_ERROR)
        return Fail(Code::kCorrupt, "file \"{}\" is damaged, or not packed by gzip", name_);
    }
    return Outcome{State::kData, room - stream_.avail_out};
  }

 private:
  std::unique_ptr<ByteSource> packed_;
  std::string name_;
  std::vector<char> input_;
  z_stream stream_{};
  bool ready_ = false, inside_ = false, any_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> MakeGzipSource(std::unique_ptr<ByteSource> packed, std::string name) {
  return std::make_unique<GzipSource>(std::move(packed), std::move(name));
}

}  // namespace nano::io
