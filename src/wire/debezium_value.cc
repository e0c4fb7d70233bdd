// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <limits>

#include "wire/debezium.h"
#include "wire/debezium_document.h"
#include "wire/debezium_form.h"
#include "wire/debezium_number.h"
#include "wire/debezium_time.h"
#include "wire/json_token.h"
#include "wire/moment.h"
#include "wire/postgres_value.h"

namespace nano::wire {
namespace {

using enum DebeziumForm;

// What stands for a value that was not sent: as text; in a bytea in base64 or hexadecimal.
constexpr std::string_view kUnsent = "\"__debezium_unavailable_value\"";
constexpr std::string_view kUnsentBase64 = "\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"";
// In an hstore as JSON, and as a map.
constexpr std::string_view kUnsentHstore = R"("{\"__debezium_unavailable_value\":\"__debezium_unavailable_value\"}")";
// In an array of uuid: the name-based UUID of that text.
constexpr std::string_view kUnsentUuid = "\"b68a35a7-17ad-35b3-af2a-ae46edb4545a\"";
constexpr std::string_view kUnsentHex = "\"5f5f646562657a69756d5f756e617661696c61626c655f76616c7565\"";

constexpr int kDeepestValue = 64;

/// What can't be told apart without a schema, and how to tell it.
constexpr std::string_view kAmbiguousTimestamp =
    "may be milliseconds or microseconds: write `source_type: timestamp(3)` or `source_type: timestamp(6)`";
constexpr std::string_view kAmbiguousTime = "may be milliseconds or microseconds: write `source_type: time(3)` or `source_type: time(6)`";
constexpr std::string_view kNoZone = "has no time zone: it is a timestamp, no timestamptz";
constexpr std::string_view kAmbiguousBytes = "may be base64 or hexadecimal: write `source_type: base64` or `source_type: hex`";

/// A token that is a plain integer of 64 bits.
bool ReadInteger(std::string_view token, std::int64_t& number) {
  if (token.empty()) return false;
  const auto [at, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  return error == std::errc() && at == token.data() + token.size();
}

class Reader {
 public:
  Reader(Special special, Arena& arena, std::string& reason) : special_(special), arena_(arena), reason_(reason) {}

  bool Read(const DataType& type, std::string_view token, const ConnectSchema* schema, std::string_view source_type, int depth,
            Cell& out) {
    if (token.empty() || depth > kDeepestValue) return Misfit("is no value");
    if (IsNull(token)) {
      out.kind = Cell::Kind::kNull;
      return true;
    }
    if (schema != nullptr && schema->form == kPostgres) return ReadPostgres(type, token, *schema, special_, arena_, out, reason_);
    const FormOfValue form = Form(schema, source_type);
    if (depth == 0 && Unsent(type, token, form.form)) {
      if (!As(form, type, token, schema, source_type, depth, out)) out = Cell{};
      out.kind = Cell::Kind::kUnchanged;
      return true;
    }
    return As(form, type, token, schema, source_type, depth, out);
  }

 private:
  enum class Unit : std::uint8_t { kMilli, kMicro, kNano };

  bool As(const FormOfValue& form, const DataType& type, std::string_view token, const ConnectSchema* schema, std::string_view source_type,
          int depth, Cell& out) {
    switch (form.form) {
      case kUnknown: return Unknown(type, token, source_type, depth, out);
      case kBoolean: case kInteger: return Plain(type, token, out);
      case kReal: return Real(type, token, schema, out);
      case kText: return Text(type, token, out);
      case kBytes: case kBase64: return Bytes(type, token, out);
      case kBytesText: return BytesText(type, token, out);
      case kHex: return Hex(type, token, out);
      case kDecimal: return Decimal(type, token, form.number, out);
      case kVariableDecimal: return VariableDecimal(type, token, out);
      case kNumeric: return Numeric(type, token, out);
      case kDays: return Days(type, token, out);
      case kTimeMillis: return Time(type, token, Unit::kMilli, out);
      case kTimeMicros: return Time(type, token, Unit::kMicro, out);
      case kTimeNanos: return Time(type, token, Unit::kNano, out);
      case kTimestampMillis: return Timestamp(type, token, Unit::kMilli, out);
      case kTimestampMicros: return Timestamp(type, token, Unit::kMicro, out);
      case kTimestampNanos: return Timestamp(type, token, Unit::kNano, out);
      case kZonedTimestamp: case kZonedTime: return Text(type, token, out);
      case kIsoDate: case kIsoTime: case kIsoTimestamp: return Iso(type, token, out);
      case kInterval: return Interval(type, token, out);
      case kDuration: return IsString(token) ? Text(type, token, out) : Plain(type, token, out);
      case kBit: return Bit(type, token, out);
      case kBits: return Bits(type, token, form.number, out);
      case kVarBits: return Bits(type, token, 0, out);
      case kJson: return Json(type, token, schema, source_type, depth, out);
      case kHstore: return Hstore(type, token, schema, depth, out);
      case kPoint: case kGeometry: return Geometry(type, token, schema, form.form, depth, out);
      case kBson: return Bson(type, token, schema, source_type, depth, out);
      case kPostgres: return ReadPostgres(type, token, *schema, special_, arena_, out, reason_);
      case kList: case kMap: case kStruct: return Nested(type, token, schema, source_type, depth, out);
    }
    return Misfit("is no value");
  }

  bool Misfit(std::string_view why) {
    reason_.assign(why);
    return false;
  }

  /// The schema's word counts; where it only says "string" or "int64", the contract's says more.
  static FormOfValue Form(const ConnectSchema* schema, std::string_view source_type) {
    if (schema == nullptr) return FormOfSourceType(source_type);
    if (source_type.empty()) return {schema->form, schema->number};
    const FormOfValue told = FormOfSourceType(source_type);
    switch (schema->form) {
      case kText:
        // Text that is bytes is in base64 or hexadecimal: `bytea` does not say in which.
        if (told.form == kBytes) return {kBytesText, 0};
        if (told.form == kBase64) return {kBytes, 0};
        if (told.form == kHex || told.form == kNumeric || told.form == kJson || told.form == kHstore) return told;
        break;
      case kInteger:
        if (told.form >= kDays && told.form <= kTimestampNanos) return told;
        break;
      case kBoolean:
        if (told.form == kBit) return told;
        break;
      case kBits:
        if (told.form == kVarBits) return told;
        break;
      case kJson:
        if (told.form == kHstore) return told;
        break;
      case kMap:
        if (told.form == kHstore) return told;
        break;
      default: break;
    }
    return {schema->form, schema->number};
  }

  static bool Unsent(const DataType& type, std::string_view token, DebeziumForm form) {
    if (token.front() == '"') {
      if (token.size() == kUnsent.size()) return token == kUnsent;
      if (token.size() == kUnsentHstore.size()) return token == kUnsentHstore;
      if (token.size() == kUnsentBase64.size()) return MayBeBytes(type, form) && token == kUnsentBase64;
      if (token.size() == kUnsentHex.size()) return MayBeBytes(type, form) && token == kUnsentHex;
      return false;
    }
    if (token.front() == '[') return UnsentList(token);
    if (token.front() == '{') return UnsentMap(token);
    return false;
  }
  static bool MayBeBytes(const DataType& type, DebeziumForm form) {
    return type.kind == TypeKind::kBinary || form == kUnknown || form == kText || form == kHex || form == kBytes ||
           form == kBase64 || form == kBytesText;
  }
  /// An array of that one text; of numbers, the text's bytes.
  static bool UnsentList(std::string_view token) {
    if (token.size() > 256) return false;
    JsonArray items(token);
    std::string_view item;
    if (!items.Next(item)) return false;
    if (item == kUnsent || item == kUnsentBase64 || item == kUnsentUuid) return !items.Next(item);
    const std::string_view text = Inside(kUnsent);
    for (std::size_t i = 0;; ++i) {
      std::int64_t number = 0;
      if (i == text.size() || !ReadInteger(item, number) || number != text[i]) return false;
      if (!items.Next(item)) return i + 1 == text.size();
    }
  }
  /// A map from that text to that text.
  static bool UnsentMap(std::string_view token) {
    if (token.size() > 256) return false;
    JsonObject members(token);
    std::string_view name, value;
    return members.Next(name, value) && name == kUnsent && value == kUnsent && !members.Next(name, value);
  }

  // Into the column.

  bool PutText(std::string_view text, Cell& out) {
    out.kind = Cell::Kind::kValue;
    out.text = text;
    return true;
  }
  /// `text` is what PostgreSQL would write; it need not outlive the call.
  bool PutSpelling(const DataType& type, std::string_view text, Cell& out) {
    if (type.kind == TypeKind::kString) return PutText(arena_.Keep(text), out);
    if (type.kind == TypeKind::kJson) return PutText(arena_.Keep(Escape(text)), out);
    return ReadText(type, arena_.Keep(text), special_, arena_, out, reason_);
  }
  bool PutNumber(const DataType& type, std::string_view text, Cell& out) {
    if (type.kind == TypeKind::kString || type.kind == TypeKind::kJson) return PutText(arena_.Keep(text), out);
    return ReadText(type, arena_.Keep(text), special_, arena_, out, reason_);
  }
  bool PutBytes(const DataType& type, std::string_view bytes, Cell& out) {
    if (type.kind == TypeKind::kBinary) return PutText(bytes, out);
    if (type.kind == TypeKind::kString || type.kind == TypeKind::kJson) return PutSpelling(type, ByteaText(bytes), out);
    return Misfit("is bytes");
  }
  bool PutInfinity(const DataType& type, int sign, Cell& out) {
    return PutSpelling(type, sign > 0 ? "infinity" : "-infinity", out);
  }

  bool Unescaped(std::string_view token, std::string_view& text) {
    if (Unescape(token, arena_, text)) return true;
    return Misfit("has an escape that is no character");
  }

  // Forms that JSON has.

  bool Plain(const DataType& type, std::string_view token, Cell& out) {
    if (type.kind == TypeKind::kBigint || type.kind == TypeKind::kInt) {
      std::int64_t number = 0;
      if (ReadInteger(token, number)) {
        out.kind = Cell::Kind::kValue;
        if (type.kind == TypeKind::kBigint) {
          out.i64 = number;
          return true;
        }
        if (number == static_cast<std::int32_t>(number)) {
          out.i32 = static_cast<std::int32_t>(number);
          return true;
        }
        out.kind = Cell::Kind::kAbsent;
      }
    }
    if (IsString(token)) return Text(type, token, out);
    if (type.nested() && !IsArray(token) && !IsObject(token)) return Misfit(type.kind == TypeKind::kList ? "is no list" : "is no object");
    return ReadJson(type, token, special_, arena_, out, reason_);
  }

  bool Real(const DataType& type, std::string_view token, const ConnectSchema* schema, Cell& out) {
    if (type.kind != TypeKind::kString || schema == nullptr || IsString(token)) return Plain(type, token, out);
    // As PostgreSQL spells it, which is not how Java does.
    if (schema->type == "float") {
      float value = 0;
      if (std::from_chars(token.data(), token.data() + token.size(), value).ec != std::errc()) return Plain(type, token, out);
      return PutText(arena_.Keep(FloatText(value)), out);
    }
    double value = 0;
    if (std::from_chars(token.data(), token.data() + token.size(), value).ec != std::errc()) return Plain(type, token, out);
    return PutText(arena_.Keep(DoubleText(value)), out);
  }

  /// The source's own text.
  bool Text(const DataType& type, std::string_view token, Cell& out) {
    if (!IsString(token)) return Plain2(type, token, out);
    std::string_view text;
    if (type.kind == TypeKind::kString) return Unescaped(token, text) && PutText(text, out);
    if (type.kind == TypeKind::kJson) return PutText(token, out);
    if (!Unescaped(token, text)) return false;
    if (type.kind == TypeKind::kBinary) return BytesOrHex(text, out);
    if (type.kind == TypeKind::kDate || type.kind == TypeKind::kTime) return WithoutZ(type, text, out);
    if (type.kind == TypeKind::kTimestamp || type.kind == TypeKind::kTimestamptz) {
      if (const int sign = InfinityOfIso(text); sign != 0) return PutInfinity(type, sign, out);
    }
    if (type.kind == TypeKind::kDecimal || type.kind == TypeKind::kDouble || type.kind == TypeKind::kFloat) text = NumberSpelling(text);
    return ReadText(type, text, special_, arena_, out, reason_);
  }
  bool Plain2(const DataType& type, std::string_view token, Cell& out) {
    return ReadJson(type, token, special_, arena_, out, reason_);
  }

  /// Debezium's words for what numbers have none for.
  static std::string_view NumberSpelling(std::string_view text) {
    if (text == "NAN") return "NaN";
    if (text == "POSITIVE_INFINITY") return "Infinity";
    if (text == "NEGATIVE_INFINITY") return "-Infinity";
    return text;
  }
  bool Numeric(const DataType& type, std::string_view token, Cell& out) {
    if (IsObject(token)) return VariableDecimal(type, token, out);
    if (!IsString(token)) return Plain(type, token, out);
    std::string_view text;
    if (!Unescaped(token, text)) return false;
    text = NumberSpelling(text);
    if (type.kind == TypeKind::kString) return PutText(text, out);
    return ReadText(type, text, special_, arena_, out, reason_);
  }

  bool WithoutZ(const DataType& type, std::string_view text, Cell& out) {
    if (const int sign = InfinityOfIso(text); sign != 0) return PutInfinity(type, sign, out);
    if (text.ends_with('Z')) text.remove_suffix(1);
    return ReadText(type, text, special_, arena_, out, reason_);
  }
  bool Iso(const DataType& type, std::string_view token, Cell& out) {
    if (!IsString(token)) return Text(type, token, out);
    std::string_view text;
    if (!Unescaped(token, text)) return false;
    if (const int sign = InfinityOfIso(text); sign != 0) return PutInfinity(type, sign, out);
    if (type.kind == TypeKind::kString || type.kind == TypeKind::kJson) return Text(type, token, out);
    if (type.kind == TypeKind::kTimestamptz) return Misfit(kNoZone);
    return WithoutZ(type, text, out);
  }

  bool Interval(const DataType& type, std::string_view token, Cell& out) {
    if (!IsString(token)) return Plain(type, token, out);
    std::string_view iso;
    if (!Unescaped(token, iso)) return false;
    std::string text;
    if (!IntervalText(iso, text)) return Text(type, token, out);
    return PutSpelling(type, text, out);
  }

  // Bytes.

  bool Bytes(const DataType& type, std::string_view token, Cell& out) {
    std::string_view text, bytes;
    if (!IsString(token)) return Misfit("is no base64");
    if (!Unescaped(token, text)) return false;
    if (!DecodeBase64(text, arena_, bytes)) return Misfit("is no base64");
    return PutBytes(type, bytes, out);
  }
  bool Hex(const DataType& type, std::string_view token, Cell& out) {
    std::string_view text, bytes;
    if (!IsString(token)) return Misfit("is no hexadecimal text");
    if (!Unescaped(token, text)) return false;
    if (!DecodeHex(text, arena_, bytes)) return Misfit("is no hexadecimal text");
    return PutBytes(type, bytes, out);
  }
  bool BytesText(const DataType& type, std::string_view token, Cell& out) {
    std::string_view text;
    if (!IsString(token)) return Misfit("is no base64");
    if (!Unescaped(token, text) || !BytesOrHex(text, out)) return false;
    return PutBytes(type, out.text, out);
  }
  /// Text on its way into bytes, when nothing says how it is written.
  bool BytesOrHex(std::string_view text, Cell& out) {
    std::string_view as_base64, as_hex;
    if (text.starts_with("\\x")) {
      if (!DecodeHex(text.substr(2), arena_, as_hex)) return Misfit("is neither base64 nor hexadecimal");
      return PutText(as_hex, out);
    }
    const bool base64 = DecodeBase64(text, arena_, as_base64), hex = DecodeHex(text, arena_, as_hex);
    if (base64 && hex && !text.empty()) return Misfit(kAmbiguousBytes);
    if (!base64 && !hex) return Misfit("is neither base64 nor hexadecimal");
    return PutText(base64 ? as_base64 : as_hex, out);
  }

  bool Bit(const DataType& type, std::string_view token, Cell& out) {
    if (type.kind == TypeKind::kString && (token == "true" || token == "false")) return PutText(token == "true" ? "1" : "0", out);
    if (IsString(token)) return Bits(type, token, 1, out);
    return Plain(type, token, out);
  }
  bool Bits(const DataType& type, std::string_view token, std::int64_t count, Cell& out) {
    std::string_view text, bytes;
    if (!IsString(token)) return Plain(type, token, out);
    if (!Unescaped(token, text)) return false;
    if (!DecodeBase64(text, arena_, bytes)) return Misfit("is no base64");
    if (type.kind == TypeKind::kBinary) return PutText(bytes, out);
    const std::size_t used = BitsUsed(bytes);
    constexpr std::int64_t kMostBits = 83'886'080;   // of PostgreSQL; a longer length is that of a type without any
    const std::size_t shown = count > 0 && count <= kMostBits ? static_cast<std::size_t>(count) : used;
    if (used > shown) return Misfit("has more bits than its type");
    return PutSpelling(type, BitsText(bytes, shown), out);
  }

  // Decimals.

  bool Decimal(const DataType& type, std::string_view token, std::int64_t scale, Cell& out) {
    if (!IsString(token)) return Plain(type, token, out);
    std::string_view text, bytes;
    if (!Unescaped(token, text)) return false;
    if (!DecodeBase64(text, arena_, bytes) || bytes.empty()) return Misfit("is no decimal in base64");
    constexpr std::int64_t kMostScale = 20'000;
    if (bytes.size() > kLongestDecimalBytes || scale > kMostScale || scale < -kMostScale) return Misfit("has more digits than any numeric");
    if (type.kind == TypeKind::kDecimal && bytes.size() <= 16 && scale == type.scale) {
      Int128 value = (bytes.front() & 0x80) != 0 ? -1 : 0;
      for (const char byte : bytes) value = static_cast<Int128>(static_cast<unsigned __int128>(value) << 8 | static_cast<unsigned char>(byte));
      if (FitsWidth(value, type.width)) {
        out.kind = Cell::Kind::kValue;
        out.i128 = value;
        return true;
      }
    }
    return PutNumber(type, DecimalText(bytes, scale), out);
  }
  static bool FitsWidth(Int128 value, int width) {
    Int128 limit = 1;
    for (int i = 0; i < width; ++i) limit *= 10;
    return value < limit && value > -limit;
  }
  bool VariableDecimal(const DataType& type, std::string_view token, Cell& out) {
    if (!IsObject(token)) return IsString(token) ? Numeric(type, token, out) : Plain(type, token, out);
    std::int64_t scale = 0;
    if (!ReadInteger(Member(token, "scale"), scale)) return Misfit("is no decimal: its scale is missing");
    const std::string_view value = Member(token, "value");
    if (!IsString(value)) return Misfit("is no decimal: its value is missing");
    return Decimal(type, value, scale, out);
  }

  // Dates and times.

  bool Days(const DataType& type, std::string_view token, Cell& out) {
    std::int64_t days = 0;
    if (!ReadInteger(token, days)) return Iso(type, token, out);
    if (TakesNumber(type)) return Plain(type, token, out);
    if (const int sign = InfinityOfDays(days); sign != 0) return PutInfinity(type, sign, out);
    constexpr std::int64_t kMostDays = std::numeric_limits<std::int32_t>::max() - 1;
    if (days > kMostDays || days < -kMostDays) return Misfit("is no date");
    if (type.kind == TypeKind::kDate) {
      out.kind = Cell::Kind::kValue;
      out.i32 = static_cast<std::int32_t>(days);
      return true;
    }
    return PutSpelling(type, DateText(days), out);
  }

  bool Time(const DataType& type, std::string_view token, Unit unit, Cell& out) {
    std::int64_t number = 0;
    if (!ReadInteger(token, number)) return Iso(type, token, out);
    if (TakesNumber(type)) return Plain(type, token, out);
    if (IsFine(type, number, unit) && number > 0) return PutSpelling(type, FineText(number, TimeText), out);
    std::int64_t micros = 0;
    if (!ToMicros(number, unit, micros)) return false;
    if (micros < 0 || micros > kMicrosPerDay) {
      // MySQL's time is a duration: -838:59:59 to 838:59:59.
      const bool text = type.kind == TypeKind::kString || type.kind == TypeKind::kJson;
      if (!text || micros == std::numeric_limits<std::int64_t>::min()) return Misfit("is no time of the day");
      return PutSpelling(type, (micros < 0 ? "-" : "") + TimeText(micros < 0 ? -micros : micros), out);
    }
    if (type.kind == TypeKind::kTime && micros < kMicrosPerDay) {
      out.kind = Cell::Kind::kValue;
      out.i64 = micros;
      return true;
    }
    return PutSpelling(type, TimeText(micros), out);
  }

  bool Timestamp(const DataType& type, std::string_view token, Unit unit, Cell& out) {
    std::int64_t number = 0;
    if (!ReadInteger(token, number)) return Iso(type, token, out);
    if (TakesNumber(type)) return Plain(type, token, out);
    const int sign = unit == Unit::kMilli ? InfinityOfMillis(number) : unit == Unit::kMicro ? InfinityOfMicros(number) : InfinityOfNanos(number);
    if (sign != 0) return PutInfinity(type, sign, out);
    if (IsFine(type, number, unit)) return PutSpelling(type, FineText(number, TimestampText), out);
    std::int64_t micros = 0;
    if (!ToMicros(number, unit, micros)) return false;
    if (type.kind == TypeKind::kTimestamptz) return Misfit(kNoZone);
    if (type.kind == TypeKind::kTimestamp) return PutMoment(micros, out);
    return PutSpelling(type, TimestampText(micros), out);
  }
  bool PutMoment(std::int64_t micros, Cell& out) {
    constexpr std::int64_t kFirstMicro = -9'223'372'022'400'000'000, kLastMicro = 9'223'372'036'854'775'806;
    if (micros < kFirstMicro || micros > kLastMicro) return Misfit("is beyond the timestamps there are");
    out.kind = Cell::Kind::kValue;
    out.i64 = micros;
    return true;
  }
  /// Text that is finer than a microsecond keeps all its digits.
  static bool IsFine(const DataType& type, std::int64_t number, Unit unit) {
    return unit == Unit::kNano && number % 1000 != 0 && (type.kind == TypeKind::kString || type.kind == TypeKind::kJson);
  }
  static std::string FineText(std::int64_t nanos, std::string (*text_of)(std::int64_t)) {
    constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
    std::int64_t seconds = nanos / kNanosPerSecond, rest = nanos % kNanosPerSecond;
    if (rest < 0) {
      rest += kNanosPerSecond;
      --seconds;
    }
    std::string fraction = fmt::format(".{:09}", rest);
    while (fraction.back() == '0') fraction.pop_back();
    return BeforeEra(text_of(seconds * 1'000'000), fraction);
  }
  /// `what` at the end of a timestamp's text, but before its BC.
  static std::string BeforeEra(std::string text, std::string_view what) {
    const std::size_t era = text.ends_with(" BC") ? text.size() - 3 : text.size();
    return text.insert(era, what);
  }

  /// A column of numbers takes a moment as the number that was sent.
  static bool TakesNumber(const DataType& type) {
    return type.kind == TypeKind::kInt || type.kind == TypeKind::kBigint || type.kind == TypeKind::kDecimal ||
           type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble;
  }

  bool ToMicros(std::int64_t number, Unit unit, std::int64_t& micros) {
    micros = number;
    if (unit == Unit::kMilli) return !__builtin_mul_overflow(number, 1000, &micros) || Misfit("is beyond the timestamps there are");
    if (unit == Unit::kNano) {
      micros = number / 1000;
      return number % 1000 == 0 || Misfit("is finer than a microsecond");
    }
    return true;
  }

  // No schema, no source_type: what the token and the column's type tell.

  bool Unknown(const DataType& type, std::string_view token, std::string_view source_type, int depth, Cell& out) {
    switch (type.kind) {
      case TypeKind::kDate: return IsString(token) ? Text(type, token, out) : Days(type, token, out);
      case TypeKind::kTime: return GuessTime(type, token, out);
      case TypeKind::kTimestamp: case TypeKind::kTimestamptz: return GuessTimestamp(type, token, out);
      case TypeKind::kJson: return Json(type, token, nullptr, source_type, depth, out);
      case TypeKind::kString:
        if (IsString(token)) return Text(type, token, out);
        if (IsNumber(token) || IsObject(token) || IsArray(token)) return PutText(token, out);
        return Plain(type, token, out);
      case TypeKind::kList: case TypeKind::kMap: case TypeKind::kStruct: return Nested(type, token, nullptr, source_type, depth, out);
      case TypeKind::kDecimal:
        if (IsObject(token)) return VariableDecimal(type, token, out);
        return IsString(token) ? UnknownDecimal(type, token, out) : Plain(type, token, out);
      default: return IsString(token) ? Text(type, token, out) : Plain(type, token, out);
    }
  }
  bool UnknownDecimal(const DataType& type, std::string_view token, Cell& out) {
    if (Text(type, token, out)) return true;
    std::string_view bytes, text;
    if (Unescape(token, arena_, text) && text.find_first_of("+/=ABCDFGHJKLMOPQRSTUVWXYZabcdfghjklmnopqrstuvwxyz") != std::string_view::npos &&
        DecodeBase64(text, arena_, bytes))
      return Misfit("looks like base64, whose scale only a schema tells: set `decimal.handling.mode=string` or send schemas");
    return false;
  }
  bool GuessTime(const DataType& type, std::string_view token, Cell& out) {
    std::int64_t number = 0;
    if (!ReadInteger(token, number)) return Text(type, token, out);
    constexpr std::int64_t kMostMillis = 86'400'000;
    if (number != 0 && number > 0 && number <= kMostMillis) return Misfit(kAmbiguousTime);
    return Time(type, token, Unit::kMicro, out);
  }
  bool GuessTimestamp(const DataType& type, std::string_view token, Cell& out) {
    std::int64_t number = 0;
    if (!ReadInteger(token, number)) return Text(type, token, out);
    // As milliseconds these would be of a year from 1 to 9999.
    constexpr std::int64_t kMillisADay = 86'400'000;
    if (type.kind == TypeKind::kTimestamptz) return Misfit(kNoZone);
    const bool may_be_millis = number >= kFirstDay * kMillisADay && number < (kLastDay + 1) * kMillisADay;
    if (number != 0 && (may_be_millis || (InfinityOfMillis(number) != 0 && InfinityOfMicros(number) == 0)))
      return Misfit(kAmbiguousTimestamp);
    return Timestamp(type, token, Unit::kMicro, out);
  }

  // Documents of MongoDB.

  bool Bson(const DataType& type, std::string_view token, const ConnectSchema* schema, std::string_view source_type, int depth, Cell& out) {
    if (type.kind == TypeKind::kJson) return IsString(token) || IsNumber(token) ? Unknown(type, token, source_type, depth, out) : PutText(token, out);
    const Extended value = ReadExtended(token);
    switch (value.kind) {
      case Extended::Kind::kText: return Text(type, value.token, out);
      case Extended::Kind::kNumber: return Unknown(type, value.token, source_type, depth, out);
      case Extended::Kind::kDecimal: return Numeric(type, value.token, out);
      case Extended::Kind::kDate: return Instant(type, value.token, out);
      case Extended::Kind::kBytes: return type.kind == TypeKind::kUuid ? UuidOfBytes(type, value.token, out) : Bytes(type, value.token, out);
      case Extended::Kind::kOpaque:
        if (type.kind == TypeKind::kString) return PutText(token, out);
        return Misfit("is of a type of MongoDB's that the column has no counterpart of");
      case Extended::Kind::kPlain: break;
    }
    if (!IsObject(token) && !IsArray(token)) return Unknown(type, token, source_type, depth, out);
    if (type.kind == TypeKind::kString) return PutText(token, out);
    return Nested(type, token, schema, source_type, depth, out);
  }
  /// BSON's date is a moment: milliseconds since 1970 in UTC.
  bool Instant(const DataType& type, std::string_view token, Cell& out) {
    std::int64_t millis = 0, micros = 0;
    if (!ReadInteger(token, millis)) return Text(type, token, out);
    if (TakesNumber(type)) return Plain(type, token, out);
    if (!ToMicros(millis, Unit::kMilli, micros)) return false;
    if (type.kind == TypeKind::kTimestamptz || type.kind == TypeKind::kTimestamp) return PutMoment(micros, out);
    return PutSpelling(type, BeforeEra(TimestampText(micros), "+00"), out);
  }
  bool UuidOfBytes(const DataType& type, std::string_view token, Cell& out) {
    std::string_view text, bytes;
    if (!Unescaped(token, text)) return false;
    if (!DecodeBase64(text, arena_, bytes) || bytes.size() != 16) return Misfit("is no uuid of 16 bytes");
    std::string digits;
    for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return ReadText(type, arena_.Keep(digits), special_, arena_, out, reason_);
  }

  // JSON, maps, lists, structs.

  /// The schema of what a list or a map holds; a document's holds at any depth.
  static const ConnectSchema* ItemSchema(const ConnectSchema* schema, DebeziumForm form, std::size_t n) {
    if (schema == nullptr || schema->form == kBson) return schema;
    return schema->form == form ? &schema->fields[n] : nullptr;
  }

  bool Json(const DataType& type, std::string_view token, const ConnectSchema* schema, std::string_view source_type, int depth, Cell& out) {
    if (!IsString(token)) {
      if (type.nested()) return Nested(type, token, schema, source_type, depth, out);
      if (type.kind == TypeKind::kString) return PutText(token, out);
      return Plain2(type, token, out);
    }
    std::string_view text;
    if (!Unescaped(token, text)) return false;
    if (type.kind == TypeKind::kString) return PutText(text, out);
    if (type.nested()) {
      std::string_view inner;
      if (!WholeToken(text, inner)) return Misfit("is no JSON");
      return Read(type, inner, nullptr, source_type == "hstore" ? std::string_view() : source_type, depth + 1, out);
    }
    return ReadText(type, text, special_, arena_, out, reason_);
  }

  /// {"k1":"v1","k2":null}, as text or as a map; into a string as PostgreSQL writes it: "k1"=>"v1", "k2"=>NULL
  bool Hstore(const DataType& type, std::string_view token, const ConnectSchema* schema, int depth, Cell& out) {
    std::string_view object = token;
    if (IsString(token)) {
      std::string_view text;
      if (!Unescaped(token, text)) return false;
      if (!WholeToken(text, object)) return type.kind == TypeKind::kString ? PutText(text, out) : Misfit("is no JSON");
    }
    if (type.kind != TypeKind::kString) {
      if (type.kind == TypeKind::kJson) return PutText(object, out);
      return Nested(type, object, schema != nullptr && schema->form == kMap ? schema : nullptr, {}, depth, out);
    }
    if (!IsObject(object)) return PutText(object, out);
    std::string text;
    std::string_view name, value;
    const auto quoted = [&](std::string_view string_token) {
      std::string_view plain;
      if (!Unescape(string_token, arena_, plain)) return false;
      text += '"';
      for (const char c : plain) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
      }
      text += '"';
      return true;
    };
    for (JsonObject members(object); members.Next(name, value);) {
      if (!text.empty()) text += ", ";
      if (!quoted(name)) return Misfit("has an escape that is no character");
      text += "=>";
      if (IsNull(value)) text += "NULL";
      else if (!IsString(value)) text += value;
      else if (!quoted(value)) return Misfit("has an escape that is no character");
    }
    return PutText(arena_.Keep(text), out);
  }

  bool Geometry(const DataType& type, std::string_view token, const ConnectSchema* schema, DebeziumForm form, int depth, Cell& out) {
    if (!IsObject(token)) return Plain(type, token, out);
    if (type.kind == TypeKind::kBinary) return Bytes(type, Member(token, "wkb"), out);
    if (type.kind == TypeKind::kString && form == kPoint) {
      double x = 0, y = 0;
      if (!ReadDouble(Member(token, "x"), x) || !ReadDouble(Member(token, "y"), y)) return Misfit("is no point");
      return PutText(arena_.Keep("(" + DoubleText(x) + "," + DoubleText(y) + ")"), out);
    }
    if (type.kind == TypeKind::kString || type.kind == TypeKind::kJson) return PutText(token, out);
    return Nested(type, token, schema, {}, depth, out);
  }
  static bool ReadDouble(std::string_view token, double& value) {
    if (IsString(token)) token = Inside(token);
    const auto [at, error] = std::from_chars(token.data(), token.data() + token.size(), value);
    return error == std::errc() && !token.empty() && at == token.data() + token.size();
  }

  bool Nested(const DataType& type, std::string_view token, const ConnectSchema* schema, std::string_view source_type, int depth, Cell& out) {
    switch (type.kind) {
      case TypeKind::kList: return List(type, token, schema, source_type, depth, out);
      case TypeKind::kMap: return Map(type, token, schema, depth, out);
      case TypeKind::kStruct: return Struct(type, token, schema, depth, out);
      case TypeKind::kString: case TypeKind::kJson: {
        std::string text;
        if (!Rewrite(token, schema, source_type, depth, text)) return false;
        return PutText(text == token ? token : arena_.Keep(text), out);
      }
      default: return Plain(type, token, out);
    }
  }

  bool List(const DataType& type, std::string_view token, const ConnectSchema* schema, std::string_view source_type, int depth, Cell& out) {
    if (IsString(token)) return Json(type, token, nullptr, source_type, depth + 1, out);
    if (!IsArray(token)) return Misfit("is no list");
    const ConnectSchema* const item_schema = ItemSchema(schema, kList, 0);
    const std::string_view item_type = ItemOfSourceType(source_type);
    std::size_t count = 0;
    std::string_view item;
    for (JsonArray items(token); items.Next(item);) ++count;
    const std::span<Cell> cells = arena_.Array<Cell>(count);
    JsonArray items(token);
    for (Cell& cell : cells) {
      items.Next(item);
      if (!Read(type.children[0], item, item_schema, item_type, depth + 1, cell)) return false;
    }
    out.kind = Cell::Kind::kValue;
    out.children = cells;
    return true;
  }

  bool Map(const DataType& type, std::string_view token, const ConnectSchema* schema, int depth, Cell& out) {
    if (IsString(token)) return Json(type, token, nullptr, {}, depth + 1, out);
    const ConnectSchema* const key_schema = ItemSchema(schema, kMap, 0);
    const ConnectSchema* const value_schema = ItemSchema(schema, kMap, 1);
    std::vector<std::pair<std::string_view, std::string_view>> entries;
    std::unordered_map<std::string_view, std::size_t> places;   // of equal keys the last counts
    const auto add = [&](std::string_view name, std::string_view value) {
      std::string_view plain = name;
      if (IsString(name) && !Unescape(name, arena_, plain)) plain = name;
      const auto [found, added] = places.try_emplace(plain, entries.size());
      if (added) entries.emplace_back(name, value);
      else entries[found->second] = {name, value};
    };
    std::string_view name, value, pair;
    if (IsObject(token)) {
      for (JsonObject members(token); members.Next(name, value);) add(name, value);
    } else if (IsArray(token)) {   // Connect's way to write keys that are no strings
      for (JsonArray items(token); items.Next(pair);) {
        JsonArray two(pair);
        if (!two.Next(name) || !two.Next(value)) return Misfit("is no map");
        add(name, value);
      }
    } else {
      return Misfit("is no map");
    }
    const std::span<Cell> cells = arena_.Array<Cell>(entries.size() * 2);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!Read(type.children[0], entries[i].first, key_schema, {}, depth + 1, cells[2 * i])) return false;
      if (!Read(type.children[1], entries[i].second, value_schema, {}, depth + 1, cells[2 * i + 1])) return false;
      if (cells[2 * i].kind == Cell::Kind::kNull) return Misfit("has a key that is null");
    }
    out.kind = Cell::Kind::kValue;
    out.children = cells;
    return true;
  }

