// SPDX-License-Identifier: Apache-2.0
#pragma once
/// JSON text passed over without being turned into anything: where a value ends, what members an object has. Strict
/// about structure, strings, escapes and numbers, but for the bare NaN, Infinity and -Infinity that Python writes.
/// Never reads outside the text, never recurses, allocates nothing. UTF-8 is for the caller to check, once for a whole
/// block (simdjson::validate_utf8). Pure; any thread.

#include <cstddef>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nano::wire {

/// Whether the bare words NaN, Infinity and -Infinity count as values.
enum class Bare : bool { kRefused, kTaken };

/// How deep arrays and objects may nest.
constexpr std::size_t kDeepestScan = 1024;

inline const char* SkipSpace(const char* at, const char* end) {
  while (at != end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
  return at;
}

/// The first quote, backslash or control character.
inline const char* FindInString(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)),
                                     _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
    if (const int mask = _mm_movemask_epi8(hit); mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (at != end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

/// Each Skip function is given the place of a value's first byte, and gives back the place after its last one, or
/// nullptr where there is no such value.
const char* SkipString(const char* at, const char* end);
const char* SkipNumber(const char* at, const char* end);
const char* SkipValue(const char* at, const char* end, Bare bare);

/// Past an object or array by its brackets and strings alone: whether what stands between them is JSON is for a later reader to
/// say. Of JSON it gives what SkipValue() does.
const char* SkipBrackets(const char* at, const char* end);

/// Whether the text is one JSON value with nothing but blanks around it.
bool IsJson(std::string_view text, Bare bare);

/// The members of an object, in order, repeated names included.
class ObjectScanner {
 public:
  /// The text begins with the object; blanks before it are passed over.
  explicit ObjectScanner(std::string_view text, Bare bare = Bare::kTaken);

  /// The next member: its name's token, quotes included, and its value's. False at the end, and at a mistake.
  bool Next(std::string_view& key, std::string_view& value);
  /// The same by steps: the name of the next member; then its value, by whichever of the next two functions.
  bool NextName(std::string_view& key);
  bool TakeValue(std::string_view& value);
  /// An object or array by SkipBrackets(), anything else as TakeValue().
  bool TakeUnread(std::string_view& value);
  /// If the value is an object, calls `member(key, value)` for each of its members on the way.
  template <class Member>
  bool TakeValue(std::string_view& value, const Member& member) {
    if (broken_ || at_ == end_ || *at_ != '{') return TakeValue(value);
    ObjectScanner inner({at_, static_cast<std::size_t>(end_ - at_)}, bare_);
    for (std::string_view inner_key, inner_value; inner.Next(inner_key, inner_value);) member(inner_key, inner_value);
    return TakeUpTo(inner.complete_ ? inner.at_ : nullptr, value);
  }
  /// After Next() gave false: whether the object was closed properly.
  bool complete() const { return complete_; }
  /// What follows the object, once it is complete.
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

 private:
  bool TakeUpTo(const char* after, std::string_view& value);

  const char* at_;
  const char* end_;
  Bare bare_;
  bool first_ = true, broken_ = false, complete_ = false;
};

/// The elements of an array, in order.
class ArrayScanner {
 public:
  explicit ArrayScanner(std::string_view text, Bare bare = Bare::kTaken);
  bool Next(std::string_view& value);
  bool complete() const { return complete_; }
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

 private:
  const char* at_;
  const char* end_;
  Bare bare_;
  bool first_ = true, broken_ = false, complete_ = false;
};

}  // namespace nano::wire
