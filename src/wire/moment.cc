// SPDX-License-Identifier: Apache-2.0
#include "wire/moment.h"

namespace nano::wire {
namespace {

// What DuckDB can hold; the values next to these are its infinities.
constexpr std::int64_t kFirstDay = -2'147'483'646, kLastDay = 2'147'483'646;
constexpr std::int64_t kFirstMicro = -9'223'372'022'400'000'000, kLastMicro = 9'223'372'036'854'775'806;
constexpr std::int64_t kMostDays = 106'751'992;   // more than a timestamp's µs can count

constexpr std::string_view kNoDate = "is not a date", kNoTime = "is not a time", kNoTimestamp = "is not a timestamp";

Parsed Misfit(std::string& reason, std::string_view why) {
  reason.assign(why);
  return Parsed::kMisfit;
}

constexpr int DaysOfMonth(std::int64_t year, int month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Moves over what it finds. False: it isn't there.
class Reader {
 public:
  explicit Reader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const { return at_ == end_; }
  char peek() const { return at_ == end_ ? '\0' : *at_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool digit() const { return at_ != end_ && static_cast<unsigned char>(*at_ - '0') < 10; }

  bool Take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool Take(std::string_view word) {
    if (!std::string_view(at_, left()).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  /// Exactly two digits.
  bool Two(int& value) {
    if (left() < 2) return false;
    const unsigned high = static_cast<unsigned char>(at_[0] - '0'), low = static_cast<unsigned char>(at_[1] - '0');
    if (high > 9 || low > 9) return false;
    value = static_cast<int>(high * 10 + low);
    at_ += 2;
    return true;
  }
  /// Four digits or more.
  bool Year(std::int64_t& value) {
    const char* const begin = at_;
    value = 0;
    while (digit() && at_ - begin < 8) value = value * 10 + (*at_++ - '0');
    return at_ - begin >= 4 && !digit();
  }
  /// Up to six digits, and zeros after them. False: none at all. `fine`: a digit that would be lost.
  bool Fraction(int& micros, bool& fine) {
    const char* const begin = at_;
    int value = 0, digits = 0;
    for (; digit(); ++at_, ++digits) {
      if (digits < 6) value = value * 10 + (*at_ - '0');
      else if (*at_ != '0') fine = true;
    }
    for (; digits < 6; ++digits) value *= 10;
    micros = value;
    return at_ != begin;
  }

 private:
  const char* at_;
  const char* end_;
};

bool TakeBc(Reader& in) { return in.Take(" BC") || in.Take(" (BC)"); }

/// A date as written; which year it means is known when its era is, which may come last.
struct Day {
  std::int64_t year = 0;
  int month = 0, day = 0;
  bool is_signed = false;
};

bool TakeDay(Reader& in, Day& day) {
  const bool minus = in.Take('-');
  day.is_signed = minus || in.Take('+');
  if (!in.Year(day.year) || !in.Take('-') || !in.Two(day.month) || !in.Take('-') || !in.Two(day.day) || in.digit()) return false;
  if (minus) day.year = -day.year;
  return true;
}

/// Gives the days, or says what is wrong.
bool CountDays(const Day& day, bool bc, std::int64_t& days, std::string& reason) {
  std::int64_t year = day.year;
  if (bc) {
    if (day.is_signed || year == 0) return reason.assign("has a sign or the year 0 beside BC"), false;
    year = 1 - year;
  }
  if (day.month < 1 || day.month > 12 || day.day < 1 || day.day > DaysOfMonth(year, day.month))
    return reason.assign("is no day of the calendar"), false;
  days = DaysFromCivil(year, day.month, day.day);
  return true;
}

enum class TimeOf : std::uint8_t { kDay, kNone, kMidnight24, kWrong };

/// `10:00`, `10:00:00.5`.
TimeOf TakeTime(Reader& in, std::int64_t& micros, std::string& reason) {
  int hour = 0, minute = 0, second = 0, fraction = 0;
  bool fine = false;
  if (!in.Two(hour) || !in.Take(':') || !in.Two(minute)) return TimeOf::kNone;
  if (in.Take(':') && !in.Two(second)) return TimeOf::kNone;
  if (in.Take('.') && !in.Fraction(fraction, fine)) return TimeOf::kNone;
  if (in.digit()) return TimeOf::kNone;
  if (fine) return reason.assign("is finer than a microsecond"), TimeOf::kWrong;
  if (second == 60 && minute < 60 && hour < 24) return reason.assign("is a leap second"), TimeOf::kWrong;
  if (hour == 24 && minute == 0 && second == 0 && fraction == 0) return TimeOf::kMidnight24;
  if (hour > 23 || minute > 59 || second > 59) return reason.assign("is no time of the day"), TimeOf::kWrong;
  micros = (hour * 3600 + minute * 60 + second) * std::int64_t{1'000'000} + fraction;
  return TimeOf::kDay;
}

enum class ZoneOf : std::uint8_t { kZone, kNone, kWrong };

ZoneOf TakeZone(Reader& in, std::int64_t& offset_seconds) {
  if (in.Take('Z') || in.Take('z')) {
    offset_seconds = 0;
    return ZoneOf::kZone;
  }
  const char sign = in.peek();
  if (sign != '+' && sign != '-') return ZoneOf::kNone;
  in.Take(sign);
  int hours = 0, minutes = 0, seconds = 0;
  if (!in.Two(hours)) return ZoneOf::kWrong;
  if (in.Take(':')) {
    if (!in.Two(minutes) || (in.Take(':') && !in.Two(seconds))) return ZoneOf::kWrong;
  } else if (in.digit() && !in.Two(minutes)) {
    return ZoneOf::kWrong;
  }
  if (hours > 23 || minutes > 59 || seconds > 59) return ZoneOf::kWrong;
  offset_seconds = hours * 3600 + minutes * 60 + seconds;
  if (sign == '-') offset_seconds = -offset_seconds;
  return ZoneOf::kZone;
}

bool IsInfinity(std::string_view text, Parsed& parsed) {
  if (text == "infinity" || text == "Infinity" || text == "+infinity") parsed = Parsed::kInfinity;
  else if (text == "-infinity" || text == "-Infinity") parsed = Parsed::kMinusInfinity;
  else return false;
  return true;
}

/// Date, time and zone as the text has them.
struct Whole {
  std::int64_t days = 0, micros = 0, offset_seconds = 0;
  bool has_time = false, has_zone = false, midnight24 = false;
};

Parsed ReadWhole(std::string_view text, Whole& whole, std::string& reason, std::string_view what) {
  if (text.empty()) return Misfit(reason, "is empty");
  Reader in(text);
  Day day;
  if (!TakeDay(in, day)) {
    Parsed parsed;
    return IsInfinity(text, parsed) ? parsed : Misfit(reason, what);
  }
  bool bc = TakeBc(in);
  if (!in.done()) {
    if (!in.Take('T') && !in.Take(' ') && !in.Take('t')) return Misfit(reason, what);
    switch (TakeTime(in, whole.micros, reason)) {
      case TimeOf::kDay: break;
      case TimeOf::kMidnight24: whole.midnight24 = true; break;
      case TimeOf::kNone: return Misfit(reason, what);
      case TimeOf::kWrong: return Parsed::kMisfit;
    }
    whole.has_time = true;
    switch (TakeZone(in, whole.offset_seconds)) {
      case ZoneOf::kZone: whole.has_zone = true; break;
      case ZoneOf::kNone: break;
      case ZoneOf::kWrong: return Misfit(reason, "has a time zone that is none");
    }
    bc = bc || TakeBc(in);
    if (!in.done()) return Misfit(reason, what);
  }
  return CountDays(day, bc, whole.days, reason) ? Parsed::kValue : Parsed::kMisfit;
}

}  // namespace

Parsed ReadDate(std::string_view text, std::int32_t& days, std::string& reason) {
  Whole whole;
  const Parsed parsed = ReadWhole(text, whole, reason, kNoDate);
  if (parsed != Parsed::kValue) return parsed;
  if (whole.midnight24 || whole.micros != 0) return Misfit(reason, "has a time of day that is not midnight");
  if (whole.offset_seconds != 0) return Misfit(reason, "has a time zone that is not UTC");
  if (whole.days < kFirstDay || whole.days > kLastDay) return Misfit(reason, "is out of the range of date");
  days = static_cast<std::int32_t>(whole.days);
  return Parsed::kValue;
}

Parsed ReadTime(std::string_view text, std::int64_t& micros, std::string& reason) {
  if (text.empty()) return Misfit(reason, "is empty");
  Reader in(text);
  bool midnight = false;
  switch (TakeTime(in, micros, reason)) {
    case TimeOf::kDay: break;
    case TimeOf::kMidnight24: midnight = true; break;
    case TimeOf::kNone: return Misfit(reason, kNoTime);
    case TimeOf::kWrong: return Parsed::kMisfit;
  }
  std::int64_t offset = 0;
  if (TakeZone(in, offset) == ZoneOf::kWrong || !in.done()) return Misfit(reason, kNoTime);
  if (offset != 0) return Misfit(reason, "has a time zone that is not UTC");
  return midnight ? Parsed::kMidnight : Parsed::kValue;
}

Parsed ReadTimestamp(std::string_view text, Zone zone, std::int64_t& micros, std::string& reason) {
  Whole whole;
  const Parsed parsed = ReadWhole(text, whole, reason, kNoTimestamp);
  if (parsed != Parsed::kValue) return parsed;
  if (zone == Zone::kRequired && !whole.has_zone) return Misfit(reason, "has no time zone");
  if (zone == Zone::kUtcOrNone && whole.offset_seconds != 0) return Misfit(reason, "has a time zone that is not UTC");
  if (whole.midnight24) return Misfit(reason, "has the hour 24");
  constexpr std::string_view kTooFar = "is out of the range of timestamp";
  if (whole.days < -kMostDays || whole.days > kMostDays) return Misfit(reason, kTooFar);
  const __int128 value = static_cast<__int128>(whole.days) * kMicrosPerDay + whole.micros - whole.offset_seconds * std::int64_t{1'000'000};
  if (value < kFirstMicro || value > kLastMicro) return Misfit(reason, kTooFar);
  micros = static_cast<std::int64_t>(value);
  return Parsed::kValue;
}

}  // namespace nano::wire
