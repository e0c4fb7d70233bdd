// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What can be shown where the output goes: is it a terminal, how wide, with colour, with characters beyond ASCII.
/// Values; read once where a verb begins.

#include <cstddef>
#include <string>
#include <string_view>

namespace nano::app {

struct Terminal {
  bool interactive = false;    ///< a person sees it as it comes
  std::size_t width = 0;       ///< columns; 0: no limit
  bool colour = false;
  bool unicode = true;         ///< may draw lines and arrows; data are UTF-8 in any case

  /// Of a file descriptor. NO_COLOR and TERM=dumb switch colour off, COLUMNS overrides the width.
  static Terminal Of(int file_descriptor);

  std::string Bold(std::string_view text) const { return Wrap("1", text); }
  std::string Dim(std::string_view text) const { return Wrap("2", text); }
  std::string Red(std::string_view text) const { return Wrap("31;1", text); }
  std::string Green(std::string_view text) const { return Wrap("32", text); }
  std::string Yellow(std::string_view text) const { return Wrap("33", text); }

 private:
  std::string Wrap(std::string_view code, std::string_view text) const;
};

/// True where a person can be asked: stdin and stderr are terminals.
bool CanAsk();

}  // namespace nano::app
