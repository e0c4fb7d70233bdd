// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Debezium's dates and times, numbers since 1970, in PostgreSQL's own spelling. All days are of the proleptic
/// Gregorian calendar, as PostgreSQL's are; year 0 is 1 BC. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace nano::wire {

constexpr std::int64_t kFirstDay = -719'162;      ///< 0001-01-01
constexpr std::int64_t kLastDay = 2'932'896;      ///< 9999-12-31

/// What the numbers of Debezium mean that stand for PostgreSQL's infinity. +1, -1, or 0 for a plain number.
int InfinityOfDays(std::int64_t days);
int InfinityOfMicros(std::int64_t micros);
int InfinityOfMillis(std::int64_t millis);
int InfinityOfNanos(std::int64_t nanos);
/// The same of ISO dates and timestamps.
int InfinityOfIso(std::string_view text);

/// `2024-02-29`, `0044-03-15 BC`. For any number that fits 40 bits.
std::string DateText(std::int64_t days);
/// `12:34:56.789`, of 0 up to and including 24:00.
std::string TimeText(std::int64_t micros);
/// PostgreSQL's `1 year 2 mons 3 days 04:05:06.789` of `P1Y2M3DT4H5M6.789S`. False: not of that form.
bool IntervalText(std::string_view iso, std::string& text);
/// `2024-02-29 12:34:56.789`, `0044-03-15 00:00:00 BC`
std::string TimestampText(std::int64_t micros);

}  // namespace nano::wire
