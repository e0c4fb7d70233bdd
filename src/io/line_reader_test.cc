// SPDX-License-Identifier: Apache-2.0
#include "io/line_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "io/signals.h"

namespace nano::io {
namespace {

using namespace std::chrono_literals;

/// Gives text in pieces of at most `step` bytes; between them, now and then, nothing yet.
class TextSource final : public ByteSource {
 public:
  TextSource(std::string text, std::size_t step) : text_(std::move(text)), step_(step) {}
  Result<Outcome> Read(char* into, std::size_t size, std::chrono::milliseconds) override {
    if (++calls_ % 3 == 0) return Outcome{State::kNotYet, 0};
    const std::size_t n = std::min({size, step_, text_.size() - at_});
    std::memcpy(into, text_.data() + at_, n);
    at_ += n;
    return Outcome{n > 0 ? State::kData : State::kEnd, n};
  }

 private:
  std::string text_;
  std::size_t step_, at_ = 0;
  int calls_ = 0;
};

struct Got {
  std::string text;
  std::uint64_t begin, end;
  bool terminated;
  bool operator==(const Got&) const = default;
};

std::vector<Got> ReadAll(LineReader& reader) {
  std::vector<Got> all;
  for (;;) {
    Line line;
    const auto state = reader.Next(line, 1s);
    if (!state || *state == LineReader::State::kEnd) return all;
    if (*state == LineReader::State::kNotYet) continue;
    volatile char last = 0;   // the padding must be readable
    for (std::size_t i = 0; i < LineReader::kPadding; ++i) last = *(line.text.data() + line.text.size() + i);
    (void)last;
    all.push_back({std::string(line.text), line.begin, line.end, line.terminated});
  }
}

std::vector<Got> ReadAll(const std::string& text, std::size_t step, LineReader::Options options) {
  LineReader reader(std::make_unique<TextSource>(text, step), std::move(options));
  return ReadAll(reader);
}

TEST(LineReaderTest, LinesHaveTheirPlacesAndNoLineEnds) {
  const std::vector<Got> expected = {{"a", 100, 102, true}, {"", 102, 103, true}, {"b\rc", 103, 108, true}, {"d", 108, 109, false}};
  for (std::size_t step = 1; step < 12; ++step) {
    EXPECT_EQ(ReadAll("a\n\nb\rc\r\nd", step, {.buffer_bytes = 4, .offset = 100}), expected) << step;
  }
}

TEST(LineReaderTest, AnUnterminatedLastLineKeepsItsCarriageReturn) {
  EXPECT_EQ(ReadAll("x\r", 8, {}), (std::vector<Got>{{"x\r", 0, 2, false}}));
  EXPECT_TRUE(ReadAll("", 8, {}).empty());
}

TEST(LineReaderTest, AnyTextComesThroughAnyBuffer) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    std::vector<Got> expected;
    for (int n = static_cast<int>(random() % 20); n > 0; --n) {
      std::string line;
      for (auto length = random() % (random() % 10 == 0 ? 3000 : 20); length > 0; --length) line += static_cast<char>('a' + random() % 26);
      const std::uint64_t begin = text.size();
      text += line + (random() % 2 ? "\n" : "\r\n");
      expected.push_back({line, begin, text.size(), true});
    }
    ASSERT_EQ(ReadAll(text, 1 + random() % 50, {.buffer_bytes = 1 + random() % 64}), expected);
  }
}

TEST(LineReaderTest, ALineOverTheLimitIsRefusedWithItsPlace) {
  for (const std::string end : {"\n", ""}) {
    LineReader reader(std::make_unique<TextSource>("ok\n" + std::string(50, 'x') + end, 7), {.buffer_bytes = 8, .max_line_bytes = 49, .name = "taps"});
    Line line;
    Result<LineReader::State> state = LineReader::State::kNotYet;
    while (state && *state == LineReader::State::kNotYet) state = reader.Next(line);
    ASSERT_TRUE(state);
    do state = reader.Next(line);
    while (state && *state == LineReader::State::kNotYet);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code, Code::kInvalid);
    EXPECT_EQ(state.error().place.at, 3U);
  }
  const std::string at_the_limit = fmt::format("{:x>49}\n", "");
  EXPECT_EQ(ReadAll(at_the_limit, 7, {.buffer_bytes = 8, .max_line_bytes = 49}).size(), 1U);
}

TEST(LineReaderTest, AFileIsReadFromAnOffset) {
  std::string path = "/tmp/nano-lines-XXXXXX";
  ::close(::mkstemp(path.data()));
  std::ofstream(path) << "first\nsecond\nthi";
  auto source = OpenFileSource(path, 6);
  ASSERT_TRUE(source);
  LineReader reader(std::move(*source), {.offset = 6});
  EXPECT_EQ(ReadAll(reader), (std::vector<Got>{{"second", 6, 13, true}, {"thi", 13, 16, false}}));
  std::filesystem::remove(path);
  EXPECT_EQ(OpenFileSource(path, 0).error().code, Code::kNotFound);
}

TEST(LineReaderTest, APipeWithoutALineYetDoesNotBlock) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  LineReader reader(MakeDescriptorSource(ends[0]), {});
  Line line;
  EXPECT_EQ(*reader.Next(line, 10ms), LineReader::State::kNotYet);
  ASSERT_EQ(::write(ends[1], "ab", 2), 2);
  EXPECT_EQ(*reader.Next(line, 10ms), LineReader::State::kNotYet);
  ASSERT_EQ(::write(ends[1], "c\nd\n", 4), 4);
  EXPECT_EQ(*reader.Next(line, 1s), LineReader::State::kLine);
  EXPECT_EQ(line.text, "abc");
  EXPECT_TRUE(reader.buffered());
  EXPECT_EQ(*reader.Next(line, 1s), LineReader::State::kLine);
  EXPECT_FALSE(reader.buffered());
  ::close(ends[1]);
  EXPECT_EQ(*reader.Next(line, 1s), LineReader::State::kEnd);
  ::close(ends[0]);
}

TEST(StopSignalsTest, TheFirstAsksAndTheSecondEnds) {
  EXPECT_EXIT({
    CatchStopSignals();
    if (StopRequested()) ::_exit(1);
    ::kill(::getpid(), SIGTERM);
    if (!StopRequested()) ::_exit(2);
    ::kill(::getpid(), SIGINT);
    ::_exit(3);
  }, ::testing::ExitedWithCode(128 + SIGINT), "");
}

}  // namespace
}  // namespace nano::io
