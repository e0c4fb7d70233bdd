// SPDX-License-Identifier: Apache-2.0
#include "app/display_text.h"

#include <fmt/format.h>
#include <locale.h>
#include <wchar.h>

#include <cstdint>

namespace nano::app {
namespace {

/// One character: its code point (negative: no UTF-8) and its bytes.
struct Character {
  std::int32_t code = -1;
  std::size_t bytes = 1;
};

Character Decode(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  std::size_t length = 0;
  std::int32_t code = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2, code = first & 0x1F;
  else if (first >= 0xE0 && first <= 0xEF) length = 3, code = first & 0x0F;
  else if (first >= 0xF0 && first <= 0xF4) length = 4, code = first & 0x07;
  if (length == 0 || text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return {};
    code = (code << 6) | (next & 0x3F);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length};
}

/// The C library's table of widths is for a UTF-8 locale only, so one is made whatever the user's is.
std::size_t WidthOf(std::int32_t code) {
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (code >= 0x20 && code < 0x7F) return 1;
  if (!utf8) return 1;
  const locale_t before = uselocale(utf8);
  const int width = wcwidth(static_cast<wchar_t>(code));
  uselocale(before);
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

bool Obeyed(std::int32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character c = Decode(text);
    width += c.code < 0 ? 1 : WidthOf(c.code);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = Decode(text);
    if (c.code < 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (c.code == '\n') {
      out += "\\n";
    } else if (c.code == '\r') {
      out += "\\r";
    } else if (c.code == '\t') {
      out += "\\t";
    } else if (Obeyed(c.code)) {
      out += c.code < 0x100 ? fmt::format("\\x{:02x}", c.code) : fmt::format("\\u{:04x}", c.code);
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string Clip(std::string_view text, std::size_t width, std::string_view mark) {
  std::size_t used = 0, kept = 0, room_for_mark = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const Character c = Decode(rest);
    const std::size_t columns = c.code < 0 ? 1 : WidthOf(c.code);
    if (used + columns > width) return std::string(text.substr(0, room_for_mark)) + (width > 0 ? std::string(mark) : "");
    used += columns;
    kept += c.bytes;
    if (used + 1 <= width) room_for_mark = kept;
    rest.remove_prefix(c.bytes);
  }
  return std::string(text);
}

}  // namespace nano::app
