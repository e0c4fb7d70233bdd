// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Dates and times from text, exactly or not at all. No time zone is ever assumed. Pure; any thread.
///   date         2024-02-29; +12024-01-01; 0044-03-15 BC (or "(BC)"); -0043-03-15, which is the same day;
///                with a time of day if that is midnight, and with a zone if that is UTC
///   time         10:00, 10:00:00, 10:00:00.123456 (further digits if zero); with a zone if that is UTC
///   timestamp    a date, T or a space, a time as above; a date alone is its midnight; with a zone if that is UTC
///   timestamptz  the same, always with a zone: Z, +02, +0200, +02:00, +02:00:30
/// A zone's sign is + or -; BC stands last, or before the time in DuckDB's manner. infinity and -infinity, 24:00 and
/// 24:00:00 are handed on as such.

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/parsed.h"

namespace nano::wire {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar; year 0 is 1 BC.
constexpr std::int64_t DaysFromCivil(std::int64_t year, int month, int day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

Parsed ReadDate(std::string_view text, std::int32_t& days, std::string& reason);
Parsed ReadTime(std::string_view text, std::int64_t& micros, std::string& reason);

/// How a timestamp's text may say its zone.
enum class Zone : std::uint8_t { kUtcOrNone, kRequired };
Parsed ReadTimestamp(std::string_view text, Zone zone, std::int64_t& micros, std::string& reason);

}  // namespace nano::wire
