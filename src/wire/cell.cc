// SPDX-License-Identifier: Apache-2.0
#include "wire/cell.h"

#include "wire/hex.h"
#include "wire/json_scan.h"
#include "wire/moment.h"
#include "wire/number.h"

// What each type takes. "Text" is the inside of a JSON string as well as bare text; what isn't here is a misfit, and so
// is an empty text for all but string. null is NULL for every type.
//
//   type         JSON                                   text
//   boolean      true, false                            true, false, t, f in any case
//   int, bigint  a number without a fraction: 12,       the same, also +12 and 012
//                12.0, 1.2e1
//   decimal      a number whose digits fit              the same, also .5 and 5.
//   float,       a number, taken as the nearest (of a   the same; NaN, Infinity, inf, -Infinity in any case
//   double       double's: if it keeps the digits, see
//                wire/number.h); NaN, Infinity, -Infinity
//   string       a string; of anything else its token,  as it is
//                as written
//   binary       -                                      \x and hex digits, as PostgreSQL writes it
//   uuid         -                                      8-4-4-4-12 or 32 hex digits in any case
//   date, time,  -                                      wire/moment.h
//   timestamp, timestamptz
//   json         any value, kept as written             JSON, kept as written
//   list         an array                               -
//   struct       an object; a field that is not there   -
//                is NULL, one too many a misfit; of a
//                repeated one the last counts
//   map          an object; its names are read as text  -
//                of the key's type, the last of equal
//                keys counts
//
// What special_values says about:                       quarantine    null     clamp
//   NaN of int, bigint, decimal; a bare NaN elsewhere   misfit        NULL     misfit: it lies at neither end
//   infinity of int, bigint, decimal                    misfit        NULL     the type's last or first value
//   infinity of date, timestamp, timestamptz            misfit        NULL     9999-12-31 (23:59:59.999999), 0001-01-01
//   24:00 of time                                       misfit        NULL     23:59:59.999999

namespace nano::wire {
namespace {

constexpr int kDeepest = 64;

bool Misfit(std::string& reason, std::string_view why) {
  reason.assign(why);
  return false;
}

void Set(Cell& out, Cell::Kind kind) {
  out.kind = kind;
  out.text = {};
  out.children = {};
}

/// What `special_values` makes of a value that its type doesn't have.
bool Settle(const DataType& type, Parsed parsed, Special special, Cell& out, std::string& reason) {
  if (special == Special::kNull) {
    Set(out, Cell::Kind::kNull);
    return true;
  }
  const bool high = parsed == Parsed::kInfinity;
  if (special == Special::kClamp && parsed != Parsed::kNan) {
    constexpr std::int32_t kFirst = DaysFromCivil(1, 1, 1), kLast = DaysFromCivil(9999, 12, 31);
    switch (type.kind) {
      case TypeKind::kInt: out.i32 = high ? INT32_MAX : INT32_MIN; return true;
      case TypeKind::kBigint: out.i64 = high ? INT64_MAX : INT64_MIN; return true;
      case TypeKind::kDecimal: {
        Int128 most = 1;
        for (int i = 0; i < type.width; ++i) most *= 10;
        out.i128 = high ? most - 1 : 1 - most;
        return true;
      }
      case TypeKind::kDate: out.i32 = high ? kLast : kFirst; return true;
      case TypeKind::kTime: out.i64 = kMicrosPerDay - 1; return true;
      case TypeKind::kTimestamp:
      case TypeKind::kTimestamptz: out.i64 = high ? (kLast + 1) * kMicrosPerDay - 1 : kFirst * kMicrosPerDay; return true;
      default: break;
    }
  }
  switch (parsed) {
    case Parsed::kNan: return Misfit(reason, "is NaN");
    case Parsed::kMidnight: return Misfit(reason, "is 24:00");
    default: return Misfit(reason, "is infinity");
  }
}

bool Settled(const DataType& type, Parsed parsed, Special special, Cell& out, std::string& reason) {
  if (parsed == Parsed::kValue) [[likely]] return true;
  return parsed != Parsed::kMisfit && Settle(type, parsed, special, out, reason);
}

template <class T>
bool Nearest(Parsed parsed, T& out) {
  switch (parsed) {
    case Parsed::kNan: out = std::numeric_limits<T>::quiet_NaN(); return true;
    case Parsed::kInfinity: out = std::numeric_limits<T>::infinity(); return true;
    case Parsed::kMinusInfinity: out = -std::numeric_limits<T>::infinity(); return true;
    default: return parsed == Parsed::kValue;
  }
}

/// The words are in lower case.
bool IsWord(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((text[i] | 0x20) != word[i]) return false;
  }
  return true;
}

bool ReadBoolean(std::string_view text, bool& out, std::string& reason) {
  if (IsWord(text, "true") || IsWord(text, "t")) out = true;
  else if (IsWord(text, "false") || IsWord(text, "f")) out = false;
  else return Misfit(reason, text.empty() ? "is empty" : "is neither true nor false");
  return true;
}

bool ReadUuid(std::string_view text, Int128& out, std::string& reason) {
  constexpr std::string_view kNone = "is not a UUID";
  const bool dashes = text.size() == 36;
  if (!dashes && text.size() != 32) return Misfit(reason, text.empty() ? "is empty" : kNone);
  unsigned __int128 value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i] != '-') return Misfit(reason, kNone);
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return Misfit(reason, kNone);
    value = value << 4 | static_cast<unsigned>(digit);
  }
  out = static_cast<Int128>(value);
  return true;
}

