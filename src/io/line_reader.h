// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Lines of a ByteSource, without copying them: each is a view into a large buffer, with kPadding readable bytes behind
/// it for parsers that read ahead. Memory is bounded by the longest line. Not for several threads.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/byte_source.h"

namespace nano::io {

struct Line {
  std::string_view text;       ///< without "\n" or "\r\n"; valid until the next Next()
  std::uint64_t begin = 0;     ///< byte of the input where it starts
  std::uint64_t end = 0;       ///< byte after its line end
  bool terminated = true;      ///< false: the input ended without a line end; of a file that grows it may be half a line
};

class LineReader {
 public:
  static constexpr std::size_t kPadding = 64;
  enum class State { kLine, kEnd, kNotYet };
  struct Options {
    std::size_t buffer_bytes = 1 << 20;
    std::size_t max_line_bytes = 256 << 20;
    std::uint64_t offset = 0;          ///< of the source's first byte; lines count from it
    std::string name = "input";        ///< for messages
  };

  LineReader(std::unique_ptr<ByteSource> source, Options options);

  /// The next line. kNotYet: no whole line came within `wait`, or a signal came; ask again.
  /// kInvalid: a line is longer than the limit; the place says where it starts.
  Result<State> Next(Line& out, std::chrono::milliseconds wait = std::chrono::milliseconds(1000));
  /// Whether Next() has a whole line in its buffer already.
  bool buffered() const;

 private:
  struct Free {
    void operator()(char* memory) const;
  };
  bool Reserve();
  std::unique_ptr<ByteSource> source_;
  Options options_;
  std::unique_ptr<char, Free> buffer_;
  std::size_t capacity_ = 0;     ///< without the padding
  std::size_t begin_ = 0;        ///< of the line that comes next
  std::size_t scanned_ = 0;      ///< no line end before it
  std::size_t size_ = 0;         ///< bytes that are filled
  std::uint64_t base_ = 0;       ///< input offset of the buffer's first byte
  bool ended_ = false;
};

}  // namespace nano::io
