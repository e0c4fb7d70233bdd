// SPDX-License-Identifier: Apache-2.0
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "wire/debezium.h"
#include "wire/debezium_number.h"
#include "wire/json_token.h"

namespace nano::wire {
namespace {

/// The members of an object, if they are few enough for an envelope of a transport.
class Members {
 public:
  /// False: `text` is no whole object. Past it there are only blanks.
  bool Take(std::string_view text) {
    JsonObject members(text);
    std::string_view name, value;
    while (members.Next(name, value)) {
      if (count_ < all_.size()) all_[count_] = {Inside(name), value};
      ++count_;
    }
    return members.complete() && members.rest().find_first_not_of(" \t\r\n") == std::string_view::npos;
  }
  /// The names are all of `known`, and those of `needed` are among them: a row that merely has a column of such a name
  /// is not taken for an envelope.
  bool AreThoseOf(std::span<const std::string_view> needed, std::span<const std::string_view> known) const {
    if (count_ > all_.size()) return false;
    std::size_t found = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::string_view name = all_[i].first;
      if (std::find(needed.begin(), needed.end(), name) != needed.end()) ++found;
      else if (std::find(known.begin(), known.end(), name) == known.end()) return false;
    }
    return found == needed.size();
  }
  std::span<const std::pair<std::string_view, std::string_view>> all() const { return {all_.data(), count_}; }
  std::string_view operator[](std::string_view name) const {
    std::string_view found;
    for (const auto& [key, value] : all())
      if (key == name) found = value;
    return found;
  }

 private:
  std::array<std::pair<std::string_view, std::string_view>, 12> all_;
  std::size_t count_ = 0;
};

constexpr std::array<std::string_view, 3> kKcatNeeded{"topic", "partition", "payload"};
constexpr std::array<std::string_view, 6> kKcatKnown{"offset", "tstype", "ts", "broker", "headers", "key"};
constexpr std::array<std::string_view, 2> kHttpNeeded{"headers", "body"};
constexpr std::array<std::string_view, 6> kHttpKnown{"path", "method", "url", "query", "ts", "time"};

std::int64_t Number(std::string_view token, std::int64_t otherwise) {
  std::int64_t number = 0;
  const auto [at, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  return error == std::errc() && at == token.data() + token.size() ? number : otherwise;
}

/// The text of a string, the token of anything else.
bool TextOf(std::string_view token, std::string& out) {
  if (!IsString(token)) {
    out.assign(token);
    return true;
  }
  return UnescapeInto(token, out);
}

class Headers {
 public:
  void Add(std::string_view name, std::string_view text) { AddTokens(Escape(name), Escape(text)); }
  void AddTokens(std::string_view name, std::string_view text) {
    text_ += text_.empty() ? '{' : ',';
    text_ += name;
    text_ += ':';
    text_ += text;
  }
  std::string Take() {
    if (!text_.empty()) text_ += '}';
    return std::move(text_);
  }

 private:
  std::string text_;
};

/// `X-DEBEZIUM-__DEBEZIUM.CONTEXT.RUNID` -> `__debezium.context.runId`. Empty: a header of HTTP's own, or one of the
/// sender's that may hold a secret; it is not kept.
std::string HttpHeaderName(std::string_view name) {
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  constexpr std::string_view kPrefix = "x-debezium-";
  if (!lower.starts_with(kPrefix)) return {};
  lower.erase(0, kPrefix.size());
  constexpr std::array<std::string_view, 3> kMixed{"__debezium.context.connectorLogicalName", "__debezium.context.connectorName",
                                                   "__debezium.context.taskId"};
  constexpr std::string_view kRunId = "__debezium.context.runId";
  const auto same = [&](std::string_view mixed) {
    return mixed.size() == lower.size() &&
           std::equal(mixed.begin(), mixed.end(), lower.begin(), [](char a, char b) { return (a | 0x20) == b || a == b; });
  };
  if (same(kRunId)) return std::string(kRunId);
  for (const std::string_view mixed : kMixed)
    if (same(mixed)) return std::string(mixed);
  return lower;
}

/// Undoes the base64 of a JSON text; other values are as they should be.
std::string HttpHeaderValue(std::string_view value) {
  std::string bytes;
  std::string_view token;
  if (!value.empty() && DecodeBase64(value, bytes) && simdjson::validate_utf8(bytes.data(), bytes.size()) &&
      WholeToken(bytes, token) && !IsNumber(token))
    return std::string(token);
  return std::string(value);
}

Result<std::vector<DebeziumMessage>> FromKcat(const Members& line) {
  DebeziumMessage message;
  Headers headers;
  for (const auto& [key, value] : line.all()) {
    bool good = true;
    if (key == "topic") good = TextOf(value, message.topic);
    else if (key == "partition") message.partition = static_cast<std::int32_t>(Number(value, -1));
    else if (key == "offset") message.offset = Number(value, -1);
    else if (key == "ts") message.timestamp_ms = Number(value, -1);
    else if (key == "key") {
      message.has_key = !IsNull(value);
      good = !message.has_key || TextOf(value, message.key);
    } else if (key == "payload") {
      message.has_value = !IsNull(value);
      good = !message.has_value || TextOf(value, message.value);
    } else if (key == "headers") {
      std::string_view header, content;
      for (JsonArray items(value); items.Next(header) && items.Next(content);)
        if (IsString(header) && IsString(content)) headers.AddTokens(header, content);
    }
    if (!good) return Fail(Code::kInvalid, "a string of the line has an escape that is no character");
  }
  message.headers = headers.Take();
  std::vector<DebeziumMessage> messages;
  messages.push_back(std::move(message));
  return messages;
}

void AddValue(std::string_view token, const std::string& headers, std::vector<DebeziumMessage>& messages) {
  DebeziumMessage& message = messages.emplace_back();
  message.has_value = !IsNull(token);
  if (message.has_value) message.value.assign(token);
  message.headers = headers;
}

Result<std::vector<DebeziumMessage>> FromBody(std::string_view body, const std::string& headers) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return std::vector<DebeziumMessage>{};
  std::string_view token, item;
  if (!WholeToken(body, token)) return Fail(Code::kInvalid, "the body is no JSON");
  std::vector<DebeziumMessage> messages;
  if (!IsArray(token)) AddValue(token, headers, messages);
  else
    for (JsonArray items(token); items.Next(item);) AddValue(item, headers, messages);
  return messages;
}

Result<std::vector<DebeziumMessage>> FromHttp(const Members& line) {
  Headers headers;
  std::string_view name, value;
  const std::string_view all = line["headers"];
  const auto add = [&](std::string_view header, std::string_view content) {
    std::string header_name, header_text;
    if (!TextOf(header, header_name) || !TextOf(content, header_text)) return;
    if (std::string kept = HttpHeaderName(header_name); !kept.empty()) headers.Add(kept, HttpHeaderValue(header_text));
  };
  std::string_view pair;
  for (JsonArray items(all); items.Next(pair);) {
    JsonArray two(pair);
    if (two.Next(name) && two.Next(value)) add(name, value);
  }
  for (JsonObject members(all); members.Next(name, value);) add(name, value);
  std::string body;
  if (!TextOf(line["body"], body)) return Fail(Code::kInvalid, "the body has an escape that is no character");
  return FromBody(body, headers.Take());
}

/// Whether an object may be what a transport wrote around a message, by its first member; what is not need not be scanned.
bool MayBeTransport(std::string_view text) {
  const char* const end = text.data() + text.size();
  const char* const name = SkipSpace(text.data() + 1, end);
  const char* const past = name == end ? nullptr : SkipString(name, end);
  if (past == nullptr) return true;
  const std::string_view first = Inside({name, static_cast<std::size_t>(past - name)});
  const auto has = [&](std::span<const std::string_view> names) { return std::find(names.begin(), names.end(), first) != names.end(); };
  return has(kKcatNeeded) || has(kKcatKnown) || has(kHttpNeeded) || has(kHttpKnown);
}

/// `text` begins with a brace.
Result<std::vector<DebeziumMessage>> FromObject(std::string_view text) {
  if (!MayBeTransport(text)) {
    text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
    if (!text.ends_with('}')) return Fail(Code::kInvalid, "the line is no JSON");
    std::vector<DebeziumMessage> messages;
    AddValue(text, {}, messages);
    return messages;
  }
  Members members;
  if (!members.Take(text)) return Fail(Code::kInvalid, "the line is no JSON");
  if (members.AreThoseOf(kKcatNeeded, kKcatKnown)) return FromKcat(members);
  if (members.AreThoseOf(kHttpNeeded, kHttpKnown)) return FromHttp(members);
  std::vector<DebeziumMessage> messages;
  AddValue(text.substr(0, text.rfind('}') + 1), {}, messages);
  return messages;
}

}  // namespace