bool ReadBinary(std::string_view text, Arena& arena, std::string_view& out, std::string& reason) {
  constexpr std::string_view kNone = "is not hex digits after \\x";
  if (!text.starts_with("\\x")) return Misfit(reason, text.empty() ? "is empty" : kNone);
  const std::string_view digits = text.substr(2);
  if (digits.size() % 2 != 0) return Misfit(reason, kNone);
  const std::size_t size = digits.size() / 2;
  char* const bytes = arena.Allocate(size);
  for (std::size_t i = 0; i < size; ++i) {
    const int high = HexDigit(digits[2 * i]), low = HexDigit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return Misfit(reason, kNone);
    bytes[i] = static_cast<char>(high << 4 | low);
  }
  out = {bytes, size};
  return true;
}

std::string_view Named(TypeKind kind) {
  switch (kind) {
    case TypeKind::kList: return "is not an array";
    case TypeKind::kStruct:
    case TypeKind::kMap: return "is not an object";
    default: return "is not text";
  }
}

bool ReadToken(const DataType& type, std::string_view token, Special special, Arena& arena, Cell& out, std::string& reason,
               int depth);

/// Cells that grow in the arena; what is left behind is at most as much as stays.
class Cells {
 public:
  explicit Cells(Arena& arena) : arena_(arena) {}
  Cell& Add() {
    if (size_ == cells_.size()) {
      const std::span<Cell> more = arena_.Array<Cell>(cells_.empty() ? 8 : cells_.size() * 2);
      std::copy(cells_.begin(), cells_.end(), more.begin());
      cells_ = more;
    }
    return cells_[size_++];
  }
  std::span<Cell> all() const { return cells_.first(size_); }

 private:
  Arena& arena_;
  std::span<Cell> cells_;
  std::size_t size_ = 0;
};

bool ReadList(const DataType& type, std::string_view token, Special special, Arena& arena, Cell& out, std::string& reason,
              int depth) {
  ArrayScanner elements(token);
  Cells cells(arena);
  std::string_view element;
  std::size_t count = 0;
  for (; elements.Next(element); ++count) {
    if (!ReadToken(type.children[0], element, special, arena, cells.Add(), reason, depth + 1)) {
      reason = fmt::format("element {} {}", count + 1, reason);
      return false;
    }
  }
  if (!elements.complete() || !elements.rest().empty()) return Misfit(reason, "is not an array");
  out.children = cells.all();
  return true;
}