  bool Struct(const DataType& type, std::string_view token, const ConnectSchema* schema, int depth, Cell& out) {
    if (IsString(token)) return Json(type, token, nullptr, {}, depth + 1, out);
    if (!IsObject(token)) return Misfit("is no object");
    const std::span<Cell> cells = arena_.Array<Cell>(type.children.size());
    for (Cell& cell : cells) cell.kind = Cell::Kind::kNull;
    std::string_view name, value;
    for (JsonObject members(token); members.Next(name, value);) {
      std::string_view plain;
      if (!Unescaped(name, plain)) return false;
      const auto found = std::find(type.names.begin(), type.names.end(), plain);
      if (found == type.names.end()) return Misfit("has a field that the column's type lacks");
      const auto at = static_cast<std::size_t>(found - type.names.begin());
      cells[at] = Cell{};
      const ConnectSchema* const field_schema = schema == nullptr || schema->form == kBson ? schema : schema->child(plain);
      if (!Read(type.children[at], value, field_schema, {}, depth + 1, cells[at])) return false;
    }
    out.kind = Cell::Kind::kValue;
    out.children = cells;
    return true;
  }

  /// An array, map or struct as JSON text: what has another form on the wire is written as PostgreSQL would.
  bool Rewrite(std::string_view token, const ConnectSchema* schema, std::string_view source_type, int depth, std::string& text) {
    const DebeziumForm form = Form(schema, source_type).form;
    if (depth > kDeepestValue) return Misfit("is nested too deep");
    if (form == kList && IsArray(token)) {
      const ConnectSchema* const item_schema = schema != nullptr && schema->form == kList ? &schema->fields.front() : nullptr;
      const std::string_view item_type = ItemOfSourceType(source_type);
      std::string_view item;
      text += '[';
      for (JsonArray items(token); items.Next(item);) {
        if (text.back() != '[') text += ',';
        if (!Rewrite(item, item_schema, item_type, depth + 1, text)) return false;
      }
      text += ']';
      return true;
    }
    if ((form == kStruct || form == kMap) && IsObject(token) && schema != nullptr) {
      std::string_view name, value, plain;
      text += '{';
      for (JsonObject members(token); members.Next(name, value);) {
        if (!Unescaped(name, plain)) return false;
        if (text.back() != '{') text += ',';
        text += name;
        text += ':';
        if (!Rewrite(value, form == kMap ? &schema->fields[1] : schema->child(plain), {}, depth + 1, text)) return false;
      }
      text += '}';
      return true;
    }
    if (IsNull(token) || form == kUnknown || form == kText || form == kInteger || form == kReal || form == kBoolean) {
      text += token;
      return true;
    }
    Cell cell;
    DataType json;
    json.kind = TypeKind::kJson;
    if (!Read(json, token, schema, source_type, depth + 1, cell)) return false;
    text += cell.kind == Cell::Kind::kValue ? cell.text : token;
    return true;
  }

  Special special_;
  Arena& arena_;
  std::string& reason_;
};

}  // namespace

bool ReadDebezium(const DataType& type, const DebeziumField& field, std::string_view source_type, Special special, Arena& arena,
                  Cell& out, std::string& reason) {
  out = Cell{};
  return Reader(special, arena, reason).Read(type, field.token, field.schema, source_type, 0, out);
}

}  // namespace nano::wire
