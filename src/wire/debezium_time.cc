// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium_time.h"

#include <fmt/format.h>

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
