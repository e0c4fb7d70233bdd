// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "engine/database.h"
#include "journal/base.h"
#include "journal/base_block.h"
#include "journal/format.h"

namespace nano::journal {
namespace {

/// Whoever reads backwards is given at least so many positions at a time.
constexpr std::uint64_t kStride = 4096;

enum Field : std::size_t {
  kPosition, kKind, kFormat, kFlags, kStream, kStreamBytes, kKey, kKeyBytes, kValue, kValueBytes, kHeaders, kHeadersBytes, kSourceOffset,
  kCommittedAt, kIngestedAt,
};

constexpr const char* kColumns =
    "position::BIGINT::VARCHAR, kind::VARCHAR, format::VARCHAR, flags::VARCHAR, stream, hex(stream_bytes), key, hex(key_bytes), value, "
    "hex(value_bytes), headers, hex(headers_bytes), source_offset::VARCHAR, epoch_us(committed_at)::VARCHAR, epoch_us(ingested_at)::VARCHAR";

bool FromHex(std::string_view hex, std::string& out) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  for (std::size_t n = 0; n + 1 < hex.size(); n += 2) {
    const int high = digit(hex[n]), low = digit(hex[n + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
  }
  return hex.size() % 2 == 0;
}

class ParquetBase final : public BaseImage {
 public:
  ParquetBase(std::filesystem::path path, Position end) : path_(std::move(path)), end_(end) {}

  Status OpenFile() {
    engine::Options options;
    options.threads = 1;
    options.memory_limit = "256MB";
    options.extensions = {};
    ASSIGN(database_, engine::Database::Open(options));
    ASSIGN(connection_, database_->Connect());
    const auto told = connection_->Query("SELECT decode(key), decode(value) FROM parquet_kv_metadata(" + engine::Literal(path_.string()) +
                                         ") WHERE decode(key) LIKE 'nanohouse%' ORDER BY 1");
    if (!told) return Corrupt(told.error().message);
    if (told->size() != 3) return Corrupt("it is not a base image");
    if (told->text(0, 1) != std::to_string(kBaseFormatNumber))
      return WithHint(Fail(Code::kUnsupported, "the base image \"{}\" has format {}", path_.filename().string(), told->text(0, 1)),
                      "It was written by a newer nanohouse.");
    if (told->text(1, 1) != std::to_string(end_.value)) return Corrupt("its name and its end differ");
    return {};
  }

  Position end() const override { return end_; }

  Result<BlockPtr> Read(Position at) override {
    if (block_ && block_->begin() <= at && at < block_->end()) return block_;
    if (!stream_ || at < next_ || at.value >= next_.value + kStride) TRY(Start(Position{at.value / kStride * kStride}));
    do {
      TRY(Next());
    } while (block_->end() <= at);
    return block_;
  }

 private:
  tl::unexpected<Error> Corrupt(std::string_view what) const {
    auto failure = Fail(Code::kCorrupt, "the base image \"{}\" is damaged: {}", path_.filename().string(), what);
    failure.value().place = {path_.string(), 0, 0};
    return failure;
  }

  Status Start(Position from) {
    stream_.reset();
    auto stream = connection_->Stream(fmt::format("SELECT {} FROM read_parquet({}) WHERE position >= {}", kColumns,
                                                  engine::Literal(path_.string()), from.value));
    if (!stream) return Corrupt(stream.error().message);
    stream_ = *std::move(stream);
    next_ = from;
    return {};
  }

  /// The block that begins at next_.
  Status Next() {
    const auto rows = stream_->Next();
    if (!rows) return Corrupt(rows.error().message);
    std::vector<BaseBlock::Entry> entries;
    std::string memory;
    Position reached = next_;
    for (std::size_t row = 0; row < *rows; ++row) {
      BaseBlock::Entry entry;
      if (!Take(row, entry, memory) || entry.position < reached || entry.position >= end_) return Corrupt("a record is not in its place");
      reached = Position{entry.position.value + 1};
      entries.push_back(entry);
    }
    if (*rows == 0) reached = end_;
    block_ = std::make_shared<BaseBlock>(next_, reached, std::move(entries), std::move(memory));
    next_ = reached;
    return {};
  }

  template <class Number>
  bool TakeNumber(std::size_t row, Field field, Number& number) const {
    const auto text = stream_->at(field, row);
    if (!text) return false;
    const auto [at, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    return error == std::errc() && at == text->data() + text->size();
  }

  /// False: the bytes are none.
  bool TakeText(std::size_t row, Field field, bool& present, std::size_t& at, std::size_t& size, std::string& memory) const {
    at = memory.size();
    present = true;
    if (const auto text = stream_->at(field, row)) memory += *text;
    else if (const auto hex = stream_->at(field + 1, row)) {
      if (!FromHex(*hex, memory)) return false;
    } else present = false;
    size = memory.size() - at;
    return true;
  }

  bool Take(std::size_t row, BaseBlock::Entry& entry, std::string& memory) const {
    int kind = 0, format = 0, flags = 0;
    std::int64_t offset = 0;
    if (!TakeNumber(row, kPosition, entry.position.value) || !TakeNumber(row, kKind, kind) || !TakeNumber(row, kFormat, format) ||
        !TakeNumber(row, kFlags, flags) || !TakeNumber(row, kSourceOffset, offset))
      return false;
    if (kind < 1 || kind > static_cast<int>(RecordKind::kOther) || format < 1 || format > 2 || flags < 0 || flags > 255) return false;
    entry.record.kind = static_cast<RecordKind>(kind);
    entry.record.format = static_cast<Format>(format);
    entry.record.flags = static_cast<std::uint8_t>(flags);
    entry.record.source_offset = static_cast<std::uint64_t>(offset);
    TakeNumber(row, kCommittedAt, entry.record.committed_at);
    TakeNumber(row, kIngestedAt, entry.record.ingested_at);
    bool has_stream = false, has_headers = false;
    return TakeText(row, kStream, has_stream, entry.stream, entry.stream_size, memory) &&
           TakeText(row, kKey, entry.record.has_key, entry.key, entry.key_size, memory) &&
           TakeText(row, kValue, entry.record.has_value, entry.bytes, entry.bytes_size, memory) &&
           TakeText(row, kHeaders, has_headers, entry.headers, entry.headers_size, memory);
  }

  std::filesystem::path path_;
  Position end_;
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<engine::Connection> connection_;
  std::unique_ptr<engine::TextStream> stream_;
  Position next_;                     // of the block that the stream gives next
  BlockPtr block_;
};

}  // namespace

std::string BaseName(Position end) { return fmt::format("{:020}{}", end.value, kBaseSuffix); }

std::optional<Position> ParseBaseName(std::string_view name) {
  if (name.size() != 20 + kBaseSuffix.size() || !name.ends_with(kBaseSuffix)) return std::nullopt;
  Position end;
  const auto [at, error] = std::from_chars(name.data(), name.data() + 20, end.value);
  if (error != std::errc() || at != name.data() + 20) return std::nullopt;
  return end;
}

Result<std::optional<Position>> FindBase(const std::filesystem::path& folder) {
  std::optional<Position> newest;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (const auto found = ParseBaseName(entry->path().filename().string()); found && (!newest || *newest < *found)) newest = found;
  if (error && error != std::errc::no_such_file_or_directory)
    return Fail(Code::kUnavailable, "could not list folder \"{}\": {}", folder.string(), error.message());
  return newest;
}

Result<std::unique_ptr<BaseImage>> BaseImage::Open(const std::filesystem::path& folder, Position end) {
  auto base = std::make_unique<ParquetBase>(folder / BaseName(end), end);
  TRY(base->OpenFile());
  return std::unique_ptr<BaseImage>(std::move(base));
}

}  // namespace nano::journal
