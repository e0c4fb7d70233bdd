// SPDX-License-Identifier: Apache-2.0
// What columns a Singer SCHEMA means: ParseSingerSchema of wire/singer.h.
#include "wire/cell.h"
#include "wire/json_token.h"
#include "wire/number.h"
#include "wire/singer.h"

namespace nano::wire {
namespace {

/// Schemas within schemas, references followed included; deeper ones are taken as json. As deep as a type may be.
constexpr int kDeepest = 24;
/// A schema is read as often as it is deep; references from many places to the same few could make that endless.
constexpr std::size_t kMostReadings = 32;

std::string Text(std::string_view token) {
  Arena arena;
  std::string_view text;
  return Unescape(token, arena, text) ? std::string(text) : std::string();
}

DataType Of(TypeKind kind) {
  DataType type;
  type.kind = kind;
  return type;
}

DataType Decimal(std::int64_t width, std::int64_t scale) {
  DataType type = Of(TypeKind::kDecimal);
  type.width = static_cast<std::uint8_t>(width);
  type.scale = static_cast<std::uint8_t>(scale);
  return type;
}

/// What a schema allows.
struct Shape {
  DataType type;
  bool null = false;       ///< null is allowed
  bool vague = false;      ///< says nothing, or several things, of its values
};

Shape Vague(TypeKind kind) { return {Of(kind), true, true}; }

/// JSON Schema's words for types, as bits.
enum Word : unsigned { kNull = 1, kBoolean = 2, kInteger = 4, kNumber = 8, kString = 16, kArray = 32, kObject = 64 };

unsigned WordOf(std::string_view token) {
  if (token == "\"null\"") return kNull;
  if (token == "\"boolean\"") return kBoolean;
  if (token == "\"integer\"") return kInteger;
  if (token == "\"number\"") return kNumber;
  if (token == "\"string\"") return kString;
  if (token == "\"array\"") return kArray;
  if (token == "\"object\"") return kObject;
  return 0;
}

unsigned Words(std::string_view token) {
  if (!IsArray(token)) return WordOf(token);
  unsigned words = 0;
  ArrayScanner elements(token);
  for (std::string_view element; elements.Next(element);) words |= WordOf(element);
  return words;
}

class Inferrer {
 public:
  explicit Inferrer(std::string_view root) : root_(root), left_(kMostReadings * (root.size() + 1024)) {}

  Shape Infer(std::string_view schema, int depth) {
    if (!IsObject(schema)) return Vague(TypeKind::kString);   // true: anything
    if (depth > kDeepest || schema.size() > left_) return Vague(TypeKind::kJson);
    left_ -= schema.size();
    if (const std::string_view reference = Member(schema, "$ref"); !reference.empty()) {
      const std::string_view target = Resolve(Text(reference));
      if (target.empty()) return Vague(TypeKind::kString);
      if (std::find(within_.begin(), within_.end(), target.data()) != within_.end()) return Vague(TypeKind::kJson);
      within_.push_back(target.data());
      const Shape shape = Infer(target, depth + 1);
      within_.pop_back();
      return shape;
    }
    const unsigned words = Words(Member(schema, "type"));
    if (words == 0) {
      for (const char* name : {"anyOf", "oneOf"}) {
        if (const std::string_view list = Member(schema, name); IsArray(list)) return AnyOf(list, depth);
      }
      if (const std::string_view list = Member(schema, "allOf"); IsArray(list)) return AllOf(list, depth);
      if (!IsObject(Member(schema, "properties"))) return Vague(TypeKind::kString);
    }
    Shape shape = OfWords(schema, words == 0 ? unsigned{kObject} : words & ~unsigned{kNull}, depth);
    shape.null = shape.null || (words & kNull) != 0;
    return shape;
  }

 private:
  /// Where `#/definitions/x` leads; empty if nowhere.
  std::string_view Resolve(std::string_view reference) const {
    if (!reference.starts_with('#')) return {};
    reference.remove_prefix(1);
    std::string_view at = root_;
    while (!reference.empty()) {
      if (reference.front() != '/' || !IsObject(at)) return {};
      reference.remove_prefix(1);
      const std::size_t length = std::min(reference.find('/'), reference.size());
      std::string name;
      for (std::size_t i = 0; i < length; ++i) {
        const bool escape = reference[i] == '~' && i + 1 < length && (reference[i + 1] == '0' || reference[i + 1] == '1');
        name += !escape ? reference[i] : reference[i + 1] == '0' ? '~' : '/';
        if (escape) ++i;
      }
      at = MemberNamed(at, name);
      reference.remove_prefix(length);
    }
    return at;
  }

