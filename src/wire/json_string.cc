// SPDX-License-Identifier: Apache-2.0
// JSON strings to text and back: Unescape and Escape of wire/cell.h.
#include "wire/cell.h"
#include "wire/hex.h"
#include "wire/json_scan.h"
#include "wire/json_token.h"

namespace nano::wire {
namespace {

/// The four digits of a \u escape, or -1.
int HexUnit(const char* at, const char* end) {
  if (end - at < 4) return -1;
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigit(at[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

char* PutUtf8(char* to, unsigned point) {
  if (point < 0x80) {
    *to++ = static_cast<char>(point);
  } else if (point < 0x800) {
    *to++ = static_cast<char>(0xc0 | (point >> 6));
    *to++ = static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    *to++ = static_cast<char>(0xe0 | (point >> 12));
    *to++ = static_cast<char>(0x80 | ((point >> 6) & 0x3f));
    *to++ = static_cast<char>(0x80 | (point & 0x3f));
  } else {
    *to++ = static_cast<char>(0xf0 | (point >> 18));
    *to++ = static_cast<char>(0x80 | ((point >> 12) & 0x3f));
    *to++ = static_cast<char>(0x80 | ((point >> 6) & 0x3f));
    *to++ = static_cast<char>(0x80 | (point & 0x3f));
  }
  return to;
}

/// A \u escape, or the pair of a character beyond the first plane; `at` is after the `u`. False: half a pair.
bool TakeUnit(const char*& at, const char* end, char*& to) {
  const int first = HexUnit(at, end);
  if (first < 0) return false;
  at += 4;
  auto point = static_cast<unsigned>(first);
  if (point >= 0xdc00 && point <= 0xdfff) return false;
  if (point >= 0xd800 && point <= 0xdbff) {
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return false;
    const int second = HexUnit(at + 2, end);
    if (second < 0xdc00 || second > 0xdfff) return false;
    at += 6;
    point = 0x10000 + ((point - 0xd800) << 10) + (static_cast<unsigned>(second) - 0xdc00);
  }
  to = PutUtf8(to, point);
  return true;
}

/// What stands between `at` and `end`, the first escape or mistake being at `stop`; nullptr: a bad escape.
char* UnescapeTo(const char* at, const char* stop, const char* end, char* to) {
  while (true) {
    std::memcpy(to, at, static_cast<std::size_t>(stop - at));
    to += stop - at;
    if (stop == end) return to;
    if (*stop != '\\' || end - stop < 2) return nullptr;   // a quote, a control character, a lone backslash
    at = stop + 2;
    switch (stop[1]) {
      case '"': case '\\': case '/': *to++ = stop[1]; break;
      case 'b': *to++ = '\b'; break;
      case 'f': *to++ = '\f'; break;
      case 'n': *to++ = '\n'; break;
      case 'r': *to++ = '\r'; break;
      case 't': *to++ = '\t'; break;
      case 'u':
        if (!TakeUnit(at, end, to)) return nullptr;
        break;
      default: return nullptr;
    }
    stop = FindInString(at, end);
  }
}

}  // namespace

bool Unescape(std::string_view token, Arena& arena, std::string_view& out) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return false;
  const char* const at = token.data() + 1;
  const char* const end = token.data() + token.size() - 1;
  const char* const stop = FindInString(at, end);
  if (stop == end) {
    out = token.substr(1, token.size() - 2);
    return true;
  }
  char* const begin = arena.Allocate(token.size());   // an escape is never shorter than what it stands for
  const char* const to = UnescapeTo(at, stop, end, begin);
  if (to == nullptr) return false;
  out = {begin, static_cast<std::size_t>(to - begin)};
  return true;
}

bool UnescapeInto(std::string_view token, std::string& out) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return false;
  const char* const at = token.data() + 1;
  const char* const end = token.data() + token.size() - 1;
  out.resize(token.size());
  const char* const to = UnescapeTo(at, FindInString(at, end), end, out.data());
  if (to == nullptr) return false;
  out.resize(static_cast<std::size_t>(to - out.data()));
  return true;
}

std::string Escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    const char* const stop = FindInString(at, end);
    out.append(at, stop);
    if (stop == end) break;
    switch (*stop) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += fmt::format("\\u{:04x}", static_cast<unsigned char>(*stop));
    }
    at = stop + 1;
  }
  out += '"';
  return out;
}

}  // namespace nano::wire
