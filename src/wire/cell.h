// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One value of a column, exact and typed, and how it is read from a JSON token or from text. What spellings each type
/// takes is a table (docs/reference/types.md): a value that the type can't hold exactly is a misfit, never bent.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/data_type.h"

namespace nano::wire {

using Int128 = __int128;

/// The value's field is chosen by the column's DataType:
///   boolean: boolean; int, date (days since 1970): i32; bigint, time, timestamp, timestamptz (µs): i64;
///   decimal: i128, the unscaled value; float: f32; double: f64; uuid: i128 (big-endian bits, as written);
///   string, json, binary (bytes): text; list: children; struct: children, one a field; map: children, key and value
///   by turns.
struct Cell {
  enum class Kind : std::uint8_t {
    kAbsent,      ///< the record has no such field
    kNull,
    kValue,
    kUnchanged,   ///< the source did not send it, as it had not changed (TOAST): the row's present value stays
  };
  Kind kind = Kind::kAbsent;
  union {
    bool boolean;
    std::int32_t i32;
    std::int64_t i64;
    Int128 i128 = 0;
    float f32;
    double f64;
  };
  std::string_view text;
  std::span<Cell> children;
};

/// What becomes of infinity, NaN and 24:00 where the type has none (special_values in the language).
enum class Special : std::uint8_t { kQuarantine, kNull, kClamp };

/// Reads one JSON token (`12.50`, `"2024-01-01"`, `true`, `null`, `[1,2]`, also `NaN` and `Infinity`) as `type`.
/// The token must be valid JSON but for these, and valid UTF-8. Text that is unescaped lives in `arena`, other text in
/// the token. False: a misfit; `reason` says why in a few words, without the value ("has 3 digits after the point, the
/// column 2").
bool ReadJson(const DataType& type, std::string_view token, Special special, Arena& arena, Cell& out, std::string& reason);

/// The same from bare text, as inside a JSON string: `12.50`, `2024-01-01 10:00:00+02`, `t`.
bool ReadText(const DataType& type, std::string_view text, Special special, Arena& arena, Cell& out, std::string& reason);

/// The text inside a JSON string token (quotes included in `token`). False: a bad escape or a lone surrogate.
bool Unescape(std::string_view token, Arena& arena, std::string_view& out);
/// `text` as a JSON string, with its quotes.
std::string Escape(std::string_view text);

}  // namespace nano::wire
