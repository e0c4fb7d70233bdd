// SPDX-License-Identifier: Apache-2.0
#include "wire/singer.h"

#include <simdjson.h>

#include "wire/cell.h"
#include "wire/json_scan.h"
#include "wire/moment.h"
#include "wire/number.h"

namespace nano::wire {
namespace {

/// A tap has few streams at a time; more prefixes than this are not remembered.
constexpr std::size_t kMostKnown = 32;

using Kind = SingerMessage::Kind;

bool IsWord(std::string_view text, std::string_view upper) {
  if (text.size() != upper.size()) return false;
  for (std::size_t i = 0; i < upper.size(); ++i) {
    if ((text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - 'a' + 'A') : text[i]) != upper[i]) return false;
  }
  return true;
}

Kind KindOf(std::string_view type) {
  if (IsWord(type, "RECORD")) return Kind::kRecord;
  if (IsWord(type, "STATE")) return Kind::kState;
  if (IsWord(type, "SCHEMA")) return Kind::kSchema;
  if (IsWord(type, "ACTIVATE_VERSION")) return Kind::kActivateVersion;
  if (IsWord(type, "BATCH")) return Kind::kBatch;
  return Kind::kUnknown;
}

std::string_view Trim(std::string_view line) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (line.starts_with(kMark)) line.remove_prefix(kMark.size());
  while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.remove_suffix(1);
  while (!line.empty() && static_cast<unsigned char>(line.front()) <= ' ') line.remove_prefix(1);
  return line;
}

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

SingerMessage Unreadable(SingerMessage message, std::string_view reason) {
  message.kind = Kind::kUnreadable;
  message.reason = reason;
  return message;
}

/// The text of a string token; of anything else "".
std::string_view TextOf(std::string_view token, Arena& arena) {
  std::string_view text;
  return Unescape(token, arena, text) ? text : std::string_view();
}

}  // namespace

SingerMessage ParseSingerLine(std::string_view line, Arena& arena) {
  SingerMessage message;
  line = Trim(line);
  if (line.empty()) {
    message.kind = Kind::kBlank;
    return message;
  }
  if (!IsUtf8(line)) return Unreadable(message, "is not UTF-8");
  ObjectScanner members(line);
  std::string_view key, token, type, stream, version;
  while (members.Next(key, token)) {
    if (key == "\"type\"") type = token;
    else if (key == "\"stream\"") stream = token;
    else if (key == "\"record\"") message.record = token;
    else if (key == "\"schema\"") message.schema = token;
    else if (key == "\"key_properties\"") message.key_properties = token;
    else if (key == "\"value\"") message.value = token;
    else if (key == "\"version\"") version = token;
    else if (key == "\"encoding\"") message.encoding = token;
    else if (key == "\"manifest\"") message.manifest = token;
    else if (key == "\"time_extracted\"") message.time_extracted = TextOf(token, arena);
  }
  if (!members.complete()) return Unreadable(message, "is not a JSON object");
  if (!members.rest().empty()) return Unreadable(message, "goes on after its JSON object");
  message.type = TextOf(type, arena);
  if (message.type.empty()) return Unreadable(message, "has no type");
  message.stream = TextOf(stream, arena);
  std::string reason;
  std::int64_t number = 0;
  if (!version.empty() && ReadBigint(version, number, reason) == Parsed::kValue) message.version = number;
  message.kind = KindOf(message.type);
  switch (message.kind) {
    case Kind::kRecord:
      if (message.stream.empty()) return Unreadable(message, "is a RECORD without stream");
      if (message.record.empty() || message.record.front() != '{') return Unreadable(message, "is a RECORD without record");
      break;
    case Kind::kSchema:
      if (message.stream.empty()) return Unreadable(message, "is a SCHEMA without stream");
      if (message.schema.empty() || message.schema.front() != '{') return Unreadable(message, "is a SCHEMA without schema");
      break;
    case Kind::kState:
      if (message.value.empty()) return Unreadable(message, "is a STATE without value");
      break;
    case Kind::kActivateVersion:
      if (message.stream.empty() || !message.version) return Unreadable(message, "is an ACTIVATE_VERSION without stream or version");
      break;
    case Kind::kBatch:
      if (message.stream.empty()) return Unreadable(message, "is a BATCH without stream");
      break;
    default: break;
  }
  return message;
}

std::optional<std::int64_t> SingerVersion(std::string_view line, Arena& arena) {
  constexpr std::string_view kMember = "\"version\"";
  constexpr std::size_t kEnds = 160;  // as far as members beside `record` reach
  const bool is_long = line.size() > 2 * kEnds;
  if (line.substr(0, is_long ? kEnds : line.size()).find(kMember) == std::string_view::npos &&
      (!is_long || line.substr(line.size() - kEnds).find(kMember) == std::string_view::npos))
    return std::nullopt;
  return ParseSingerLine(line, arena).version;
}

std::optional<std::int64_t> SingerTime(std::string_view line, Arena& arena) {
  const std::string_view text = ParseSingerLine(line, arena).time_extracted;
  std::int64_t micros = 0;
  std::string reason;
  if (text.empty() || ReadTimestamp(text, Zone::kUtcOrNone, micros, reason) != Parsed::kValue) return std::nullopt;
  return micros;
}

SingerLineClassifier::Line SingerLineClassifier::Classify(std::string_view line) {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (!line.starts_with(known_[i].prefix)) continue;
    if (utf8_ == Utf8::kChecked && !IsUtf8(line)) [[unlikely]] return {Kind::kUnreadable, {}, 0, "is not UTF-8"};
    // Cheap, and catches what was cut off.
    if (Trim(line).back() != '}') [[unlikely]] break;
    if (i != 0) std::swap(known_[0], known_[i]);
    return {Kind::kRecord, known_[0].stream, known_[0].prefix.size() - 1, {}};
  }
  Arena arena;
  const SingerMessage message = ParseSingerLine(line, arena);
  stream_ = message.stream;
  Line out{message.kind, stream_, 0, message.reason};
  if (message.kind == Kind::kRecord) {
    out.record = static_cast<std::size_t>(message.record.data() - line.data());
    // Only a prefix that settles all of it is kept: type and stream come before the record, and each once.
    if (known_.size() < kMostKnown && EndsSingerRecord(line.substr(out.record + message.record.size()))) {
      known_.push_back({std::string(line.substr(0, out.record + 1)), stream_});
    }
  }
  return out;
}

bool EndsSingerRecord(std::string_view rest) {
  const char* at = rest.data();
  const char* const end = at + rest.size();
  while (true) {
    at = SkipSpace(at, end);
    if (at == end) return false;
    if (*at == '}') return Trim({at + 1, static_cast<std::size_t>(end - at) - 1}).empty();
    if (*at != ',') return false;
    at = SkipSpace(at + 1, end);
    const char* const after = SkipString(at, end);
    if (!after) return false;
    const std::string_view key(at, static_cast<std::size_t>(after - at));
    // A member that decides what the message is may not come again behind its record, however it is spelt.
    if (key == "\"type\"" || key == "\"stream\"" || key == "\"record\"" || key.find('\\') != std::string_view::npos) return false;
    at = SkipSpace(after, end);
    if (at == end || *at != ':') return false;
    at = SkipSpace(at + 1, end);
    if (at == end || !(at = SkipValue(at, end, Bare::kTaken))) return false;
  }
}

}  // namespace nano::wire
