// SPDX-License-Identifier: Apache-2.0
#include "publish/partition_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace nano::publish {
namespace {

using Kind = IcebergType::Kind;

/// Parts of a time that DuckLake keeps as a key each; the first n make a transform of Iceberg's.
constexpr std::array<std::string_view, 4> kParts = {"year", "month", "day", "hour"};

/// Not of uuid: PyIceberg then finds no rows by a filter on it, in silence.
bool HasIdentity(const IcebergType& type) {
  return !type.nested() && type.kind != Kind::kFloat && type.kind != Kind::kDouble && type.kind != Kind::kBinary && type.kind != Kind::kUuid;
}

/// Types of which DuckLake's hash is Iceberg's.
bool HasBucket(const IcebergType& type) {
  switch (type.kind) {
    case Kind::kInt: case Kind::kLong: case Kind::kDate: case Kind::kTime: case Kind::kTimestamp: case Kind::kTimestamptz:
    case Kind::kString: case Kind::kBinary: return true;
    default: return false;
  }
}

/// The n of `bucket(n)`.
std::optional<int> Buckets(std::string_view transform) {
  constexpr std::string_view kBucket = "bucket(";
  if (!transform.starts_with(kBucket) || !transform.ends_with(')')) return std::nullopt;
  int count = 0;
  const char* const end = transform.data() + transform.size() - 1;
  const auto read = std::from_chars(transform.data() + kBucket.size(), end, count);
  if (read.ec != std::errc() || read.ptr != end || count < 1) return std::nullopt;
  return count;
}

std::optional<std::int64_t> Integer(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), number);
  if (read.ec != std::errc() || read.ptr != text->data() + text->size()) return std::nullopt;
  return number;
}

/// `year`, `month`, … of one column: its keys by part, as far as they go without a gap.
std::optional<PartitionField> TimeField(int source, const IcebergType& type, const std::map<std::string_view, std::size_t>& parts) {
  const bool time = type.kind == Kind::kTimestamp || type.kind == Kind::kTimestamptz;
  if (!time && type.kind != Kind::kDate) return std::nullopt;
  PartitionField field{.source = source, .transform = {}, .type = {}, .keys = {}, .of_instant = time, .id = 0, .name = {}};
  for (const std::string_view part : kParts) {
    const auto at = parts.find(part);
    if (at == parts.end()) break;
    field.transform = part;
    field.keys.push_back(at->second);
  }
  if (field.keys.size() != parts.size() || (field.transform == "hour" && !time)) return std::nullopt;
  field.type.kind = field.transform == "day" ? Kind::kDate : Kind::kInt;
  return field;
}

/// Days since 1970-01-01 (proleptic Gregorian).
std::int64_t DaysOf(std::int64_t year, std::int64_t month, std::int64_t day) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(static_cast<int>(year)) / static_cast<int>(month) / static_cast<int>(day)).time_since_epoch().count();
}

std::optional<Datum> TimeValue(const std::vector<std::int64_t>& parts) {
  static constexpr std::array<std::pair<std::int64_t, std::int64_t>, 4> kRanges = {{{-9999, 30000}, {1, 12}, {1, 31}, {0, 23}}};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] < kRanges[i].first || parts[i] > kRanges[i].second) return std::nullopt;
  }
  Datum value;
  switch (parts.size()) {
    case 1: value.number = parts[0] - 1970; break;
    case 2: value.number = (parts[0] - 1970) * 12 + parts[1] - 1; break;
    case 3: value.number = DaysOf(parts[0], parts[1], parts[2]); break;
    default: value.number = DaysOf(parts[0], parts[1], parts[2]) * 24 + parts[3]; break;
  }
  return value;
}

}  // namespace

std::optional<std::vector<PartitionField>> ToPartitionFields(const std::vector<PartitionKey>& keys, const std::vector<PartitionSource>& columns) {
  std::vector<PartitionField> fields;
  std::map<std::int64_t, std::map<std::string_view, std::size_t>> times;  // by column: part, key
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto column = std::find_if(columns.begin(), columns.end(), [&](const PartitionSource& c) { return c.id == keys[i].column; });
    if (column == columns.end()) return std::nullopt;
    PartitionField field{.source = column->id, .transform = {}, .type = {}, .keys = {i}, .of_instant = false, .id = 0, .name = {}};
    if (keys[i].transform == "identity") {
      if (!HasIdentity(column->type)) return std::nullopt;
      field.transform = "identity";
      field.type = column->type;
      fields.push_back(std::move(field));
    } else if (const auto buckets = Buckets(keys[i].transform)) {
      if (!HasBucket(column->type)) return std::nullopt;
      field.transform = fmt::format("bucket[{}]", *buckets);
      field.type.kind = Kind::kInt;
      fields.push_back(std::move(field));
    } else if (std::find(kParts.begin(), kParts.end(), keys[i].transform) != kParts.end()) {
      auto& parts = times[keys[i].column];
      if (!parts.emplace(keys[i].transform, i).second) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  for (const auto& [column_id, parts] : times) {
    const auto column = std::find_if(columns.begin(), columns.end(), [id = column_id](const PartitionSource& c) { return c.id == id; });
    auto field = TimeField(column->id, column->type, parts);
    if (!field) return std::nullopt;
    fields.push_back(std::move(*field));
  }
  std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.keys.front() < b.keys.front(); });
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (fields[i].source == fields[j].source && fields[i].transform == fields[j].transform) return std::nullopt;
    }
  }
  return fields;
}

std::optional<Tuple> ToTuple(const std::vector<PartitionField>& fields, const std::vector<std::optional<std::string>>& values) {
  Tuple tuple;
  for (const PartitionField& field : fields) {
    if (std::any_of(field.keys.begin(), field.keys.end(), [&](std::size_t key) { return key >= values.size(); })) return std::nullopt;
    const std::optional<std::string>& first = values[field.keys.front()];
    if (!first) {
      if (std::any_of(field.keys.begin(), field.keys.end(), [&](std::size_t key) { return values[key].has_value(); })) return std::nullopt;
      tuple.emplace_back(std::nullopt);
      continue;
    }
    std::optional<Datum> value;
    if (field.transform == "identity") {
      value = ParseDatum(field.type, *first);
    } else {
      std::vector<std::int64_t> numbers;
      for (const std::size_t key : field.keys) {
        const auto number = Integer(values[key]);
        if (!number) return std::nullopt;
        numbers.push_back(*number);
      }
      if (field.transform.starts_with("bucket")) {
        value.emplace().number = numbers.front();
      } else {
        value = TimeValue(numbers);
        // DuckDB's reader cuts such months and days towards 1970, and then finds no rows by a filter.
        const bool cut = field.transform == "month" || field.transform == "day";
        if (value && cut && field.of_instant && value->number < 0) return std::nullopt;
      }
    }
    if (!value) return std::nullopt;
    tuple.push_back(std::move(value));
  }
  return tuple;
}

}  // namespace nano::publish
