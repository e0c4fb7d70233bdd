// SPDX-License-Identifier: Apache-2.0
#include "publish/datum.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace nano::publish {
namespace {

using Kind = IcebergType::Kind;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
constexpr std::size_t kBoundCodePoints = 16;

/// Reads `text` from its front; every step says whether it fit.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool Character(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// Between `least` and `most` digits.
  std::optional<std::int64_t> Digits(std::size_t least, std::size_t most) {
    std::size_t count = 0;
    std::int64_t number = 0;
    while (count < most && count < text_.size() && text_[count] >= '0' && text_[count] <= '9') number = number * 10 + (text_[count++] - '0');
    if (count < least) return std::nullopt;
    text_.remove_prefix(count);
    return number;
  }
  std::string_view rest() const { return text_; }
  void Skip(std::size_t count) { text_.remove_prefix(count); }
  bool done() const { return text_.empty(); }

 private:
  std::string_view text_;
};

bool IsLeap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// Days since 1970-01-01 of a date of year 1 or later.
std::optional<std::int64_t> Days(Scanner& in) {
  const auto year = in.Digits(4, 7);
  if (!year || *year < 1 || !in.Character('-')) return std::nullopt;
  const auto month = in.Digits(2, 2);
  if (!month || *month < 1 || *month > 12 || !in.Character('-')) return std::nullopt;
  const auto day = in.Digits(2, 2);
  static constexpr std::int64_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!day || *day < 1 || *day > kDays[*month - 1] + (*month == 2 && IsLeap(*year) ? 1 : 0)) return std::nullopt;
  const std::int64_t before = *year - 1;
  std::int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719'162;
  for (std::int64_t m = 1; m < *month; ++m) days += kDays[m - 1] + (m == 2 && IsLeap(*year) ? 1 : 0);
  return days + *day - 1;
}

/// Microseconds of `hh:mm:ss[.ffffff]`, before 24:00.
std::optional<std::int64_t> Micros(Scanner& in) {
  const auto hour = in.Digits(2, 2);
  if (!hour || *hour > 23 || !in.Character(':')) return std::nullopt;
  const auto minute = in.Digits(2, 2);
  if (!minute || *minute > 59 || !in.Character(':')) return std::nullopt;
  const auto second = in.Digits(2, 2);
  if (!second || *second > 59) return std::nullopt;
  std::int64_t micros = ((*hour * 60 + *minute) * 60 + *second) * kMicrosPerSecond;
  if (!in.Character('.')) return micros;
  const std::size_t before = in.rest().size();
  auto fraction = in.Digits(1, 6);
  if (!fraction) return std::nullopt;
  for (std::size_t digits = before - in.rest().size(); digits < 6; ++digits) *fraction *= 10;
  return micros + *fraction;
}

std::optional<Int128> Unscaled(std::string_view text, int precision, int scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Int128 number = 0;
  int digits = 0, fraction = -1;
  for (const char c : text) {
    if (c == '.' && fraction < 0) {
      fraction = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    if (number != 0 || c != '0') ++digits;
    if (digits > 38) return std::nullopt;
    number = number * 10 + (c - '0');
    if (fraction >= 0) ++fraction;
  }
  if (text.empty() || fraction == 0 || std::max(fraction, 0) != scale || digits > precision) return std::nullopt;
  return negative ? -number : number;
}

std::optional<std::string> UuidBytes(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string bytes;
  int high = -1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (c == '-')) return std::nullopt;
    if (dash) continue;
    int digit = 0;
    if (c >= '0' && c <= '9') digit = c - '0';
    else if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    else return std::nullopt;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  return bytes;
}

template <class T>
std::optional<T> Number(std::string_view text) {
  T number{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class T>
std::string LittleEndian(T value) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// The length of the UTF-8 sequence that begins `text`, its code point; 0 where it is none.
std::size_t CodePoint(std::string_view text, std::uint32_t& point) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const std::uint8_t lead = at(0);
  const std::size_t size = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  point = size == 1 ? lead : lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
    point = (point << 6) | (at(i) & 0x3F);
  }
  static constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return 0;
  return size;
}

std::string Utf8(std::uint32_t point) {
  std::string text;
  if (point < 0x80) return std::string(1, static_cast<char>(point));
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  static constexpr std::uint32_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  text.push_back(static_cast<char>(kLead[more] | (point >> (6 * more))));
  for (int i = more - 1; i >= 0; --i) text.push_back(static_cast<char>(0x80 | ((point >> (6 * i)) & 0x3F)));
  return text;
}

/// The first code points of a text, and whether that is less than all. None where it is no UTF-8.
std::optional<std::vector<std::uint32_t>> FirstCodePoints(std::string_view text, bool& cut) {
  std::vector<std::uint32_t> points;
  while (!text.empty()) {
    std::uint32_t point = 0;
    const std::size_t size = CodePoint(text, point);
    if (size == 0) return std::nullopt;
    if (points.size() == kBoundCodePoints) {
      cut = true;
      return points;
    }
    points.push_back(point);
    text.remove_prefix(size);
  }
  return points;
}

Bounds StringBounds(std::string_view least, std::string_view greatest) {
  Bounds bounds;
  bool cut = false;
  if (const auto points = FirstCodePoints(least, cut)) {
    bounds.lower.emplace();
    for (const std::uint32_t point : *points) *bounds.lower += Utf8(point);
  }
  cut = false;
  auto points = FirstCodePoints(greatest, cut);
  if (!points) return bounds;
  if (cut) {
    while (!points->empty() && points->back() == 0x10FFFF) points->pop_back();
    if (points->empty()) return bounds;
    std::uint32_t& last = points->back();
    last = last == 0xD7FF ? 0xE000 : last + 1;
  }
  bounds.upper.emplace();
  for (const std::uint32_t point : *points) *bounds.upper += Utf8(point);
  return bounds;
}