bool ReadStruct(const DataType& type, std::string_view token, Special special, Arena& arena, Cell& out, std::string& reason,
                int depth) {
  ObjectScanner members(token);
  const std::span<Cell> cells = arena.Array<Cell>(type.children.size());
  for (Cell& cell : cells) cell.kind = Cell::Kind::kNull;
  std::string_view key, value;
  std::size_t guess = 0;
  while (members.Next(key, value)) {
    std::string_view name;
    if (!Unescape(key, arena, name)) return Misfit(reason, "has a name with half of a surrogate pair");
    if (guess >= type.names.size() || type.names[guess] != name) {
      guess = static_cast<std::size_t>(std::find(type.names.begin(), type.names.end(), name) - type.names.begin());
    }
    if (guess == type.names.size()) {
      reason = fmt::format("has a field \"{}\" that the column's struct lacks", name);
      return false;
    }
    if (!ReadToken(type.children[guess], value, special, arena, cells[guess], reason, depth + 1)) {
      reason = fmt::format("field \"{}\" {}", name, reason);
      return false;
    }
    ++guess;
  }
  if (!members.complete() || !members.rest().empty()) return Misfit(reason, "is not an object");
  out.children = cells;
  return true;
}

/// An order of a map's keys in which equal ones are neighbours.
int Compare(TypeKind kind, const Cell& a, const Cell& b) {
  const auto order = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  const auto order_float = [&](auto x, auto y) { return std::isnan(x) || std::isnan(y) ? order(std::isnan(x), std::isnan(y)) : order(x, y); };
  switch (kind) {
    case TypeKind::kBoolean: return order(a.boolean, b.boolean);
    case TypeKind::kInt:
    case TypeKind::kDate: return order(a.i32, b.i32);
    case TypeKind::kBigint:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz: return order(a.i64, b.i64);
    case TypeKind::kDecimal:
    case TypeKind::kUuid: return order(a.i128, b.i128);
    case TypeKind::kFloat: return order_float(a.f32, b.f32);
    case TypeKind::kDouble: return order_float(a.f64, b.f64);
    default: return order(a.text, b.text);
  }
}

/// Leaves of equal keys the last, in the order of the first.
std::span<Cell> DropRepeated(TypeKind key, std::span<Cell> cells) {
  const std::size_t count = cells.size() / 2;
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = Compare(key, cells[2 * a], cells[2 * b]);
    return compared != 0 ? compared < 0 : a < b;
  });
  bool repeated = false;
  for (std::size_t i = 0, j; i < count; i = j) {
    for (j = i + 1; j < count && Compare(key, cells[2 * order[i]], cells[2 * order[j]]) == 0; ++j) {
      cells[2 * order[j]].kind = Cell::Kind::kAbsent;
      cells[2 * order[i] + 1] = cells[2 * order[j] + 1];
      repeated = true;
    }
  }
  if (!repeated) return cells;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (cells[2 * i].kind == Cell::Kind::kAbsent) continue;
    cells[2 * kept] = cells[2 * i];
    cells[2 * kept + 1] = cells[2 * i + 1];
    ++kept;
  }
  return cells.first(2 * kept);
}

bool ReadMap(const DataType& type, std::string_view token, Special special, Arena& arena, Cell& out, std::string& reason,
             int depth) {
  ObjectScanner members(token);
  Cells cells(arena);
  std::string_view key, value;
  while (members.Next(key, value)) {
    std::string_view name;
    if (!Unescape(key, arena, name)) return Misfit(reason, "has a name with half of a surrogate pair");
    Cell& key_cell = cells.Add();
    if (!ReadText(type.children[0], name, special, arena, key_cell, reason)) {
      reason = "a key " + reason;
      return false;
    }
    if (key_cell.kind != Cell::Kind::kValue) return Misfit(reason, "a key is NULL");
    if (!ReadToken(type.children[1], value, special, arena, cells.Add(), reason, depth + 1)) {
      reason = "the value of a key " + reason;
      return false;
    }
  }
  if (!members.complete() || !members.rest().empty()) return Misfit(reason, "is not an object");
  out.children = cells.all().size() > 2 ? DropRepeated(type.children[0].kind, cells.all()) : cells.all();
  return true;
}

