// SPDX-License-Identifier: Apache-2.0
#include "wire/postgres_text.h"

#include <cstring>

namespace nano::wire {
namespace {

/// Bounds of an array that does not begin at 1: `[0:1][2:3]=`.
std::string_view WithoutBounds(std::string_view text) {
  if (!text.starts_with('[')) return text;
  const std::size_t equals = text.find('=');
  return equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
}

bool IsNullWord(std::string_view text) {
  constexpr std::string_view kWord = "null";
  if (text.size() != kWord.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != kWord[i]) return false;
  return true;
}

}  // namespace

ArrayText::ArrayText(std::string_view text, char delimiter) : rest_(WithoutBounds(text)), delimiter_(delimiter) {
  if (!rest_.starts_with('{')) {
    Break();
    return;
  }
  rest_.remove_prefix(1);
  first_.push_back(true);
}

bool ArrayText::Break() {
  broken_ = true;
  rest_ = {};
  return false;
}

bool ArrayText::Next(Item& item) {
  if (broken_ || first_.empty()) return false;
  if (rest_.empty()) return Break();
  const bool first = first_.back();
  if (rest_.front() == '}') {
    rest_.remove_prefix(1);
    first_.pop_back();
    if (first_.empty() && !rest_.empty()) return Break();
    return false;
  }
  if (!first) {
    if (rest_.front() != delimiter_) return Break();
    rest_.remove_prefix(1);
    if (rest_.empty()) return Break();
  }
  first_.back() = false;
  if (rest_.front() == '{') {
    rest_.remove_prefix(1);
    first_.push_back(true);
    item = {Item::Kind::kOpen, {}};
    return true;
  }
  buffer_.clear();
  if (rest_.front() == '"') {
    std::size_t at = 1;
    for (; at < rest_.size() && rest_[at] != '"'; ++at) {
      if (rest_[at] == '\\' && ++at == rest_.size()) return Break();
      buffer_ += rest_[at];
    }
    if (at >= rest_.size()) return Break();
    rest_.remove_prefix(at + 1);
    item = {Item::Kind::kText, buffer_};
    return true;
  }
  std::size_t at = 0;
  for (; at < rest_.size() && rest_[at] != delimiter_ && rest_[at] != '}'; ++at) {
    if (rest_[at] == '\\' && ++at == rest_.size()) return Break();
    buffer_ += rest_[at];
  }
  if (at == 0) return Break();
  const bool is_null = IsNullWord(rest_.substr(0, at));
  rest_.remove_prefix(at);
  item = {is_null ? Item::Kind::kNull : Item::Kind::kText, buffer_};
  return true;
}

RowText::RowText(std::string_view text) : rest_(text) {
  if (text.size() < 2 || text.front() != '(' || text.back() != ')') {
    broken_ = done_ = true;
    return;
  }
  rest_ = text.substr(1, text.size() - 2);
}

bool RowText::Next(Item& item) {
  if (done_) return false;
  buffer_.clear();
  bool quoted = false, in_quotes = false;
  std::size_t at = 0;
  for (; at < rest_.size() && (in_quotes || rest_[at] != ','); ++at) {
    const char c = rest_[at];
    if (c == '\\' && at + 1 < rest_.size()) {
      buffer_ += rest_[++at];
    } else if (c == '"' && in_quotes && at + 1 < rest_.size() && rest_[at + 1] == '"') {
      buffer_ += rest_[++at];
    } else if (c == '"') {
      in_quotes = !in_quotes;
      quoted = true;
    } else {
      buffer_ += c;
    }
  }
  if (in_quotes) {
    broken_ = done_ = true;
    return false;
  }
  item = {buffer_.empty() && !quoted, buffer_};
  if (at == rest_.size()) done_ = true;
  else rest_.remove_prefix(at + 1);
  return true;
}

bool HstoreText::TakeQuoted(std::string& out) {
  out.clear();
  if (!rest_.starts_with('"')) return false;
  std::size_t at = 1;
  for (; at < rest_.size() && rest_[at] != '"'; ++at) {
    if (rest_[at] == '\\' && ++at == rest_.size()) return false;
    out += rest_[at];
  }
  if (at >= rest_.size()) return false;
  rest_.remove_prefix(at + 1);
  return true;
}

bool HstoreText::Next(Pair& pair) {
  if (broken_ || rest_.empty()) return false;
  broken_ = true;
  if (!first_) {
    if (!rest_.starts_with(", ")) return false;
    rest_.remove_prefix(2);
  }
  first_ = false;
  if (!TakeQuoted(pair.key) || !rest_.starts_with("=>")) return false;
  rest_.remove_prefix(2);
  pair.is_null = rest_.starts_with("NULL");
  if (pair.is_null) {
    pair.value.clear();
    rest_.remove_prefix(4);
  } else if (!TakeQuoted(pair.value)) {
    return false;
  }
  broken_ = false;
  return true;
}

namespace {

/// Takes the escapes from a value in its place; a tab in it is escaped, too, so it ends where the next tab is. Its new end.
char* Unescape(char* at, const char* const end) {
  char* out = at;
  for (; at != end; ++at) {
    if (*at != '\\' || at + 1 == end) {
      *out++ = *at;
      continue;
    }
    switch (*++at) {
      case 'b': *out++ = '\b'; break;
      case 'f': *out++ = '\f'; break;
      case 'n': *out++ = '\n'; break;
      case 'r': *out++ = '\r'; break;
      case 't': *out++ = '\t'; break;
      case 'v': *out++ = '\v'; break;
      default: *out++ = *at; break;   // COPY TO writes no octal and no hexadecimal escapes
    }
  }
  return out;
}

}  // namespace

void SplitCopyLine(std::string& line, std::vector<CopyValue>& values) {
  values.clear();
  char* at = line.data();
  char* const end = at + line.size();
  while (true) {
    char* const tab = static_cast<char*>(std::memchr(at, '\t', static_cast<std::size_t>(end - at)));
    char* const stop = tab ? tab : end;
    char* const escape = static_cast<char*>(std::memchr(at, '\\', static_cast<std::size_t>(stop - at)));
    if (!escape) values.push_back({false, {at, static_cast<std::size_t>(stop - at)}});
    else if (stop - at == 2 && at[0] == '\\' && at[1] == 'N') values.push_back({true, {}});
    else values.push_back({false, {at, static_cast<std::size_t>(Unescape(escape, stop) - at)}});
    if (!tab) return;
    at = tab + 1;
  }
}

}  // namespace nano::wire
