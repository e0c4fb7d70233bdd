// SPDX-License-Identifier: Apache-2.0
// The Avro containers that we write: whatever values go in, a reader of our own, after Avro's specification 1.11.1 ("Object
// Container Files"), finds the same schema, metadata and records again, and the same input gives the same bytes.
#include <zlib.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "input.h"
#include "wire/avro.h"

using namespace nano;
using namespace nano::wire;

namespace {

/// Takes bytes of the input for choices, lengths and values.
class Draw {
 public:
  explicit Draw(std::string_view rest) : rest_(rest) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  std::int64_t Long() {
    std::uint64_t value = 0;
    for (int count = Byte() % 9; count > 0; --count) value = value << 8 | Byte();
    return static_cast<std::int64_t>(value);
  }
  std::string Text() {
    const std::string_view text = rest_.substr(0, Byte());
    const std::size_t repeat = Byte() % 8 == 7 ? 2000 : 1;   // now and then longer than a block
    std::string out;
    for (std::size_t i = 0; i < repeat; ++i) out += text;
    rest_.remove_prefix(std::min(text.size(), rest_.size()));
    return out;
  }

 private:
  std::string_view rest_;
};

/// Reads Avro's binary form.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}
  std::string_view rest() const { return rest_; }
  std::string_view Take(std::size_t size) {
    fuzz::Require(size <= rest_.size());
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::int64_t Long() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      fuzz::Require(shift < 64);
      const auto byte = static_cast<unsigned char>(Take(1)[0]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
  }
  std::string_view Bytes() { return Take(static_cast<std::size_t>(Long())); }

 private:
  std::string_view rest_;
};

std::string Inflate(std::string_view packed) {
  z_stream stream{};
  fuzz::Require(inflateInit2(&stream, -MAX_WBITS) == Z_OK);
  std::string out;
  std::array<Bytef, 4096> piece;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  int outcome = Z_OK;
  while (outcome == Z_OK) {
    stream.next_out = piece.data();
    stream.avail_out = static_cast<uInt>(piece.size());
    outcome = inflate(&stream, Z_NO_FLUSH);
    out.append(reinterpret_cast<const char*>(piece.data()), piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  fuzz::Require(outcome == Z_STREAM_END && stream.avail_in == 0);
  return out;
}

struct Value {
  bool flag;
  std::int64_t number;
  std::optional<std::string> text;
  std::vector<std::int64_t> list;
};

std::string Encode(const Value& value) {
  AvroEncoder encoder;
  encoder.Boolean(value.flag);
  encoder.Long(value.number);
  if (value.text) {
    encoder.Present();
    encoder.Bytes(*value.text);
  } else {
    encoder.Null();
  }
  if (!value.list.empty()) {
    encoder.Items(value.list.size());
    for (const std::int64_t item : value.list) encoder.Long(item);
  }
  encoder.EndItems();
  encoder.Fixed("12345678");
  std::string bytes = encoder.bytes();
  encoder.Clear();
  fuzz::Require(encoder.bytes().empty());
  return bytes;
}

void Expect(Decoder& in, const Value& value) {
  fuzz::Require(in.Take(1)[0] == (value.flag ? 1 : 0));
  fuzz::Require(in.Long() == value.number);
  fuzz::Require(in.Long() == (value.text ? 1 : 0));
  if (value.text) fuzz::Require(in.Bytes() == *value.text);
  if (!value.list.empty()) {
    fuzz::Require(in.Long() == static_cast<std::int64_t>(value.list.size()));
    for (const std::int64_t item : value.list) fuzz::Require(in.Long() == item);
  }
  fuzz::Require(in.Long() == 0);
  fuzz::Require(in.Take(8) == "12345678");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input(data, size);
  Draw draw(input.text());
  const std::string schema = draw.Text();
  std::vector<std::pair<std::string, std::string>> metadata;
  for (int count = draw.Byte() % 3; count > 0; --count) {
    std::string key = draw.Text();
    metadata.emplace_back(std::move(key), draw.Text());
  }
  std::vector<Value> values;
  while (!draw.empty() && values.size() < 400) {
    Value value{draw.Byte() % 2 == 1, draw.Long(), {}, {}};
    if (draw.Byte() % 2 == 1) value.text = draw.Text();
    for (int count = draw.Byte() % 4; count > 0; --count) value.list.push_back(draw.Long());
    values.push_back(std::move(value));
  }
  std::string files[2];
  for (std::string& bytes : files) {
    AvroFile file(schema, metadata);
    for (const Value& value : values) fuzz::Require(file.Append(Encode(value)).has_value());
    auto finished = file.Finish();
    fuzz::Require(finished.has_value());
    bytes = *std::move(finished);
  }
  fuzz::Require(files[0] == files[1]);

  Decoder container(files[0]);
  fuzz::Require(container.Take(4) == std::string_view("Obj\1", 4));
  fuzz::Require(container.Long() == static_cast<std::int64_t>(metadata.size() + 2));
  fuzz::Require(container.Bytes() == "avro.schema" && container.Bytes() == schema);
  fuzz::Require(container.Bytes() == "avro.codec" && container.Bytes() == "deflate");
  for (const auto& [key, value] : metadata) fuzz::Require(container.Bytes() == key && container.Bytes() == value);
  fuzz::Require(container.Long() == 0);
  const std::string_view sync = container.Take(16);
  std::size_t read = 0;
  while (!container.rest().empty()) {
    const std::int64_t count = container.Long();
    fuzz::Require(count > 0 && read + static_cast<std::size_t>(count) <= values.size());
    const std::string block = Inflate(container.Bytes());
    Decoder records(block);
    for (std::int64_t i = 0; i < count; ++i) Expect(records, values[read++]);
    fuzz::Require(records.rest().empty());
    fuzz::Require(container.Take(16) == sync);
  }
  fuzz::Require(read == values.size());
  return 0;
}
