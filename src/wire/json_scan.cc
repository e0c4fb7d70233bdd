// SPDX-License-Identifier: Apache-2.0
#include "wire/json_scan.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace nano::wire {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

const char* SkipDigits(const char* at, const char* end) {
  while (at != end && IsDigit(*at)) ++at;
  return at;
}

const char* SkipWord(const char* at, const char* end, std::string_view word) {
  if (static_cast<std::size_t>(end - at) < word.size() || std::memcmp(at, word.data(), word.size()) != 0) return nullptr;
  return at + word.size();
}

/// A value that is neither an array nor an object.
const char* SkipScalar(const char* at, const char* end, Bare bare) {
  switch (*at) {
    case '"': return SkipString(at, end);
    case 't': return SkipWord(at, end, "true");
    case 'f': return SkipWord(at, end, "false");
    case 'n': return SkipWord(at, end, "null");
    case 'N': return bare == Bare::kTaken ? SkipWord(at, end, "NaN") : nullptr;
    case 'I': return bare == Bare::kTaken ? SkipWord(at, end, "Infinity") : nullptr;
    case '-':
      if (bare == Bare::kTaken && end - at > 1 && at[1] == 'I') return SkipWord(at, end, "-Infinity");
      return SkipNumber(at, end);
    default: return SkipNumber(at, end);
  }
}

/// The name of a member and its colon; then the place of its value.
const char* SkipName(const char* at, const char* end) {
  at = SkipString(SkipSpace(at, end), end);
  if (!at) return nullptr;
  at = SkipSpace(at, end);
  if (at == end || *at != ':') return nullptr;
  return SkipSpace(at + 1, end);
}

const char* SkipContainer(const char* at, const char* end, Bare bare) {
  std::array<std::uint64_t, kDeepestScan / 64> objects;   // one bit a level, written when the level is entered
  std::size_t depth = 0;
  while (true) {
    // `at` is at the first byte of a value.
    if (at == end) return nullptr;
    if (*at == '{' || *at == '[') {
      if (depth == kDeepestScan) return nullptr;
      const bool object = *at == '{';
      const std::uint64_t bit = std::uint64_t{1} << (depth % 64);
      if (depth % 64 == 0) objects[depth / 64] = 0;
      objects[depth / 64] = object ? objects[depth / 64] | bit : objects[depth / 64] & ~bit;
      ++depth;
      at = SkipSpace(at + 1, end);
      if (at == end) return nullptr;
      if (*at != (object ? '}' : ']')) {
        if (object && !(at = SkipName(at, end))) return nullptr;
        continue;
      }
      --depth;
      ++at;
    } else if (!(at = SkipScalar(at, end, bare))) {
      return nullptr;
    }
    // `at` is after a value: its parents end, or one of them goes on.
    while (true) {
      if (depth == 0) return at;
      at = SkipSpace(at, end);
      if (at == end) return nullptr;
      const bool object = (objects[(depth - 1) / 64] >> ((depth - 1) % 64)) & 1;
      if (*at == ',') {
        at = object ? SkipName(at + 1, end) : SkipSpace(at + 1, end);
        if (!at) return nullptr;
        break;
      }
      if (*at != (object ? '}' : ']')) return nullptr;
      --depth;
      ++at;
    }
  }
}

}  // namespace

const char* SkipString(const char* at, const char* end) {
  if (at == end || *at != '"') return nullptr;
  ++at;
  while (true) {
    at = FindInString(at, end);
    if (at == end) return nullptr;
    if (*at == '"') return at + 1;
    if (*at != '\\' || end - at < 2) return nullptr;
    switch (at[1]) {
      case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': at += 2; break;
      case 'u':
        if (end - at < 6 || !IsHex(at[2]) || !IsHex(at[3]) || !IsHex(at[4]) || !IsHex(at[5])) return nullptr;
        at += 6;
        break;
      default: return nullptr;
    }
  }
}

const char* SkipNumber(const char* at, const char* end) {
  if (at != end && *at == '-') ++at;
  if (at == end || !IsDigit(*at)) return nullptr;
  at = *at == '0' ? at + 1 : SkipDigits(at, end);
  if (at != end && *at == '.') {
    const char* const digits = at + 1;
    if ((at = SkipDigits(digits, end)) == digits) return nullptr;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    const char* digits = at + 1;
    if (digits != end && (*digits == '+' || *digits == '-')) ++digits;
    if ((at = SkipDigits(digits, end)) == digits) return nullptr;
  }
  return at;
}

const char* SkipValue(const char* at, const char* end, Bare bare) {
  if (at == end) return nullptr;
  return *at == '{' || *at == '[' ? SkipContainer(at, end, bare) : SkipScalar(at, end, bare);
}

namespace {

/// Which of 64 bytes are what; bit n is of byte n.
struct Marks {
  std::uint64_t quotes = 0, escapes = 0, opening = 0, closing = 0;
};

#if defined(__SSE2__)
Marks MarksOf(const char* at) {
  Marks marks;
  const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\'), fold = _mm_set1_epi8(0x20), open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}');
  for (int part = 0; part < 4; ++part) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * part));
    const __m128i folded = _mm_or_si128(bytes, fold);   // [ becomes {, ] becomes }
    const auto bits = [&](__m128i hit) { return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(hit))) << (16 * part); };
    marks.quotes |= bits(_mm_cmpeq_epi8(bytes, quote));
    marks.escapes |= bits(_mm_cmpeq_epi8(bytes, escape));
    marks.opening |= bits(_mm_cmpeq_epi8(folded, open));
    marks.closing |= bits(_mm_cmpeq_epi8(folded, close));
  }
  return marks;
}
#else
Marks MarksOf(const char* at) {
  Marks marks;
  for (int n = 0; n < 64; ++n) {
    const std::uint64_t bit = std::uint64_t{1} << n;
    if (at[n] == '"') marks.quotes |= bit;
    if (at[n] == '\\') marks.escapes |= bit;
    if (at[n] == '{' || at[n] == '[') marks.opening |= bit;
    if (at[n] == '}' || at[n] == ']') marks.closing |= bit;
  }
  return marks;
}
#endif

