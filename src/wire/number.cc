// SPDX-License-Identifier: Apache-2.0
#include "wire/number.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

#include "base/check.h"

namespace nano::wire {
namespace {

constexpr int kMaxWidth = 38;

constexpr std::array<__int128, kMaxWidth + 1> MakePowers() {
  std::array<__int128, kMaxWidth + 1> powers{};
  powers[0] = 1;
  for (int i = 1; i <= kMaxWidth; ++i) powers[static_cast<std::size_t>(i)] = powers[static_cast<std::size_t>(i - 1)] * 10;
  return powers;
}
constexpr std::array<__int128, kMaxWidth + 1> kPower = MakePowers();

__int128 Power(int exponent) { return kPower[static_cast<std::size_t>(exponent)]; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// `text` in lower case is `word`.
bool Is(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + ('a' - 'A')) : text[i]) != word[i]) return false;
  }
  return true;
}

Parsed Misfit(std::string& reason, std::string_view why) {
  reason.assign(why);
  return Parsed::kMisfit;
}

/// NaN, infinities, or no number at all.
Parsed NotDigits(std::string_view text, std::string& reason) {
  const bool minus = !text.empty() && text[0] == '-';
  const std::string_view word = text.substr(!text.empty() && (minus || text[0] == '+') ? 1 : 0);
  if (Is(word, "nan") && word.size() == text.size()) return Parsed::kNan;
  if (Is(word, "infinity") || Is(word, "inf")) return minus ? Parsed::kMinusInfinity : Parsed::kInfinity;
  return Misfit(reason, text.empty() ? "is empty" : "is not a number");
}

/// A number's text taken apart: sign, digits before and after the point, exponent.
struct Parts {
  bool negative = false;
  std::string_view whole, fraction;
  std::int64_t exponent = 0;
};

bool Split(std::string_view text, Parts& parts) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto digits = [&] {
    const char* const begin = at;
    while (at != end && IsDigit(*at)) ++at;
    return std::string_view(begin, static_cast<std::size_t>(at - begin));
  };
  if (at != end && (*at == '-' || *at == '+')) parts.negative = *at++ == '-';
  parts.whole = digits();
  if (at != end && *at == '.') {
    ++at;
    parts.fraction = digits();
  }
  if (parts.whole.empty() && parts.fraction.empty()) return false;
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    const bool minus = at != end && *at == '-';
    if (at != end && (*at == '-' || *at == '+')) ++at;
    const std::string_view power = digits();
    if (power.empty()) return false;
    // Saturates far outside of what any text's length could bring back.
    constexpr std::int64_t kHuge = std::int64_t{1} << 60;
    std::int64_t value = 0;
    for (const char c : power) value = value > kHuge / 10 ? kHuge : value * 10 + (c - '0');
    parts.exponent = minus ? -value : value;
  }
  return at == end;
}

/// A number's digits as one run, without the zeros at its ends: digit(begin) .. digit(end - 1).
struct Run {
  explicit Run(const Parts& of) : parts(of), end(of.whole.size() + of.fraction.size()) {
    const std::size_t count = end;
    while (begin < end && digit(begin) == '0') ++begin;
    while (end > begin && digit(end - 1) == '0') --end;
    lowest = parts.exponent - static_cast<std::int64_t>(parts.fraction.size()) + static_cast<std::int64_t>(count - end);
    highest = lowest + static_cast<std::int64_t>(end - begin);
  }
  char digit(std::size_t i) const { return i < parts.whole.size() ? parts.whole[i] : parts.fraction[i - parts.whole.size()]; }
  bool zero() const { return begin == end; }

  const Parts& parts;
  std::size_t begin = 0, end;
  std::int64_t lowest = 0;    ///< the power of ten of the last digit
  std::int64_t highest = 0;   ///< one above that of the first: the number of digits before the point
};

enum class Fit { kFits, kNoNumber, kTooFine, kTooWide };

/// Any spelling, any length. `have`: of kTooFine the digits after the point, of kTooWide those before it.
Fit FitDecimal(std::string_view text, int width, int scale, __int128& out, std::int64_t& have) {
  Parts parts;
  if (!Split(text, parts)) return Fit::kNoNumber;
  const Run run(parts);
  out = 0;
  if (run.zero()) return Fit::kFits;
  if (run.lowest < -scale) {
    have = -run.lowest;
    return Fit::kTooFine;
  }
  if (run.highest > width - scale) {
    have = run.highest;
    return Fit::kTooWide;
  }
  __int128 value = 0;
  for (std::size_t i = run.begin; i < run.end; ++i) value = value * 10 + (run.digit(i) - '0');
  value *= Power(static_cast<int>(run.lowest + scale));
  out = parts.negative ? -value : value;
  return Fit::kFits;
}

Parsed OutOfRange(std::string_view type, std::string& reason) {
  reason = fmt::format("is out of the range of {}", type);
  return Parsed::kMisfit;
}

template <class T>
Parsed ReadInteger(std::string_view text, T& out, std::string& reason, std::string_view type) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  if (end - at >= 1 && end - at <= 18) {
    std::int64_t value = 0;
    for (; at != end && IsDigit(*at); ++at) value = value * 10 + (*at - '0');
    if (at == end) {
      if (negative) value = -value;
      if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return OutOfRange(type, reason);
      out = static_cast<T>(value);
      return Parsed::kValue;
    }
  }
  __int128 wide = 0;
  std::int64_t have = 0;
  switch (FitDecimal(text, kMaxWidth, 0, wide, have)) {
    case Fit::kNoNumber: {
      const Parsed parsed = NotDigits(text, reason);
      if (parsed == Parsed::kMisfit && !text.empty()) reason = "is not an integer";
      return parsed;
    }
    case Fit::kTooFine: return Misfit(reason, "has digits after the point");
    case Fit::kTooWide: return OutOfRange(type, reason);
    case Fit::kFits: break;
  }
  if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max()) return OutOfRange(type, reason);
  out = static_cast<T>(wide);
  return Parsed::kValue;
}

