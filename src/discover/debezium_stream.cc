// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <unordered_set>

#include "discover/key_guess.h"
#include "discover/stream_file.h"
#include "discover/streams.h"
#include "wire/debezium.h"

namespace nano::discover {
namespace {

using Kind = wire::DebeziumEvent::Kind;

class DebeziumSeen {
 public:
  Status Take(const io::Line& line) {
    const auto messages = wire::SplitDebeziumLine(line.text);
    if (!messages && !again_) ++unreadable_;
    if (!messages) return {};
    for (const auto& message : *messages) TakeMessage(message);
    return {};
  }
  void Again() { again_ = true; }

  Result<Seen> Done() {
    Seen seen;
    seen.kind = StreamKind::kDebezium;
    for (auto& stream : streams_) {
      if (stream.name.empty()) continue;
      const auto guess = guesses_.find(stream.name);
      if (!stream.key.empty() || guess == guesses_.end() || !guess->second.needed()) continue;
      stream.key = guess->second.Find();
      seen.notes.push_back(stream.key.empty()
                               ? fmt::format("the messages of {} carry no key, though changes need one: give its primary_key", stream.name)
                               : fmt::format("the messages of {} carry no key: ({}) tells its rows apart, as far as was seen", stream.name, fmt::join(stream.key, ", ")));
    }
    for (auto& stream : streams_)
      if (!stream.name.empty()) seen.streams.push_back(std::move(stream));
    if (unreadable_ > 0) seen.notes.push_back(fmt::format("{} messages can't be read, and go to quarantine", unreadable_));
    if (unnamed_ > 0 && seen.streams.empty())
      return WithHint(Fail(Code::kInvalid, "{} rows were read, and none says which table it is of", unnamed_),
                      "Capture messages with their topic (`kcat -J`), or unwrap them with `add.fields=db,schema,table`.");
    if (unnamed_ > 0)
      seen.notes.push_back(fmt::format("{} rows do not say which table they are of: the topic tells, so capture them with it", unnamed_));
    return seen;
  }

 private:
  void TakeMessage(const wire::DebeziumMessage& message) {
    arena_.Reset();
    const auto event = decoder_.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena_);
    if (!event) {
      if (!again_) ++unreadable_;
      return;
    }
    if (event->kind != Kind::kChange) return;
    if (event->op == 't') {
      if (!again_) guesses_[std::string(event->stream)].Truncated();
      return;
    }
    if (event->stream.empty() && !again_) ++unnamed_;
    SeenStream& stream = Stream(std::string(event->stream));
    if (!again_) ++stream.records;
    if (!again_ && event->has_after && stream.key.empty() && stream.fields.empty())
      for (const auto& field : event->key) stream.key.emplace_back(field.name);
    unsent_ = false;
    const std::size_t key_values = TakeImage(stream, event->after, true) + (event->has_after ? 0 : stream.key.size());
    TakeImage(stream, event->before, false);
    TakeImage(stream, event->key, false);
    if (key_values < stream.key.size() && event->key.size() < stream.key.size()) stream.key_is_null = true;
    if (!again_ && event->key.empty()) Guess(stream.name, *event);
  }

  /// Without a key in the messages the rows may tell one. What was said before counts once.
  void Guess(const std::string& stream, const wire::DebeziumEvent& event) {
    KeyGuess& guess = guesses_[stream];
    const KeyGuess::Row before = RowOf(event.before), after = RowOf(event.after);
    if (event.lsn) {
      std::string said = fmt::format("{} {} {}", stream, *event.lsn, event.op);
      for (const auto& [name, token] : event.op == 'd' ? before : after) said += " " + token;
      if (!said_.insert(std::hash<std::string>()(said)).second) return;
    }
    if (event.op == 'd') guess.Deleted(before);
    else if (event.op == 'u' && !event.op_assumed) guess.Updated(before, after);
    else if (!event.op_assumed) guess.Created(after);
    if (unsent_) guess.Unsent();
  }

  static KeyGuess::Row RowOf(const std::vector<wire::DebeziumField>& image) {
    KeyGuess::Row row;
    for (const auto& field : image) row.emplace_back(std::string(field.name), std::string(field.token));
    return row;
  }

  /// How many of the key's fields the image has. An old image's NULLs mean nothing, nor do its types where it has none.
  std::size_t TakeImage(SeenStream& stream, const std::vector<wire::DebeziumField>& image, bool counts) {
    std::size_t key_values = 0;
    for (const auto& field : image) {
      if (field.schema && !again_) stream.Declare(field.name, wire::InferDebezium(field));
      stream.See(field.name, field.token, wire::InferDebezium(field), [&](const DataType& type, std::string& reason) {
        wire::Cell cell;
        const bool fits = wire::ReadDebezium(type, field, "", wire::Special::kQuarantine, arena_, cell, reason);
        unsent_ = unsent_ || (counts && cell.kind == wire::Cell::Kind::kUnchanged);
        return fits;
      });
      if (counts && field.token != "null" && std::find(stream.key.begin(), stream.key.end(), field.name) != stream.key.end()) ++key_values;
    }
    return key_values;
  }

  SeenStream& Stream(const std::string& name) {
    const auto [at, made] = by_name_.try_emplace(name, streams_.size());
    if (made) streams_.emplace_back().name = name;
    return streams_[at->second];
  }

  Arena arena_;
  wire::DebeziumDecoder decoder_;
  std::vector<SeenStream> streams_;
  std::map<std::string, std::size_t> by_name_;
  std::map<std::string, KeyGuess> guesses_;
  std::unordered_set<std::size_t> said_;   ///< hashes of what was said, by messages without a key
  bool unsent_ = false;                    ///< the last message has a value that the source did not send
  std::uint64_t unreadable_ = 0, unnamed_ = 0;
  bool again_ = false;
};

}  // namespace

Result<Seen> ReadDebeziumStream(const std::filesystem::path& path) { return ReadTwice(path, DebeziumSeen()); }

}  // namespace nano::discover
