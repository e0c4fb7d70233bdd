// SPDX-License-Identifier: Apache-2.0
#include "app/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>

namespace nano::app {
namespace {

std::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::string_view(value) : std::string_view();
}

/// As POSIX says: LC_ALL, then LC_CTYPE, then LANG. Where none is set (containers), UTF-8 is what is there.
bool SpeaksUnicode() {
  std::string_view locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    locale = Environment(name);
    if (!locale.empty()) break;
  }
  if (locale.empty()) return true;
  std::string lower;
  for (const char c : locale)
    if (c != '-') lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower.find("utf8") != std::string::npos;
}

}  // namespace

Terminal Terminal::Of(int file_descriptor) {
  Terminal out;
  out.interactive = isatty(file_descriptor) == 1;
  out.unicode = SpeaksUnicode();
  if (!out.interactive) return out;
  out.colour = Environment("NO_COLOR").empty() && Environment("TERM") != "dumb";
  winsize size{};
  out.width = ioctl(file_descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  const std::string_view columns = Environment("COLUMNS");
  std::size_t asked = 0;
  if (std::from_chars(columns.data(), columns.data() + columns.size(), asked).ec == std::errc() && asked > 0) out.width = asked;
  return out;
}

std::string Terminal::Wrap(std::string_view code, std::string_view text) const {
  if (!colour) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

bool CanAsk() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

}  // namespace nano::app