  static std::string_view MemberNamed(std::string_view object, const std::string& name) {
    ObjectScanner members(object);
    std::string_view key, token, found;
    while (members.Next(key, token)) {
      if (Text(key) == name) found = token;
    }
    return found;
  }

  /// What holds each of the alternatives.
  Shape AnyOf(std::string_view list, int depth) {
    Shape all;
    bool first = true, mixed = false, text_only = true;
    ArrayScanner alternatives(list);
    for (std::string_view schema; alternatives.Next(schema);) {
      if (Words(Member(schema, "type")) == kNull) {
        all.null = true;
        continue;
      }
      Shape shape = Infer(schema, depth + 1);
      text_only = text_only && !shape.type.nested() && shape.type.kind != TypeKind::kJson;
      all.null = all.null || shape.null;
      all.vague = all.vague || shape.vague;
      if (first) all.type = std::move(shape.type);
      else if (!(all.type == shape.type) && !Widen(all.type, shape.type)) mixed = true;
      first = false;
    }
    if (first) return Vague(TypeKind::kString);
    if (mixed) {
      all.type = Of(text_only ? TypeKind::kString : TypeKind::kJson);
      all.vague = true;
    }
    return all;
  }

  /// Of whole numbers the wider; of a whole number and a double the double.
  static bool Widen(DataType& type, const DataType& other) {
    const auto rank = [](TypeKind kind) { return kind == TypeKind::kInt ? 1 : kind == TypeKind::kBigint ? 2 : kind == TypeKind::kDouble ? 3 : 0; };
    if (rank(type.kind) == 0 || rank(other.kind) == 0) return false;
    if (rank(other.kind) > rank(type.kind)) type = other;
    return true;
  }

  /// The first that says something; null only if each allows it.
  Shape AllOf(std::string_view list, int depth) {
    Shape all = Vague(TypeKind::kString);
    ArrayScanner parts(list);
    for (std::string_view schema; parts.Next(schema);) {
      Shape shape = Infer(schema, depth + 1);
      all.null = all.null && shape.null;
      if (all.vague && !shape.vague) {
        all.type = std::move(shape.type);
        all.vague = false;
      }
    }
    return all;
  }

  /// `words` without null.
  Shape OfWords(std::string_view schema, unsigned words, int depth) {
    switch (words) {
      case 0: return {Of(TypeKind::kString), true, true};   // null only
      case kBoolean: return {Of(TypeKind::kBoolean), false, false};
      case kInteger: return {Integer(schema), false, false};
      case kNumber:
      case kNumber | kInteger: return {Number(schema), false, false};
      case kString: return {String(schema), false, false};
      case kArray: return Array(schema, depth);
      case kObject: return Object(schema, depth);
      default: break;
    }
    return {Of((words & (kArray | kObject)) != 0 ? TypeKind::kJson : TypeKind::kString), false, true};
  }

  /// The digits before the point of the largest value that minimum and maximum allow; none if one is missing.
  static std::optional<std::int64_t> WholeDigits(std::string_view schema) {
    std::int64_t most = 0;
    for (const auto& [inclusive, exclusive] : {std::pair{"minimum", "exclusiveMinimum"}, std::pair{"maximum", "exclusiveMaximum"}}) {
      std::string_view bound = Member(schema, inclusive);
      const std::string_view outside = Member(schema, exclusive);
      bool excluded = outside == "true";                            // draft 4
      Digits digits;
      if (CountDigits(outside, digits)) {                           // draft 6 and later
        bound = outside;
        excluded = true;
      }
      if (!CountDigits(bound, digits)) return std::nullopt;
      most = std::max(most, digits.before - (excluded && digits.power_of_ten && digits.before > 0 ? 1 : 0));
    }
    return most;
  }

  static DataType Integer(std::string_view schema) {
    const std::string_view low = Member(schema, "minimum"), high = Member(schema, "maximum");
    std::string reason;
    std::int64_t low_value = 0, high_value = 0;
    const bool low_fits = low.empty() || ReadBigint(low, low_value, reason) == Parsed::kValue;
    const bool high_fits = high.empty() || ReadBigint(high, high_value, reason) == Parsed::kValue;
    if (!low_fits || !high_fits) {
      Digits below, above;
      if ((low.empty() || CountDigits(low, below)) && (high.empty() || CountDigits(high, above))) {
        const std::int64_t width = std::max<std::int64_t>({below.before, above.before, 19});
        return width <= 38 ? Decimal(width, 0) : Of(TypeKind::kString);
      }
      return Of(TypeKind::kBigint);
    }
    const bool narrow = !low.empty() && !high.empty() && low_value >= INT32_MIN && high_value <= INT32_MAX;
    return Of(narrow ? TypeKind::kInt : TypeKind::kBigint);
  }

