// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Numbers from text: integers and decimals exactly or not at all, floats as the nearest. JSON's spelling, and besides
/// a leading `+` or zeros, `.5`, `5.`, and NaN, Infinity, inf with a sign, in any case. Any length; no allocation
/// unless it is a misfit. Pure; any thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/parsed.h"

namespace nano::wire {

/// A number of at most `width` digits (1..38), `scale` of them after the point; `out` is unscaled. An exponent counts,
/// zeros after the last needed digit don't.
Parsed ReadDecimal(std::string_view text, int width, int scale, __int128& out, std::string& reason);

/// An integer; `1.0` and `1e3` are some too.
Parsed ReadInt(std::string_view text, std::int32_t& out, std::string& reason);
Parsed ReadBigint(std::string_view text, std::int64_t& out, std::string& reason);

/// The nearest one. A misfit where that would be infinity, or zero for what isn't zero.
Parsed ReadFloat(std::string_view text, float& out, std::string& reason);
/// The same, and a misfit where digits would be lost: a whole number of more than 15, any other of more than 17, is taken
/// only if the double, printed with as many digits, gives them again.
Parsed ReadDouble(std::string_view text, double& out, std::string& reason);

/// How many digits a number has before and after its point, without needless zeros: of 1e-18 0 and 18, of 1200 4 and 0.
struct Digits {
  std::int64_t before = 0, after = 0;
  bool power_of_ten = false;   ///< 1, 1000, 0.01
};
/// False: not a number.
bool CountDigits(std::string_view text, Digits& digits);

}  // namespace nano::wire
