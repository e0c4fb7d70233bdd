// SPDX-License-Identifier: Apache-2.0
#include "wire/record_reader.h"

#include <deque>
#include <unordered_map>

#include "base/check.h"
#include "wire/json_scan.h"

namespace nano::wire {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;
/// Names that are remembered of one object; a stream whose objects are really maps would have no end of them.
constexpr std::size_t kMostKeys = 4096;

}  // namespace

/// Where a member leads: to fields of its own, into an object, or nowhere.
struct RecordReader::Target {
  std::vector<std::uint32_t> fields;
  std::unique_ptr<Object> inside;
  std::vector<std::uint32_t> below;   ///< fields inside
  bool ignored = false;
  std::uint64_t seen = 0;             ///< number of the last record that had it
};

/// A name as it was met, raw.
struct RecordReader::Key {
  std::string token;                  ///< with its quotes
  std::string name;                   ///< for people, path and all
  Target* target = nullptr;
  std::uint32_t follower = kNone;     ///< the key that came after it last time
};

struct RecordReader::Object {
  std::string path;                                             ///< "a.b." of an inner one
  std::unordered_map<std::string, std::unique_ptr<Target>> targets;
  std::deque<Key> keys;
  std::unordered_map<std::string_view, std::uint32_t> by_token; ///< views into `keys`
  std::uint32_t first = kNone;
};

struct RecordReader::Row {
  Arena& arena;
  std::span<Cell> cells;
  std::vector<Misfit>& misfits;
  std::vector<Unknown>& unknown;
};

RecordReader::RecordReader(std::vector<FieldSpec> fields, Special special, const std::vector<FieldPath>& ignored)
    : fields_(std::move(fields)), special_(special), root_(std::make_unique<Object>()), passing_(std::make_unique<Key>()) {
  const auto lead = [this](const FieldPath& path, std::uint32_t field) -> Target& {
    NANO_CHECK(!path.empty());
    Object* object = root_.get();
    for (std::size_t i = 0;; ++i) {
      std::unique_ptr<Target>& target = object->targets[path[i]];
      if (!target) target = std::make_unique<Target>();
      if (i + 1 == path.size()) return *target;
      if (field != kNone) target->below.push_back(field);
      if (!target->inside) {
        target->inside = std::make_unique<Object>();
        target->inside->path = object->path + path[i] + ".";
      }
      object = target->inside.get();
    }
  };
  for (std::uint32_t i = 0; i < fields_.size(); ++i) lead(fields_[i].path, i).fields.push_back(i);
  for (const FieldPath& path : ignored) lead(path, kNone).ignored = true;
}

RecordReader::~RecordReader() = default;
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;

const RecordReader::Key& RecordReader::Find(Object& object, std::string_view token, Arena& arena, std::uint32_t& index) {
  if (const auto found = object.by_token.find(token); found != object.by_token.end()) {
    index = found->second;
    return object.keys[index];
  }
  std::string_view name;
  if (!Unescape(token, arena, name)) name = token.substr(1, token.size() - 2);   // half of a surrogate pair
  const auto target = object.targets.find(std::string(name));
  const bool keep = object.keys.size() < kMostKeys;
  Key& key = keep ? object.keys.emplace_back() : *passing_;
  key.target = target == object.targets.end() ? nullptr : target->second.get();
  if (!keep) {
    key.name.clear();
    if (!key.target) key.name = object.path + std::string(name);
    index = kNone;
    return key;
  }
  key.token = token;
  key.name = object.path + std::string(name);
  index = static_cast<std::uint32_t>(object.keys.size() - 1);
  object.by_token.emplace(key.token, index);
  return key;
}

bool RecordReader::Read(std::string_view text, Arena& arena, std::span<Cell> cells, std::vector<Misfit>& misfits,
                        std::vector<Unknown>& unknown) {
  NANO_CHECK(cells.size() == fields_.size());
  for (Cell& cell : cells) cell.kind = Cell::Kind::kAbsent;
  misfits.clear();
  unknown.clear();
  ++number_;
  const char* const end = text.data() + text.size();
  const char* at = SkipSpace(text.data(), end);
  if (at == end || *at != '{') return false;
  Row row{arena, cells, misfits, unknown};
  at = Walk(*root_, at + 1, end, row);
  if (!at) return false;
  rest_ = {at, static_cast<std::size_t>(end - at)};
  return true;
}