/// Printed with as many digits as the text has, the double is the text's number again.
bool ComesBack(std::string_view text, double value) {
  // What a double prints as has a point and at most 17 digits; nearly all that comes is of this kind.
  constexpr std::size_t kOwnDigits = 17, kWholeDigits = 15;
  const bool point = text.find('.') != std::string_view::npos;
  if (text.size() <= (point ? kOwnDigits + 1 : kWholeDigits)) return true;
  Parts parts;
  if (!Split(text, parts)) return false;
  const Run run(parts);
  const std::size_t digits = run.end - run.begin;
  if (digits <= (run.lowest < 0 ? kOwnDigits : kWholeDigits)) return true;
  constexpr std::size_t kMostDigits = 800;   // no double has more
  if (digits > kMostDigits) return false;
  std::array<char, kMostDigits + 16> printed;
  const auto [end, error] = std::to_chars(printed.data(), printed.data() + printed.size(), value < 0 ? -value : value,
                                          std::chars_format::scientific, static_cast<int>(digits) - 1);
  if (error != std::errc()) return false;
  Parts back;
  if (!Split({printed.data(), static_cast<std::size_t>(end - printed.data())}, back)) return false;
  const Run again(back);
  if (again.highest != run.highest || again.end - again.begin != digits) return false;
  for (std::size_t i = 0; i < digits; ++i) {
    if (run.digit(run.begin + i) != again.digit(again.begin + i)) return false;
  }
  return true;
}

template <class T>
Parsed ReadNearest(std::string_view text, T& out, std::string& reason, std::string_view type) {
  const char* begin = text.data();
  const char* const end = begin + text.size();
  if (begin != end && *begin == '+') ++begin;
  const char* const first = begin != end && *begin == '-' ? begin + 1 : begin;
  if (first == end || !(IsDigit(*first) || *first == '.')) return NotDigits(text, reason);
  if (first != begin && *text.data() == '+') return Misfit(reason, "is not a number");
  const auto [after, error] = std::from_chars(begin, end, out, std::chars_format::general);
  if (after != end || error == std::errc::invalid_argument) return Misfit(reason, "is not a number");
  if (error == std::errc::result_out_of_range || out == std::numeric_limits<T>::infinity() ||
      out == -std::numeric_limits<T>::infinity())
    return OutOfRange(type, reason);
  return Parsed::kValue;
}

}  // namespace

Parsed ReadDecimal(std::string_view text, int width, int scale, __int128& out, std::string& reason) {
  NANO_CHECK(width >= 1 && width <= kMaxWidth && scale >= 0 && scale <= width);
  // The usual spelling: at most 18 digits in all, no exponent, none too many after the point.
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  const char* const begin = at;
  std::int64_t value = 0;
  int digits = 0, after = 0;
  for (; at != end && IsDigit(*at) && digits < 18; ++at, ++digits) value = value * 10 + (*at - '0');
  if (at != begin && at != end && *at == '.') {
    for (++at; at != end && IsDigit(*at) && digits < 18; ++at, ++digits, ++after) value = value * 10 + (*at - '0');
  }
  if (at == end && digits > 0 && after <= scale && value < Power(width - scale + after)) {
    const __int128 unscaled = static_cast<__int128>(value) * Power(scale - after);
    out = negative ? -unscaled : unscaled;
    return Parsed::kValue;
  }
  std::int64_t have = 0;
  switch (FitDecimal(text, width, scale, out, have)) {
    case Fit::kNoNumber: return NotDigits(text, reason);
    case Fit::kFits: return Parsed::kValue;
    case Fit::kTooFine: reason = fmt::format("has {} digits after the point, the column {}", have, scale); break;
    case Fit::kTooWide: reason = fmt::format("has {} digits before the point, the column {}", have, width - scale); break;
  }
  return Parsed::kMisfit;
}

Parsed ReadInt(std::string_view text, std::int32_t& out, std::string& reason) { return ReadInteger(text, out, reason, "int"); }

Parsed ReadBigint(std::string_view text, std::int64_t& out, std::string& reason) {
  return ReadInteger(text, out, reason, "bigint");
}

Parsed ReadFloat(std::string_view text, float& out, std::string& reason) { return ReadNearest(text, out, reason, "float"); }

Parsed ReadDouble(std::string_view text, double& out, std::string& reason) {
  const Parsed parsed = ReadNearest(text, out, reason, "double");
  if (parsed == Parsed::kValue && !ComesBack(text, out)) return Misfit(reason, "has more digits than a double keeps");
  return parsed;
}

bool CountDigits(std::string_view text, Digits& digits) {
  Parts parts;
  if (!Split(text, parts)) return false;
  const Run run(parts);
  digits = {};
  if (run.zero()) return true;
  digits.before = std::max<std::int64_t>(run.highest, 0);
  digits.after = std::max<std::int64_t>(-run.lowest, 0);
  digits.power_of_ten = run.end - run.begin == 1 && run.digit(run.begin) == '1';
  return true;
}

}  // namespace nano::wire
