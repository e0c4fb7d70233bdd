// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "wire/hex.h"

namespace nano::wire {
namespace {

constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> Base64Digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  digits['+'] = digits['-'] = 62;
  digits['/'] = digits['_'] = 63;
  return digits;
}
constexpr auto kBase64Digits = Base64Digits();

std::uint32_t Base64Digit(char c) { return kBase64Digits[static_cast<unsigned char>(c)]; }

/// Room for text.size() / 4 * 3 bytes at `to`. Gives back where they end; nullptr: not base64.
char* DecodeBase64To(std::string_view text, char* to) {
  const std::size_t whole = text.size();
  if (whole % 4 != 0) return nullptr;
  while (!text.empty() && text.back() == '=' && whole - text.size() < 2) text.remove_suffix(1);
  std::size_t at = 0;
  for (; at + 4 <= text.size(); at += 4) {
    const std::uint32_t a = Base64Digit(text[at]), b = Base64Digit(text[at + 1]), c = Base64Digit(text[at + 2]),
                        d = Base64Digit(text[at + 3]);
    if ((a | b | c | d) == kNoDigit) return nullptr;
    const std::uint32_t three = a << 18 | b << 12 | c << 6 | d;
    *to++ = static_cast<char>(three >> 16);
    *to++ = static_cast<char>(three >> 8);
    *to++ = static_cast<char>(three);
  }
  if (const std::size_t left = text.size() - at; left != 0) {
    const std::uint32_t a = Base64Digit(text[at]), b = Base64Digit(text[at + 1]), c = left == 3 ? Base64Digit(text[at + 2]) : 0;
    if ((a | b | c) == kNoDigit) return nullptr;
    const std::uint32_t three = a << 18 | b << 12 | c << 6;
    if ((three & (left == 3 ? 0xFFu : 0xFFFFu)) != 0) return nullptr;
    *to++ = static_cast<char>(three >> 16);
    if (left == 3) *to++ = static_cast<char>(three >> 8);
  }
  return to;
}

/// PostgreSQL's layout of the shortest digits: plain from 1e-4 up to 15 digits, else with an exponent of two digits.
template <class Real>
std::string RealText(Real value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const std::size_t e = text.find('e');
  int exponent = 0;
  const std::string_view exponent_text = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  constexpr int kPlainDigits = sizeof(Real) == 8 ? 15 : 6;
  if (exponent < -4 || exponent >= kPlainDigits) return std::string(text);
  const auto plain = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  return {buffer, plain};
}

}  // namespace

bool DecodeBase64(std::string_view text, Arena& arena, std::string_view& out) {
  char* const bytes = arena.Allocate(text.size() / 4 * 3 + 1);
  const char* const end = DecodeBase64To(text, bytes);
  if (end == nullptr) return false;
  out = {bytes, static_cast<std::size_t>(end - bytes)};
  return true;
}

bool DecodeBase64(std::string_view text, std::string& out) {
  out.resize(text.size() / 4 * 3);
  const char* const end = DecodeBase64To(text, out.data());
  if (end == nullptr) return false;
  out.resize(static_cast<std::size_t>(end - out.data()));
  return true;
}

bool DecodeHex(std::string_view text, Arena& arena, std::string_view& out) {
  if (text.size() % 2 != 0) return false;
  char* const bytes = arena.Allocate(text.size() / 2 + 1);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i / 2] = static_cast<char>(high * 16 + low);
  }
  out = {bytes, text.size() / 2};
  return true;
}

std::string ByteaText(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\\x";
  text.reserve(2 + bytes.size() * 2);
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string DecimalText(std::string_view big_endian, std::int64_t scale) {
  const bool negative = !big_endian.empty() && (big_endian.front() & 0x80) != 0;
  // The absolute value in words of 32 bits, the lowest first.
  std::vector<std::uint32_t> words((big_endian.size() + 3) / 4, 0);
  std::uint32_t carry = negative ? 1 : 0;
  for (std::size_t i = 0; i < big_endian.size(); ++i) {
    std::uint32_t byte = static_cast<unsigned char>(big_endian[big_endian.size() - 1 - i]);
    if (negative) {
      byte = (~byte & 0xFF) + carry;
      carry = byte >> 8;
      byte &= 0xFF;
    }
    words[i / 4] |= byte << (i % 4 * 8);
  }
  std::string digits;   // the lowest first
  while (!words.empty() && words.back() == 0) words.pop_back();
  constexpr std::uint64_t kChunk = 1'000'000'000;
  while (!words.empty()) {
    std::uint64_t rest = 0;
    for (std::size_t i = words.size(); i-- > 0;) {
      const std::uint64_t part = rest << 32 | words[i];
      words[i] = static_cast<std::uint32_t>(part / kChunk);
      rest = part % kChunk;
    }
    while (!words.empty() && words.back() == 0) words.pop_back();
    for (int i = 0; i < 9 && (rest != 0 || !words.empty()); ++i, rest /= 10) digits += static_cast<char>('0' + rest % 10);
  }
  if (scale < 0 && !digits.empty()) digits.insert(0, static_cast<std::size_t>(-scale), '0');
  const std::size_t point = scale > 0 ? static_cast<std::size_t>(scale) : 0;
  while (digits.size() <= point) digits += '0';
  std::string text = negative ? "-" : "";
  for (std::size_t i = digits.size(); i-- > 0;) {
    text += digits[i];
    if (i == point && i != 0) text += '.';
  }
  return text;
}

std::string BitsText(std::string_view little_endian, std::size_t count) {
  std::string text(count, '0');
  for (std::size_t i = 0; i < count && i / 8 < little_endian.size(); ++i)
    if ((static_cast<unsigned char>(little_endian[i / 8]) >> (i % 8) & 1) != 0) text[count - 1 - i] = '1';
  return text;
}

std::size_t BitsUsed(std::string_view little_endian) {
  std::size_t count = little_endian.size() * 8;
  while (count > 0 && (static_cast<unsigned char>(little_endian[(count - 1) / 8]) >> ((count - 1) % 8) & 1) == 0) --count;
  return count;
}

std::string DoubleText(double value) { return RealText(value); }
std::string FloatText(float value) { return RealText(value); }

}  // namespace nano::wire