  static DataType Number(std::string_view schema) {
    Digits step;
    const std::string_view multiple = Member(schema, "multipleOf");
    if (multiple.empty() || !CountDigits(multiple, step)) return Of(TypeKind::kDouble);
    const std::int64_t width = WholeDigits(schema).value_or(38 - step.after) + step.after;
    if (width > 38 || step.after > 38) return Of(TypeKind::kString);
    return Decimal(std::max<std::int64_t>(width, 1), step.after);
  }

  static DataType String(std::string_view schema) {
    const std::string format = Text(Member(schema, "format"));
    if (format == "date-time") return Of(TypeKind::kTimestamptz);
    if (format == "date") return Of(TypeKind::kDate);
    if (format == "singer.decimal" || format == "x-singer.decimal") {
      std::int64_t width = 0, scale = 0;
      std::string reason;
      if (ReadBigint(Member(schema, "precision"), width, reason) == Parsed::kValue &&
          ReadBigint(Member(schema, "scale"), scale, reason) == Parsed::kValue && width >= 1 && width <= 38 && scale >= 0 && scale <= width)
        return Decimal(width, scale);
    }
    return Of(TypeKind::kString);
  }

  Shape Array(std::string_view schema, int depth) {
    Shape items = Infer(Member(schema, "items"), depth + 1);
    if (items.vague || items.type.kind == TypeKind::kJson) return {Of(TypeKind::kJson), false, false};
    DataType type = Of(TypeKind::kList);
    type.children.push_back(std::move(items.type));
    return {std::move(type), false, false};
  }

  Shape Object(std::string_view schema, int depth) {
    const Shape json{Of(TypeKind::kJson), false, false};
    const std::string_view more = Member(schema, "additionalProperties");
    if (more == "true" || IsObject(more) || !Member(schema, "patternProperties").empty()) return json;
    DataType type = Of(TypeKind::kStruct);
    std::set<std::string> lower;
    ObjectScanner properties(Member(schema, "properties"));
    for (std::string_view key, token; properties.Next(key, token);) {
      std::string name = Text(key), folded = name;
      for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (name.empty() || !lower.insert(std::move(folded)).second) return json;
      type.names.push_back(std::move(name));
      type.children.push_back(Infer(token, depth + 1).type);
    }
    if (type.children.empty()) return json;
    return {std::move(type), false, false};
  }

  std::string_view root_;
  std::vector<const char*> within_;   ///< where the references that are being followed lead
  std::size_t left_;                  ///< bytes of schema that may still be read
};

}  // namespace

Result<SingerSchema> ParseSingerSchema(std::string_view schema, std::string_view key_properties) {
  if (!IsObject(schema) || !IsJson(schema, Bare::kTaken)) return Fail(Code::kInvalid, "the schema is not a JSON object");
  SingerSchema out;
  if (!key_properties.empty() && key_properties != "null") {
    ArrayScanner names(key_properties);
    std::string_view token;
    while (names.Next(token)) {
      std::string name = Text(token);
      if (name.empty()) return Fail(Code::kInvalid, "key_properties has something that is no name");
      out.key_properties.push_back(std::move(name));
    }
    if (!names.complete()) return Fail(Code::kInvalid, "key_properties is not an array");
  }
  std::set<std::string> required;
  ArrayScanner names(Member(schema, "required"));
  for (std::string_view token; names.Next(token);) required.insert(Text(token));
  required.insert(out.key_properties.begin(), out.key_properties.end());

  Inferrer inferrer(schema);
  std::unordered_map<std::string, std::size_t> place;
  ObjectScanner properties(Member(schema, "properties"));
  for (std::string_view key, token; properties.Next(key, token);) {
    Shape shape = inferrer.Infer(token, 0);
    SingerProperty property{Text(key), std::move(shape.type), true};
    property.nullable = shape.null || !required.contains(property.name);
    const auto [at, fresh] = place.emplace(property.name, out.properties.size());
    if (fresh) out.properties.push_back(std::move(property));
    else out.properties[at->second] = std::move(property);
  }
  return out;
}

}  // namespace nano::wire