Result<std::vector<DebeziumMessage>> SplitDebeziumLine(std::string_view line) {
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (line.find_first_not_of(" \t\r\n") == std::string_view::npos) return std::vector<DebeziumMessage>{};
  if (!simdjson::validate_utf8(line.data(), line.size())) return Fail(Code::kInvalid, "the line is not valid UTF-8");
  line.remove_prefix(line.find_first_not_of(" \t\r\n"));
  if (IsObject(line)) return FromObject(line);
  std::string_view token, item;
  if (!WholeToken(line, token)) return Fail(Code::kInvalid, "the line is no JSON");
  if (!IsArray(token)) return Fail(Code::kInvalid, "the line is no object and no array");
  std::vector<DebeziumMessage> messages;
  for (JsonArray items(token); items.Next(item);) {
    if (!IsObject(item)) return Fail(Code::kInvalid, "item {} of the line's array is no object", messages.size());
    ASSIGN(auto some, FromObject(item));
    std::move(some.begin(), some.end(), std::back_inserter(messages));
  }
  return messages;
}

Result<std::vector<DebeziumMessage>> SplitDebeziumPost(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view body) {
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  if (!simdjson::validate_utf8(body.data(), body.size())) return Fail(Code::kInvalid, "the body is not valid UTF-8");
  Headers kept;
  for (const auto& [name, value] : headers)
    if (const std::string spelled = HttpHeaderName(name); !spelled.empty() && simdjson::validate_utf8(value.data(), value.size())) kept.Add(spelled, HttpHeaderValue(value));
  ASSIGN(auto messages, FromBody(body, kept.Take()));
  for (std::size_t n = 0; n < messages.size(); ++n)
    if (messages[n].has_value && !IsObject(messages[n].value)) return Fail(Code::kInvalid, "message {} of the body is no object", n + 1);
  return messages;
}

}  // namespace nano::wire
