// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium_time.h"

#include <fmt/format.h>

#include <limits>

#include "wire/moment.h"

namespace nano::wire {
namespace {

struct Civil {
  std::int64_t year;
  int month, day;
};

Civil CivilFromDays(std::int64_t days) {
  // Eras of 400 years, each beginning on a first of March.
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1)};
}

bool IsBc(std::int64_t year) { return year <= 0; }

std::string YearMonthDay(const Civil& civil) {
  return fmt::format("{:04}-{:02}-{:02}", IsBc(civil.year) ? 1 - civil.year : civil.year, civil.month, civil.day);
}

/// The parts of an ISO duration: whole numbers with a unit, seconds with a fraction.
struct Duration {
  std::int64_t years = 0, months = 0, days = 0, micros = 0;
};

bool ReadPart(std::string_view& text, std::int64_t& whole, std::int64_t& micros, char& unit) {
  constexpr std::int64_t kMost = 1'000'000'000'000;
  std::size_t at = 0;
  const bool minus = text.starts_with('-');
  if (minus) ++at;
  const std::size_t begin = at;
  whole = micros = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (whole > kMost) return false;
    whole = whole * 10 + (text[at] - '0');
  }
  if (at == begin) return false;
  if (at < text.size() && text[at] == '.') {
    std::int64_t place = 100'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, place /= 10) micros += place * (text[at] - '0');
  }
  if (at == text.size()) return false;
  unit = text[at];
  text.remove_prefix(at + 1);
  if (minus) {
    whole = -whole;
    micros = -micros;
  }
  return true;
}

bool ReadDuration(std::string_view text, Duration& out) {
  if (!text.starts_with('P')) return false;
  text.remove_prefix(1);
  bool time = false;
  while (!text.empty()) {
    if (!time && text.front() == 'T') {
      time = true;
      text.remove_prefix(1);
      continue;
    }
    std::int64_t whole = 0, micros = 0;
    char unit = 0;
    if (!ReadPart(text, whole, micros, unit)) return false;
    if (micros != 0 && unit != 'S') return false;
    if (!time && unit == 'Y') out.years = whole;
    else if (!time && unit == 'M') out.months = whole;
    else if (!time && unit == 'D') out.days = whole;
    else if (time && unit == 'H' && whole < 1'000'000'000 && whole > -1'000'000'000) out.micros += whole * 3'600'000'000;
    else if (time && unit == 'M' && whole < 1'000'000'000 && whole > -1'000'000'000) out.micros += whole * 60'000'000;
    else if (time && unit == 'S' && whole < 1'000'000'000 && whole > -1'000'000'000) out.micros += whole * 1'000'000 + micros;
    else return false;
  }
  return true;
}

}  // namespace

int InfinityOfDays(std::int64_t days) {
  // Of the snapshot (the driver's largest date, cut to 32 bits) and of the stream (2^31 days after 2000, wrapped).
  if (days == -622'191'234 || days == -2'147'472'692) return 1;
  if (days == -625'821'272 || days == -2'147'472'691) return -1;
  return 0;
}

int InfinityOfMicros(std::int64_t micros) {
  return micros == 9'223'372'036'825'200'000 ? 1 : micros == -9'223'372'036'832'400'000 ? -1 : 0;
}

int InfinityOfMillis(std::int64_t millis) {
  if (millis == 9'223'372'036'825'200 || millis == 9'223'372'036'825'200'000) return 1;
  if (millis == -9'223'372'036'832'400 || millis == -9'223'372'036'832'400'000) return -1;
  return 0;
}

int InfinityOfNanos(std::int64_t nanos) {
  using Limits = std::numeric_limits<std::int64_t>;
  return nanos == Limits::max() ? 1 : nanos == Limits::min() ? -1 : 0;
}

int InfinityOfIso(std::string_view text) {
  if (!text.starts_with('+') && !text.starts_with('-')) return 0;
  if (text == "+292278994-08-16Z" || text == "-5877611-06-21Z" || text == "+294247-01-10T04:00:25.2Z") return 1;
  if (text == "+292269055-12-02Z" || text == "-5877611-06-22Z" || text == "-290308-12-21T19:59:27.6Z") return -1;
  return 0;
}

std::string DateText(std::int64_t days) {
  const Civil civil = CivilFromDays(days);
  return YearMonthDay(civil) + (IsBc(civil.year) ? " BC" : "");
}

std::string TimeText(std::int64_t micros) {
  const std::int64_t seconds = micros / 1'000'000;
  std::string text = fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (const std::int64_t fraction = micros % 1'000'000; fraction != 0) {
    text += fmt::format(".{:06}", fraction);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

bool IntervalText(std::string_view iso, std::string& text) {
  Duration duration;
  if (!ReadDuration(iso, duration)) return false;
  text.clear();
  bool before = false;   // a part below zero came: one above it then says so
  const auto part = [&](std::int64_t count, std::string_view unit) {
    if (count == 0) return;
    text += fmt::format("{}{}{} {}{}", text.empty() ? "" : " ", before && count > 0 ? "+" : "", count, unit, count == 1 ? "" : "s");
    before = count < 0;
  };
  part(duration.years, "year");
  part(duration.months, "mon");
  part(duration.days, "day");
  if (duration.micros == 0 && !text.empty()) return true;
  if (!text.empty()) text += ' ';
  if (duration.micros < 0) text += '-';
  else if (before) text += '+';
  text += TimeText(duration.micros < 0 ? -duration.micros : duration.micros);
  return true;
}

std::string TimestampText(std::int64_t micros) {
  std::int64_t days = micros / kMicrosPerDay, rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  const Civil civil = CivilFromDays(days);
  return YearMonthDay(civil) + " " + TimeText(rest) + (IsBc(civil.year) ? " BC" : "");
}

}  // namespace nano::wire