bool ReadToken(const DataType& type, std::string_view token, Special special, Arena& arena, Cell& out, std::string& reason,
               int depth) {
  Set(out, Cell::Kind::kValue);
  if (token.empty()) [[unlikely]] return Misfit(reason, "is not JSON");
  const char first = token.front();
  if (first == 'n' && token == "null") {
    out.kind = Cell::Kind::kNull;
    return true;
  }
  if (type.kind == TypeKind::kJson) {
    out.text = token;
    if (IsJson(token, Bare::kRefused)) return true;
    return token == "NaN" && special == Special::kNull ? Settle(type, Parsed::kNan, special, out, reason)
                                                       : Misfit(reason, "is not JSON");
  }
  if (first == '"') {
    if (type.nested()) return Misfit(reason, Named(type.kind));
    std::string_view text;
    if (!Unescape(token, arena, text)) return Misfit(reason, "has half of a surrogate pair");
    return ReadText(type, text, special, arena, out, reason);
  }
  switch (type.kind) {
    case TypeKind::kString: out.text = token; return true;
    case TypeKind::kBoolean:
      if (token == "true" || token == "false") {
        out.boolean = first == 't';
        return true;
      }
      break;
    case TypeKind::kInt: return Settled(type, ReadInt(token, out.i32, reason), special, out, reason);
    case TypeKind::kBigint: return Settled(type, ReadBigint(token, out.i64, reason), special, out, reason);
    case TypeKind::kDecimal: return Settled(type, ReadDecimal(token, type.width, type.scale, out.i128, reason), special, out, reason);
    case TypeKind::kFloat: return Nearest(ReadFloat(token, out.f32, reason), out.f32);
    case TypeKind::kDouble: return Nearest(ReadDouble(token, out.f64, reason), out.f64);
    case TypeKind::kList:
      if (first != '[') break;
      return depth < kDeepest ? ReadList(type, token, special, arena, out, reason, depth) : Misfit(reason, "is nested too deeply");
    case TypeKind::kStruct:
      if (first != '{') break;
      return depth < kDeepest ? ReadStruct(type, token, special, arena, out, reason, depth) : Misfit(reason, "is nested too deeply");
    case TypeKind::kMap:
      if (first != '{') break;
      return depth < kDeepest ? ReadMap(type, token, special, arena, out, reason, depth) : Misfit(reason, "is nested too deeply");
    default: break;
  }
  if (token == "NaN") return Settle(type, Parsed::kNan, special, out, reason);
  return Misfit(reason, type.kind == TypeKind::kBoolean ? "is neither true nor false" : Named(type.kind));
}

}  // namespace

bool ReadJson(const DataType& type, std::string_view token, Special special, Arena& arena, Cell& out, std::string& reason) {
  if (ReadToken(type, token, special, arena, out, reason, 0)) [[likely]] return true;
  Set(out, Cell::Kind::kNull);
  return false;
}

bool ReadText(const DataType& type, std::string_view text, Special special, Arena& arena, Cell& out, std::string& reason) {
  Set(out, Cell::Kind::kValue);
  switch (type.kind) {
    case TypeKind::kBoolean: return ReadBoolean(text, out.boolean, reason);
    case TypeKind::kInt: return Settled(type, ReadInt(text, out.i32, reason), special, out, reason);
    case TypeKind::kBigint: return Settled(type, ReadBigint(text, out.i64, reason), special, out, reason);
    case TypeKind::kDecimal: return Settled(type, ReadDecimal(text, type.width, type.scale, out.i128, reason), special, out, reason);
    case TypeKind::kFloat: return Nearest(ReadFloat(text, out.f32, reason), out.f32);
    case TypeKind::kDouble: return Nearest(ReadDouble(text, out.f64, reason), out.f64);
    case TypeKind::kString: out.text = text; return true;
    case TypeKind::kBinary: return ReadBinary(text, arena, out.text, reason);
    case TypeKind::kUuid: return ReadUuid(text, out.i128, reason);
    case TypeKind::kDate: return Settled(type, ReadDate(text, out.i32, reason), special, out, reason);
    case TypeKind::kTime: return Settled(type, ReadTime(text, out.i64, reason), special, out, reason);
    case TypeKind::kTimestamp:
      return Settled(type, ReadTimestamp(text, Zone::kUtcOrNone, out.i64, reason), special, out, reason);
    case TypeKind::kTimestamptz:
      return Settled(type, ReadTimestamp(text, Zone::kRequired, out.i64, reason), special, out, reason);
    case TypeKind::kJson: out.text = text; return IsJson(text, Bare::kRefused) || Misfit(reason, text.empty() ? "is empty" : "is not JSON");
    case TypeKind::kList:
    case TypeKind::kStruct:
    case TypeKind::kMap: break;
  }
  return Misfit(reason, Named(type.kind));
}

}  // namespace nano::wire