/// A float's text read both ways: a column may have been widened since the file was written, and 0.1 as float is not
/// 0.1 as double.
Bounds RealBounds(const IcebergType& type, std::string_view least, std::string_view greatest) {
  auto lower = ParseDatum(type, least), upper = ParseDatum(type, greatest);
  if (!lower || !upper) return {};
  if (type.kind == Kind::kDouble) {
    if (const auto narrow = Number<float>(least)) lower->real = std::min<double>(lower->real, *narrow);
    if (const auto narrow = Number<float>(greatest)) upper->real = std::max<double>(upper->real, *narrow);
  }
  if (lower->real == 0) lower->real = -0.0;
  if (upper->real == 0) upper->real = 0.0;
  return {SingleValue(type, *lower), SingleValue(type, *upper)};
}

}  // namespace

std::string BigEndian(Int128 number, std::size_t size) {
  std::string bytes;
  for (int shift = 120; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  if (size > 0) return bytes.substr(16 - std::min<std::size_t>(size, 16));
  std::size_t skip = 0;
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  while (skip < 15 && ((at(skip) == 0 && at(skip + 1) < 0x80) || (at(skip) == 0xFF && at(skip + 1) >= 0x80))) ++skip;
  return bytes.substr(skip);
}

std::optional<Datum> ParseDatum(const IcebergType& type, std::string_view text) {
  Datum datum;
  const auto number = [&](auto parsed) -> std::optional<Datum> {
    if (!parsed) return std::nullopt;
    datum.number = *parsed;
    return datum;
  };
  Scanner in(text);
  switch (type.kind) {
    case Kind::kBoolean:
      if (text == "true" || text == "1") datum.number = 1;
      else if (text != "false" && text != "0") return std::nullopt;
      return datum;
    case Kind::kInt: return number(Number<std::int32_t>(text));
    case Kind::kLong: return number(Number<std::int64_t>(text));
    case Kind::kDecimal: return number(Unscaled(text, type.precision, type.scale));
    case Kind::kFloat:
    case Kind::kDouble: {
      const std::optional<double> real = type.kind == Kind::kFloat ? std::optional<double>(Number<float>(text)) : Number<double>(text);
      if (!real || !std::isfinite(*real)) return std::nullopt;
      datum.real = *real;
      return datum;
    }
    case Kind::kDate: {
      const auto days = Days(in);
      if (!days || !in.done()) return std::nullopt;
      datum.number = *days;
      return datum;
    }
    case Kind::kTime: {
      const auto micros = Micros(in);
      if (!micros || !in.done()) return std::nullopt;
      datum.number = *micros;
      return datum;
    }
    case Kind::kTimestamp:
    case Kind::kTimestamptz: {
      const auto days = Days(in);
      if (!days || !in.Character(' ')) return std::nullopt;
      const auto micros = Micros(in);
      if (!micros) return std::nullopt;
      if (type.kind == Kind::kTimestamptz) {
        if (in.rest() != "+00") return std::nullopt;
        in.Skip(3);
      }
      if (!in.done() || *days > std::numeric_limits<std::int64_t>::max() / kMicrosPerDay - 1) return std::nullopt;
      datum.number = Int128{*days} * kMicrosPerDay + *micros;
      return datum;
    }
    case Kind::kString:
      datum.bytes = text;
      return datum;
    case Kind::kUuid: {
      auto bytes = UuidBytes(text);
      if (!bytes) return std::nullopt;
      datum.bytes = std::move(*bytes);
      return datum;
    }
    case Kind::kBinary:
    case Kind::kList:
    case Kind::kMap:
    case Kind::kStruct: return std::nullopt;
  }
  return std::nullopt;
}

std::string SingleValue(const IcebergType& type, const Datum& value) {
  switch (type.kind) {
    case Kind::kBoolean: return std::string(1, value.number != 0 ? '\1' : '\0');
    case Kind::kInt:
    case Kind::kDate: return LittleEndian(static_cast<std::int32_t>(value.number));
    case Kind::kLong:
    case Kind::kTime:
    case Kind::kTimestamp:
    case Kind::kTimestamptz: return LittleEndian(static_cast<std::int64_t>(value.number));
    case Kind::kFloat: return LittleEndian(static_cast<float>(value.real));
    case Kind::kDouble: return LittleEndian(value.real);
    case Kind::kDecimal: return BigEndian(value.number);
    default: return value.bytes;
  }
}

bool Less(const IcebergType& type, const Datum& left, const Datum& right) {
  switch (type.kind) {
    case Kind::kFloat:
    case Kind::kDouble: return left.real < right.real;
    case Kind::kString:
    case Kind::kBinary:
    case Kind::kUuid: return left.bytes < right.bytes;
    default: return left.number < right.number;
  }
}

Bounds MakeBounds(const IcebergType& type, std::string_view least, std::string_view greatest) {
  if (type.kind == Kind::kString) return StringBounds(least, greatest);
  if (type.kind == Kind::kFloat || type.kind == Kind::kDouble) return RealBounds(type, least, greatest);
  const auto lower = ParseDatum(type, least), upper = ParseDatum(type, greatest);
  if (!lower || !upper) return {};
  // Some readers order UUIDs as two signed numbers: the same order only where all have the same first bit.
  if (type.kind == Kind::kUuid && ((lower->bytes[0] ^ upper->bytes[0]) & 0x80) != 0) return {};
  return {SingleValue(type, *lower), SingleValue(type, *upper)};
}

}  // namespace nano::publish