/// From after the opening brace to after the closing one; nullptr where there is none.
const char* RecordReader::Walk(Object& object, const char* at, const char* end, Row& row) {
  at = SkipSpace(at, end);
  if (at == end) return nullptr;
  if (*at == '}') return at + 1;
  std::uint32_t* expected = &object.first;
  std::uint32_t nobody = kNone;
  while (true) {
    const Key* key = nullptr;
    if (*expected != kNone) {
      key = &object.keys[*expected];
      const std::size_t size = key->token.size();
      if (static_cast<std::size_t>(end - at) > size && std::memcmp(at, key->token.data(), size) == 0) [[likely]] {
        at += size;
        expected = &object.keys[*expected].follower;
      } else {
        key = nullptr;
      }
    }
    if (!key) {
      const char* const after = SkipString(at, end);
      if (!after) return nullptr;
      std::uint32_t index = kNone;
      key = &Find(object, {at, static_cast<std::size_t>(after - at)}, row.arena, index);
      *expected = index;
      expected = index == kNone ? &nobody : &object.keys[index].follower;
      at = after;
    }
    at = SkipSpace(at, end);
    if (at == end || *at != ':') return nullptr;
    at = SkipSpace(at + 1, end);
    if (at == end || !(at = Value(*key, at, end, row))) return nullptr;
    at = SkipSpace(at, end);
    if (at == end) return nullptr;
    if (*at == '}') return at + 1;
    if (*at != ',') return nullptr;
    at = SkipSpace(at + 1, end);
  }
}

const char* RecordReader::Value(const Key& key, const char* at, const char* end, Row& row) {
  Target* const target = key.target;
  if (!target) {
    const char* const after = SkipValue(at, end, Bare::kTaken);
    if (!after) return nullptr;
    // A name that is not kept would change under the caller's view of it.
    row.unknown.push_back({&key == passing_.get() ? row.arena.Keep(key.name) : std::string_view(key.name),
                           {at, static_cast<std::size_t>(after - at)}});
    return after;
  }
  if (target->seen == number_) [[unlikely]] Forget(*target, row);
  target->seen = number_;
  if (target->fields.size() == 1 && !target->inside) [[likely]] return Field(target->fields[0], at, end, row);
  const char* after = nullptr;
  if (target->inside && *at == '{') {
    after = Walk(*target->inside, at + 1, end, row);
  } else {
    after = SkipValue(at, end, Bare::kTaken);
    if (!after) return nullptr;
    if (target->inside && !target->below.empty()) {
      const std::string_view token(at, static_cast<std::size_t>(after - at));
      for (const std::uint32_t field : target->below) {
        row.cells[field].kind = Cell::Kind::kNull;
        if (token != "null") row.misfits.push_back({field, "lies in what is not an object", token});
      }
    }
  }
  if (!after) return nullptr;
  for (const std::uint32_t field : target->fields) {
    if (!Field(field, at, after, row)) return nullptr;
  }
  return after;
}

const char* RecordReader::Field(std::uint32_t field, const char* at, const char* end, Row& row) {
  const DataType& type = fields_[field].type;
  Cell& cell = row.cells[field];
  const char* after = nullptr;
  bool fits = false;
  if (*at == '"' && !type.nested() && type.kind != TypeKind::kJson) {
    // A string without escapes, by far the most: seen and read in one pass.
    const char* const quote = FindInString(at + 1, end);
    if (quote == end) return nullptr;
    if (*quote == '"') [[likely]] {
      after = quote + 1;
      const std::string_view text(at + 1, static_cast<std::size_t>(quote - at) - 1);
      if (type.kind == TypeKind::kString) {
        cell.kind = Cell::Kind::kValue;
        cell.text = text;
        return after;
      }
      fits = ReadText(type, text, special_, row.arena, cell, reason_);
    }
  }
  if (!after) {
    after = SkipValue(at, end, Bare::kTaken);
    if (!after) return nullptr;
    fits = ReadJson(type, {at, static_cast<std::size_t>(after - at)}, special_, row.arena, cell, reason_);
  }
  if (!fits) [[unlikely]] {
    cell.kind = Cell::Kind::kNull;
    row.misfits.push_back({field, reason_, {at, static_cast<std::size_t>(after - at)}});
  }
  return after;
}

/// A member comes again: what its first showing left is undone.
void RecordReader::Forget(const Target& target, Row& row) {
  const auto forget = [&](std::uint32_t field) {
    row.cells[field].kind = Cell::Kind::kAbsent;
    std::erase_if(row.misfits, [&](const Misfit& misfit) { return misfit.field == field; });
  };
  for (const std::uint32_t field : target.fields) forget(field);
  for (const std::uint32_t field : target.below) forget(field);
}

}  // namespace nano::wire
