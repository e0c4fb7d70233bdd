// SPDX-License-Identifier: Apache-2.0
#include "io/line_reader.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/check.h"

namespace nano::io {

void LineReader::Free::operator()(char* memory) const { std::free(memory); }

LineReader::LineReader(std::unique_ptr<ByteSource> source, Options options)
    : source_(std::move(source)), options_(std::move(options)), base_(options_.offset) {
  options_.buffer_bytes = std::max<std::size_t>(options_.buffer_bytes, 64);
}

bool LineReader::buffered() const {
  return size_ > scanned_ && std::memchr(buffer_.get() + scanned_, '\n', size_ - scanned_) != nullptr;
}

/// Makes room to read more, by moving the begun line to the front or by growing. False: the line is too long.
bool LineReader::Reserve() {
  if (capacity_ - size_ >= options_.buffer_bytes / 4 && capacity_ > 0) return true;
  const std::size_t kept = size_ - begin_;
  std::size_t wanted = std::max(capacity_, options_.buffer_bytes);
  if (kept > wanted / 2) wanted = std::max(wanted * 2, options_.buffer_bytes);
  // A buffer that one long line made large shrinks again once short lines follow.
  if (wanted > 4 * options_.buffer_bytes && kept < options_.buffer_bytes / 2) wanted = options_.buffer_bytes;
  if (kept > options_.max_line_bytes) return false;
  if (wanted != capacity_) {
    std::unique_ptr<char, Free> grown(static_cast<char*>(std::malloc(wanted + kPadding)));
    NANO_CHECK(grown != nullptr);
    if (kept > 0) std::memcpy(grown.get(), buffer_.get() + begin_, kept);
    buffer_ = std::move(grown);
    capacity_ = wanted;
  } else if (begin_ > 0 && kept > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, kept);
  }
  base_ += begin_;
  scanned_ -= begin_;
  begin_ = 0;
  size_ = kept;
  return true;
}

Result<LineReader::State> LineReader::Next(Line& out, std::chrono::milliseconds wait) {
  const auto give = [&](std::size_t text_end, std::size_t line_end) {
    out = {std::string_view(buffer_.get() + begin_, text_end - begin_), base_ + begin_, base_ + line_end, text_end != line_end};
    if (out.terminated && out.text.ends_with('\r')) out.text.remove_suffix(1);
    begin_ = scanned_ = line_end;
    return State::kLine;
  };
  const auto too_long = [&] {
    auto failure = Fail(Code::kInvalid, "{}: a line is longer than {} bytes", options_.name, options_.max_line_bytes);
    failure.value().place = {options_.name, base_ + begin_, 0};
    return failure;
  };
  std::optional<std::chrono::steady_clock::time_point> deadline;  // most lines lie in the buffer and need no clock
  for (;;) {
    if (size_ > scanned_) {
      if (const void* at = std::memchr(buffer_.get() + scanned_, '\n', size_ - scanned_); at != nullptr) {
        const auto text_end = static_cast<std::size_t>(static_cast<const char*>(at) - buffer_.get());
        if (text_end - begin_ > options_.max_line_bytes) return too_long();
        return give(text_end, text_end + 1);
      }
      scanned_ = size_;
    }
    if (ended_) {
      if (begin_ == size_) return State::kEnd;
      if (size_ - begin_ > options_.max_line_bytes) return too_long();
      return give(size_, size_);
    }
    if (!Reserve()) return too_long();
    const auto now = std::chrono::steady_clock::now();
    if (!deadline) deadline = now + wait;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - now);
    ASSIGN(const auto outcome, source_->Read(buffer_.get() + size_, capacity_ - size_, std::max(left, std::chrono::milliseconds(0))));
    if (outcome.state == ByteSource::State::kNotYet) return State::kNotYet;
    if (outcome.state == ByteSource::State::kEnd) ended_ = true;
    size_ += outcome.bytes;
    std::memset(buffer_.get() + size_, 0, kPadding);
  }
}

}  // namespace nano::io
