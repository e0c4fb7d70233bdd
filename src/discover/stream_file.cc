// SPDX-License-Identifier: Apache-2.0
#include "discover/stream_file.h"

#include "io/files.h"
#include "discover/streams.h"
#include "wire/debezium.h"
#include "wire/json_scan.h"
#include "wire/singer.h"

namespace nano::discover {
namespace {

/// A catalog is one JSON object over many lines, so it is read whole.
constexpr std::uint64_t kMostCatalogBytes = 256 << 20;

enum class Guess { kUnknown, kSinger, kDebezium, kCatalog };

Guess GuessOfLine(std::string_view line) {
  Arena arena;
  using Kind = wire::SingerMessage::Kind;
  const Kind kind = wire::ParseSingerLine(line, arena).kind;
  if (kind == Kind::kSchema || kind == Kind::kRecord || kind == Kind::kState || kind == Kind::kActivateVersion) return Guess::kSinger;
  if (kind == Kind::kBlank) return Guess::kUnknown;
  wire::ObjectScanner members(line);
  std::string_view name, value;
  while (members.Next(name, value))
    if (name == "\"streams\"") return Guess::kCatalog;
  const auto messages = wire::SplitDebeziumLine(line);
  return messages && !messages->empty() ? Guess::kDebezium : Guess::kUnknown;
}

}  // namespace

Status EachLine(const std::filesystem::path& path, const std::function<Status(const io::Line&)>& visit) {
  ASSIGN(auto bytes, io::OpenFileSource(path, 0));
  io::LineReader::Options options;
  options.name = path.string();
  io::LineReader reader(std::move(bytes), options);
  while (true) {
    io::Line line;
    ASSIGN(const auto state, reader.Next(line));
    if (state == io::LineReader::State::kEnd) return {};
    if (state == io::LineReader::State::kLine) TRY(visit(line));
  }
}

Result<Seen> ReadStreamFile(const std::filesystem::path& path) {
  Guess guess = Guess::kUnknown;
  std::size_t looked = 0;
  TRY(EachLine(path, [&](const io::Line& line) -> Status {
    if (guess == Guess::kUnknown && looked < 1000) guess = GuessOfLine(line.text);
    ++looked;
    return {};
  }));
  if (guess == Guess::kSinger) return ReadSingerStream(path);
  if (guess == Guess::kDebezium) return ReadDebeziumStream(path);
  ASSIGN(const std::string text, io::ReadFile(path, kMostCatalogBytes));
  if (auto catalog = ReadSingerCatalog(text)) return catalog;
  return WithHint(Fail(Code::kInvalid, "\"{}\" is no Singer stream, no tap's catalog and no messages of Debezium's", path.string()),
                  "Give a file that `singer: {file: …}` or `debezium: {file: …}` could read, or what a tap prints with --discover.");
}

}  // namespace nano::discover
