// SPDX-License-Identifier: Apache-2.0
#include "wire/avro.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace nano::wire {
namespace {

/// Reads a container as the Avro specification says, apart from the writer's code.
class ContainerReader {
 public:
  explicit ContainerReader(std::string bytes) : bytes_(std::move(bytes)) {}

  std::int64_t Long() {
    std::uint64_t value = 0;
    int shift = 0;
    while (true) {
      const auto byte = static_cast<std::uint8_t>(bytes_.at(at_++));
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
      shift += 7;
    }
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  std::string Take(std::size_t size) {
    std::string part = bytes_.substr(at_, size);
    at_ += size;
    return part;
  }
  std::string Bytes() { return Take(static_cast<std::size_t>(Long())); }
  bool done() const { return at_ == bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

std::string Inflate(const std::string& packed) {
  std::string plain(10 << 20, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, -MAX_WBITS), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(std::min<std::size_t>(plain.size(), stream.total_out));
  inflateEnd(&stream);
  return plain;
}

struct Container {
  std::map<std::string, std::string> metadata;
  std::string records;
  std::int64_t count = 0;
  int blocks = 0;
};

Container Read(const std::string& file) {
  Container out;
  ContainerReader in(file);
  EXPECT_EQ(in.Take(4), std::string("Obj\1", 4));
  for (std::int64_t pairs = in.Long(); pairs != 0; pairs = in.Long()) {
    for (; pairs > 0; --pairs) {
      std::string key = in.Bytes();
      out.metadata[key] = in.Bytes();
    }
  }
  const std::string sync = in.Take(16);
  while (!in.done()) {
    out.count += in.Long();
    out.records += Inflate(in.Bytes());
    EXPECT_EQ(in.Take(16), sync);
    ++out.blocks;
  }
  return out;
}

TEST(AvroEncoderTest, LongsAreZigzagVarints) {
  const std::vector<std::pair<std::int64_t, std::string>> cases = {
      {0, std::string("\0", 1)}, {-1, "\x01"}, {1, "\x02"}, {-64, "\x7F"}, {64, std::string("\x80\x01", 2)},
      {std::numeric_limits<std::int64_t>::max(), "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"},
      {std::numeric_limits<std::int64_t>::min(), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"}};
  for (const auto& [value, bytes] : cases) {
    AvroEncoder encoder;
    encoder.Long(value);
    EXPECT_EQ(encoder.bytes(), bytes) << value;
    EXPECT_EQ(ContainerReader(encoder.bytes()).Long(), value);
  }
}

TEST(AvroFileTest, ASchemaKeepsEveryAttribute) {
  const std::string schema = R"({"type":"record","name":"r","fields":[{"name":"a","type":"long","field-id":7}]})";
  AvroFile file(schema, {{"content", "data"}});
  const auto bytes = file.Finish();
  ASSERT_TRUE(bytes);
  const Container container = Read(*bytes);
  EXPECT_EQ(container.metadata.at("avro.schema"), schema);
  EXPECT_EQ(container.metadata.at("avro.codec"), "deflate");
  EXPECT_EQ(container.metadata.at("content"), "data");
  EXPECT_EQ(container.blocks, 0);
}

TEST(AvroFileTest, RecordsComeBackOverManyBlocks) {
  AvroFile file("\"bytes\"", {});
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    AvroEncoder record;
    record.Bytes("record number " + std::to_string(i) + std::string(100, 'x'));
    all += record.bytes();
    ASSERT_TRUE(file.Append(record.bytes()));
  }
  const auto bytes = file.Finish();
  ASSERT_TRUE(bytes);
  const Container container = Read(*bytes);
  EXPECT_EQ(container.count, 3000);
  EXPECT_GT(container.blocks, 1);
  EXPECT_EQ(container.records, all);
}

TEST(AvroFileTest, EqualInputGivesEqualBytes) {
  const auto make = [](const std::string& note) {
    AvroFile file("\"long\"", {{"note", note}});
    EXPECT_TRUE(file.Append("\x02"));
    return *file.Finish();
  };
  EXPECT_EQ(make("a"), make("a"));
  EXPECT_NE(make("a"), make("b"));
}

}  // namespace
}  // namespace nano::wire
