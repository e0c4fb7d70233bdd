// SPDX-License-Identifier: Apache-2.0
#include "io/gzip_source.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <string>

namespace nano::io {
namespace {

/// Gives its text a few bytes at a time.
class Pieces final : public ByteSource {
 public:
  explicit Pieces(std::string text) : text_(std::move(text)) {}
  Result<Outcome> Read(char* into, std::size_t size, std::chrono::milliseconds) override {
    const std::size_t bytes = text_.copy(into, std::min<std::size_t>(size, 7), at_);
    at_ += bytes;
    return Outcome{bytes == 0 ? State::kEnd : State::kData, bytes};
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

std::string Packed(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string in = text, out(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Result<std::string> Unpack(const std::string& packed) {
  const auto source = MakeGzipSource(std::make_unique<Pieces>(packed), "x.gz");
  std::string out;
  std::array<char, 5> buffer{};
  while (true) {
    ASSIGN(const auto got, source->Read(buffer.data(), buffer.size(), std::chrono::seconds(1)));
    if (got.state == ByteSource::State::kEnd) return out;
    out.append(buffer.data(), got.bytes);
  }
}

TEST(GzipSource, GivesWhatWasPacked) {
  const std::string text = "one\ntwo\n" + std::string(1000, 'x') + "\n";
  EXPECT_EQ(Unpack(Packed(text)).value(), text);
  EXPECT_EQ(Unpack(Packed("")).value(), "");
}

TEST(GzipSource, MembersThatFollowEachOtherAreOneText) { EXPECT_EQ(Unpack(Packed("a\n") + Packed("b\n")).value(), "a\nb\n"); }

TEST(GzipSource, ATornFileIsAnErrorWithItsName) {
  const std::string whole = Packed("one\ntwo\n");
  for (std::size_t bytes = 1; bytes < whole.size(); ++bytes) {
    const auto torn = Unpack(whole.substr(0, bytes));
    ASSERT_FALSE(torn) << bytes;
    EXPECT_EQ(torn.error().code, Code::kCorrupt);
    EXPECT_NE(torn.error().message.find("x.gz"), std::string::npos);
  }
}

TEST(GzipSource, WhatIsNotGzipIsSaidToBeNone) {
  EXPECT_EQ(Unpack("{\"id\":1}\n").error().code, Code::kCorrupt);
  EXPECT_EQ(Unpack("").error().code, Code::kCorrupt);
  std::string damaged = Packed(std::string(100, 'y'));
  damaged[damaged.size() - 6] ^= 1;  // of its checksum
  EXPECT_EQ(Unpack(damaged).error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace nano::io
