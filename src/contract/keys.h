// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The one declaration of every key of the schema language: where it stands, what it takes, whether it must be there,
/// what it means, and whether this release can do it. The parser's checks (shape.h), the JSON Schema and the reference
/// (published.h) are all made from it, so that they can't differ. Constant once made; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nano::contract {

/// Can this release do what the key asks?
enum class Support : std::uint8_t {
  kNow,
  kNoted,  ///< it documents, or a later command reads it; `apply` keeps it and nothing depends on it
  kLater,  ///< known, and refused by `apply` in words
};

enum class Format : std::uint8_t {
  kAny,
  kLabel,
  kName,
  kWarehouseName,
  kDuration,
  kBytes,
  kClock,
  kVersion,
  kDataType,
  kPath,
  kPartition,
  kSql,
  kListen,
  kHttpPath,
  kCatalog,
  kUrl,
};
struct FormatRule {
  Format format;
  std::string_view name;     ///< "duration"
  std::string_view pattern;  ///< ECMAScript, whole text; used by parser and JSON Schema alike
  std::string_view says;     ///< "a number and ms, s, m, h or d, such as 10m"
};
const FormatRule& RuleOf(Format format);
/// Does the text have the format (and at most kLongestFormatted characters, where the format has a pattern)?
bool Matches(Format format, std::string_view text);
constexpr std::size_t kLongestFormatted = 255;

struct Word {
  std::string_view text;
  std::string_view doc;
  Support support = Support::kNow;
};

struct Object;

/// What a value may be.
struct Shape {
  enum class Form : std::uint8_t { kText, kInteger, kNumber, kBoolean, kScalar, kWords, kList, kMap, kObject, kEither, kAny };
  Form form = Form::kAny;
  Format format = Format::kAny;  ///< of text; of a map: of its keys
  bool references = false;       ///< `${env:X}` and `${file:/x}` may stand in it
  std::vector<Word> words = {};
  std::vector<Shape> parts = {};  ///< list: its items; map: its values; either: the forms it may have
  const Object* object = nullptr;
  bool not_empty = false;                    ///< of a list
  std::int64_t least = 0, most = INT64_MAX;  ///< of an integer
};

struct Key {
  std::string_view name;
  Shape shape;
  bool required = false;
  std::string_view fallback = {};  ///< the default, in words or as written; empty: there is none
  std::string_view doc = {};       ///< one sentence
  std::string_view example = {};   ///< a value, as YAML
  Support support = Support::kNow;
  std::vector<std::string_view> mistaken = {};  ///< what people write instead
};

struct Object {
  std::string_view name;   ///< "table"
  std::string_view where;  ///< "an item of `tables`"
  std::string_view doc;
  std::vector<Key> keys;
  std::vector<std::string_view> one_of = {};  ///< exactly one of these keys must be there

  const Key* key(std::string_view name) const;
};

/// The whole of nanohouse.yaml; the other files hold a part of it.
const Object& WarehouseKeys();
/// Every object, outermost first; each once.
const std::vector<const Object*>& AllObjects();

}  // namespace nano::contract
