// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Text as a terminal shows it: how many columns it takes, cut to a width, and with nothing in it that a terminal
/// would obey. Pure functions.

#include <cstddef>
#include <string>
#include <string_view>

namespace nano::app {

/// How many columns the text takes: wide characters two, combining ones none.
std::size_t DisplayWidth(std::string_view text);

/// Control characters as `\n`, `\t`, `\x1b`; bytes that are no UTF-8 as `\xff`; the rest as it is.
std::string Printable(std::string_view text);

/// At most `width` columns of printable text; `mark` (one column) ends what was cut.
std::string Clip(std::string_view text, std::size_t width, std::string_view mark);

}  // namespace nano::app
