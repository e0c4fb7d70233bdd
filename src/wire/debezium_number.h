// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Bytes and numbers as Debezium writes them: base64, hexadecimal, big-endian decimals of any length, bits. Pure.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/arena.h"

namespace nano::wire {

/// A JSON number, or one inside a JSON string; nothing where it is no whole one that fits.
template <class Number>
std::optional<Number> ReadNumber(std::string_view token) {
  Number number{};
  if (token.size() >= 2 && token.front() == '"') token = token.substr(1, token.size() - 2);
  const auto [at, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error != std::errc() || token.empty() || at != token.data() + token.size()) return std::nullopt;
  return number;
}

/// Of either alphabet (standard, URL-safe), padded. False: not base64.
bool DecodeBase64(std::string_view text, Arena& arena, std::string_view& out);
bool DecodeBase64(std::string_view text, std::string& out);
bool DecodeHex(std::string_view text, Arena& arena, std::string_view& out);

/// `\xdeadbeef`, as PostgreSQL writes a bytea.
std::string ByteaText(std::string_view bytes);

/// The longest decimal that PostgreSQL has is 147455 digits long.
constexpr std::size_t kLongestDecimalBytes = 61'440;

/// The integer in big-endian two's complement, its point moved `scale` digits to the left, as plain text: `-0.05`,
/// `1200` for scale -2. At most kLongestDecimalBytes bytes and |scale| up to 20000.
std::string DecimalText(std::string_view big_endian, std::int64_t scale);

/// `count` bits of a little-endian bit string, the highest first; fewer bytes mean zeros.
std::string BitsText(std::string_view little_endian, std::size_t count);
/// How many bits there are up to the highest that is set.
std::size_t BitsUsed(std::string_view little_endian);

/// As PostgreSQL writes a double: `1.5`, `1e-10`, `10000000000`, `NaN`, `-Infinity`.
std::string DoubleText(double value);
std::string FloatText(float value);

}  // namespace nano::wire
