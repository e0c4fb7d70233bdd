// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "discover/singer_schema_text.h"
#include "discover/stream_file.h"
#include "discover/streams.h"
#include "wire/debezium.h"
#include "wire/json_scan.h"
#include "wire/singer.h"

namespace nano::discover {
namespace {

using Kind = wire::SingerMessage::Kind;

class SingerSeen {
 public:
  Status Take(const io::Line& line) {
    arena_.Reset();
    const auto message = wire::ParseSingerLine(line.text, arena_);
    if (message.kind == Kind::kSchema) return TakeSchema(message);
    if (message.kind == Kind::kRecord) return TakeRecord(message);
    if (message.kind == Kind::kUnreadable && !again_) ++unreadable_;
    return {};
  }

  /// What follows is the same once more: counted already, to be held against the types as they are now.
  void Again() { again_ = true; }

  Seen Done() {
    Seen seen;
    seen.streams = std::move(streams_);
    if (unreadable_ > 0) seen.notes.push_back(fmt::format("{} lines are no messages, and go to quarantine", unreadable_));
    for (const auto& [stream, count] : unannounced_)
      seen.notes.push_back(fmt::format("{} records of stream \"{}\" come before its SCHEMA, and go to quarantine", count, stream));
    return seen;
  }

 private:
  Status TakeSchema(const wire::SingerMessage& message) {
    if (again_) return {};
    const auto schema = wire::ParseSingerSchema(message.schema, message.key_properties);
    if (!schema) {
      ++unreadable_;
      return {};
    }
    Describe(Stream(std::string(message.stream)), *schema, message.schema);
    return {};
  }

  Status TakeRecord(const wire::SingerMessage& message) {
    const auto at = by_name_.find(message.stream);
    if (at == by_name_.end()) {
      if (!again_) ++unannounced_[std::string(message.stream)];
      return {};
    }
    SeenStream& stream = streams_[at->second];
    if (!again_) ++stream.records;
    std::size_t key_values = 0;
    wire::ObjectScanner members(message.record);
    std::string_view key, token;
    while (members.Next(key, token)) {
      std::string_view name;
      if (!wire::Unescape(key, arena_, name)) continue;
      stream.See(name, token, wire::InferDebezium({name, token, nullptr}), [&](const DataType& type, std::string& reason) {
        wire::Cell cell;
        return wire::ReadJson(type, token, wire::Special::kQuarantine, arena_, cell, reason);
      });
      if (token != "null" && std::find(stream.key.begin(), stream.key.end(), name) != stream.key.end()) ++key_values;
    }
    if (key_values < stream.key.size()) stream.key_is_null = true;
    return {};
  }

  SeenStream& Stream(const std::string& name) {
    const auto [at, made] = by_name_.try_emplace(name, streams_.size());
    if (made) streams_.emplace_back().name = name;
    return streams_[at->second];
  }

  Arena arena_;
  std::vector<SeenStream> streams_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::map<std::string, std::uint64_t> unannounced_;
  std::uint64_t unreadable_ = 0;
  bool again_ = false;
};

}  // namespace

Result<Seen> ReadSingerStream(const std::filesystem::path& path) { return ReadTwice(path, SingerSeen()); }

}  // namespace nano::discover