/// The characters that a backslash stands before. `carried`: the last byte before these 64 was such a backslash; then of these.
std::uint64_t Escaped(std::uint64_t escapes, bool& carried) {
  std::uint64_t escaped = carried ? 1 : 0;
  carried = false;
  for (escapes &= ~escaped; escapes != 0;) {
    const int n = __builtin_ctzll(escapes);
    if (n == 63) carried = true;
    else escaped |= std::uint64_t{2} << n;
    escapes &= ~(std::uint64_t{3} << n);   // a backslash behind one is no beginning
  }
  return escaped;
}

/// Of each bit, whether the number of bits up to it is odd.
std::uint64_t OddUpTo(std::uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

}  // namespace

const char* SkipBrackets(const char* at, const char* end) {
  std::size_t depth = 0;
  bool in_string = false, carried = false;
  char last[64];
  while (at != end) {
    const char* block = at;
    const std::size_t size = std::min<std::size_t>(64, static_cast<std::size_t>(end - at));
    if (size < 64) {
      std::memcpy(last, at, size);
      std::memset(last + size, ' ', 64 - size);
      block = last;
    }
    Marks marks = MarksOf(block);
    if (marks.escapes != 0 || carried) marks.quotes &= ~Escaped(marks.escapes, carried);
    const std::uint64_t strings = OddUpTo(marks.quotes) ^ (in_string ? ~std::uint64_t{0} : 0);
    in_string = (strings >> 63) != 0;
    std::uint64_t opening = marks.opening & ~strings;
    for (std::uint64_t closing = marks.closing & ~strings; closing != 0; closing &= closing - 1) {
      const std::uint64_t before = (closing & -closing) - 1;
      depth += static_cast<std::size_t>(__builtin_popcountll(opening & before));
      opening &= ~before;
      if (depth == 0) return nullptr;
      if (--depth == 0) return at + __builtin_ctzll(closing) + 1;
    }
    depth += static_cast<std::size_t>(__builtin_popcountll(opening));
    if (depth > kDeepestScan) return nullptr;
    at += size;
  }
  return nullptr;
}

bool IsJson(std::string_view text, Bare bare) {
  const char* const end = text.data() + text.size();
  const char* const after = SkipValue(SkipSpace(text.data(), end), end, bare);
  return after && SkipSpace(after, end) == end;
}

ObjectScanner::ObjectScanner(std::string_view text, Bare bare)
    : at_(text.data()), end_(text.data() + text.size()), bare_(bare) {
  at_ = SkipSpace(at_, end_);
  if (at_ == end_ || *at_ != '{') broken_ = true;
  else ++at_;
}

bool ObjectScanner::NextName(std::string_view& key) {
  if (broken_ || complete_) return false;
  broken_ = true;   // until the name, or the end, is whole
  const char* at = SkipSpace(at_, end_);
  if (at == end_) return false;
  if (*at == '}') {
    at_ = at + 1;
    broken_ = false;
    complete_ = true;
    return false;
  }
  if (!first_) {
    if (*at != ',') return false;
    at = SkipSpace(at + 1, end_);
  }
  const char* const key_end = SkipString(at, end_);
  if (!key_end) return false;
  const char* const colon = SkipSpace(key_end, end_);
  if (colon == end_ || *colon != ':') return false;
  key = {at, static_cast<std::size_t>(key_end - at)};
  at_ = SkipSpace(colon + 1, end_);
  first_ = broken_ = false;
  return true;
}

bool ObjectScanner::TakeUpTo(const char* after, std::string_view& value) {
  if (!after) {
    broken_ = true;
    return false;
  }
  value = {at_, static_cast<std::size_t>(after - at_)};
  at_ = after;
  return true;
}

bool ObjectScanner::TakeValue(std::string_view& value) { return !broken_ && TakeUpTo(SkipValue(at_, end_, bare_), value); }

bool ObjectScanner::TakeUnread(std::string_view& value) {
  if (broken_ || at_ == end_ || (*at_ != '{' && *at_ != '[')) return TakeValue(value);
  return TakeUpTo(SkipBrackets(at_, end_), value);
}

bool ObjectScanner::Next(std::string_view& key, std::string_view& value) { return NextName(key) && TakeValue(value); }

ArrayScanner::ArrayScanner(std::string_view text, Bare bare)
    : at_(text.data()), end_(text.data() + text.size()), bare_(bare) {
  at_ = SkipSpace(at_, end_);
  if (at_ == end_ || *at_ != '[') broken_ = true;
  else ++at_;
}

bool ArrayScanner::Next(std::string_view& value) {
  if (broken_ || complete_) return false;
  broken_ = true;
  const char* at = SkipSpace(at_, end_);
  if (at == end_) return false;
  if (*at == ']') {
    at_ = at + 1;
    broken_ = false;
    complete_ = true;
    return false;
  }
  if (!first_) {
    if (*at != ',') return false;
    at = SkipSpace(at + 1, end_);
  }
  const char* const after = SkipValue(at, end_, bare_);
  if (!after) return false;
  value = {at, static_cast<std::size_t>(after - at)};
  at_ = after;
  first_ = broken_ = false;
  return true;
}

}  // namespace nano::wire
