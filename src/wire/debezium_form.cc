// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium_form.h"

#include <algorithm>
#include <charconv>

#include "wire/json_token.h"
#include "wire/postgres_value.h"

namespace nano::wire {
namespace {

using enum DebeziumForm;

constexpr int kDeepestSchema = 64;

const std::unordered_map<std::string_view, DebeziumForm>& Semantics() {
  static const std::unordered_map<std::string_view, DebeziumForm> names{
      {"org.apache.kafka.connect.data.Decimal", kDecimal},
      {"org.apache.kafka.connect.data.Date", kDays},
      {"org.apache.kafka.connect.data.Time", kTimeMillis},
      {"org.apache.kafka.connect.data.Timestamp", kTimestampMillis},
      {"io.debezium.data.VariableScaleDecimal", kVariableDecimal},
      {"io.debezium.data.Bits", kBits},
      {"io.debezium.data.Json", kJson},
      {"io.debezium.data.Xml", kText},
      {"io.debezium.data.Uuid", kText},
      {"io.debezium.data.Enum", kText},
      {"io.debezium.data.EnumSet", kText},
      {"io.debezium.data.Ltree", kText},
      {"io.debezium.data.TsVector", kText},
      {"io.debezium.time.Date", kDays},
      {"io.debezium.time.Time", kTimeMillis},
      {"io.debezium.time.MicroTime", kTimeMicros},
      {"io.debezium.time.NanoTime", kTimeNanos},
      {"io.debezium.time.Timestamp", kTimestampMillis},
      {"io.debezium.time.MicroTimestamp", kTimestampMicros},
      {"io.debezium.time.NanoTimestamp", kTimestampNanos},
      {"io.debezium.time.ZonedTimestamp", kZonedTimestamp},
      {"io.debezium.time.ZonedTime", kZonedTime},
      {"io.debezium.time.IsoDate", kIsoDate},
      {"io.debezium.time.IsoTime", kIsoTime},
      {"io.debezium.time.IsoTimestamp", kIsoTimestamp},
      {"io.debezium.time.MicroDuration", kDuration},
      {"io.debezium.time.NanoDuration", kDuration},
      {"io.debezium.time.Interval", kInterval},
      {"io.debezium.time.Year", kInteger},
      {"io.debezium.data.geometry.Point", kPoint},
      {"io.debezium.data.geometry.Geometry", kGeometry},
      {"io.debezium.data.geometry.Geography", kGeometry}};
  return names;
}

/// PostgreSQL's names, those of the schema language, and what binary.handling.mode calls its forms.
const std::unordered_map<std::string_view, DebeziumForm>& SourceTypes() {
  static const std::unordered_map<std::string_view, DebeziumForm> names{
      {"boolean", kBoolean}, {"bool", kBoolean},
      {"smallint", kInteger}, {"integer", kInteger}, {"int", kInteger}, {"bigint", kInteger}, {"int2", kInteger},
      {"int4", kInteger}, {"int8", kInteger}, {"oid", kInteger}, {"serial", kInteger}, {"bigserial", kInteger},
      {"real", kReal}, {"float", kReal}, {"double", kReal}, {"double precision", kReal}, {"float4", kReal}, {"float8", kReal},
      {"numeric", kNumeric}, {"decimal", kNumeric}, {"money", kNumeric},
      {"text", kText}, {"string", kText}, {"varchar", kText}, {"character varying", kText}, {"char", kText}, {"bpchar", kText},
      {"character", kText}, {"citext", kText}, {"name", kText}, {"uuid", kText}, {"xml", kText}, {"inet", kText},
      {"cidr", kText}, {"macaddr", kText}, {"macaddr8", kText}, {"int4range", kText}, {"int8range", kText}, {"numrange", kText},
      {"tsrange", kText}, {"tstzrange", kText}, {"daterange", kText}, {"ltree", kText}, {"enum", kText}, {"tsvector", kText},
      {"bytea", kBytes}, {"binary", kBytes}, {"base64", kBase64}, {"base64-url-safe", kBase64}, {"blob", kBytes},
      {"varbinary", kBytes}, {"bytes", kBytes}, {"hex", kHex},
      {"date", kDays},
      {"time", kTimeMicros}, {"time without time zone", kTimeMicros},
      {"timestamp", kTimestampMicros}, {"timestamp without time zone", kTimestampMicros}, {"datetime", kTimestampMicros},
      {"datetime2", kTimestampMicros},
      {"timestamptz", kZonedTimestamp}, {"timestamp with time zone", kZonedTimestamp},
      {"timetz", kZonedTime}, {"time with time zone", kZonedTime},
      {"interval", kInterval},
      {"bit", kBits}, {"varbit", kVarBits}, {"bit varying", kVarBits},
      {"json", kJson}, {"jsonb", kJson}, {"hstore", kHstore},
      {"point", kPoint}, {"geometry", kGeometry}, {"geography", kGeometry}};
  return names;
}

struct SourceType {
  char buffer[40];
  std::size_t size = 0;
  std::int64_t digits = -1;    ///< the first number in parentheses

  std::string_view name() const { return {buffer, size}; }
};

/// `Time (3) without time zone` -> {"time without time zone", 3}. A longer name than any that is known is cut.
SourceType Normal(std::string_view text) {
  SourceType type;
  enum class In : std::uint8_t { kName, kFirst, kOthers } in = In::kName;
  const auto put = [&](char c) {
    if (type.size < sizeof type.buffer) type.buffer[type.size++] = c;
  };
  for (const char c : text.substr(0, 200)) {
    if (in != In::kName) {
      if (c == ')') in = In::kName;
      else if (c == ',') in = In::kOthers;
      else if (in == In::kFirst && c >= '0' && c <= '9') {
        constexpr std::int64_t kMost = 1'000'000'000;
        type.digits = std::min<std::int64_t>((type.digits < 0 ? 0 : type.digits) * 10 + (c - '0'), kMost);
      }
    } else if (c == '(') {
      in = In::kFirst;
    } else if (c == ' ' || c == '\t') {
      if (type.size != 0 && type.buffer[type.size - 1] != ' ') put(' ');
    } else {
      put(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
  }
  while (type.size != 0 && type.buffer[type.size - 1] == ' ') --type.size;
  return type;
}

DebeziumForm ByPrecision(std::int64_t digits, DebeziumForm millis, DebeziumForm micros, DebeziumForm nanos) {
  if (digits < 0) return micros;
  return digits <= 3 ? millis : digits <= 6 ? micros : nanos;
}

std::string Text(std::string_view token) {
  std::string text;
  if (!IsString(token) || !UnescapeInto(token, text)) text.clear();
  return text;
}

bool Parse(std::string_view token, int depth, ConnectSchema& schema) {
  if (!IsObject(token) || depth > kDeepestSchema) return false;
  std::string_view name, value;
  for (JsonObject members(token); members.Next(name, value);) {
    const std::string_view key = Inside(name);
    if (key == "type") schema.type = Text(value);
    else if (key == "field") schema.field = Text(value);
    else if (key == "name") schema.name = Text(value);
    else if (key == "optional") schema.optional = value == "true";
    else if (key == "parameters") {
      std::string_view parameter, text;
      for (JsonObject all(value); all.Next(parameter, text);) schema.parameters.insert_or_assign(Text(parameter), Text(text));
    } else if (key == "fields") {
      schema.fields.clear();
      std::string_view item;
      for (JsonArray items(value); items.Next(item);)
        if (!Parse(item, depth + 1, schema.fields.emplace_back())) return false;
    } else if (key == "items" || key == "values" || key == "keys") {
      ConnectSchema child;
      if (!Parse(value, depth + 1, child)) return false;
      schema.fields.insert(key == "keys" ? schema.fields.begin() : schema.fields.end(), std::move(child));
    }
  }
  if (schema.type.empty()) return false;
  if (schema.type == "array" && schema.fields.size() != 1) return false;
  if (schema.type == "map" && schema.fields.size() != 2) return false;
  if (schema.type == kPostgresField && schema.name == "array" && schema.fields.size() != 1) return false;
  schema.by_name.resize(schema.fields.size());
  for (std::size_t i = 0; i < schema.fields.size(); ++i) schema.by_name[i] = static_cast<std::uint32_t>(i);
  std::stable_sort(schema.by_name.begin(), schema.by_name.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return schema.fields[a].field < schema.fields[b].field; });
  const FormOfValue form = FormOfSchema(schema);
  schema.form = form.form;
  schema.number = form.number;
  return true;
}

std::int64_t NumberParameter(const ConnectSchema& schema, const char* name, std::int64_t otherwise) {
  const auto found = schema.parameters.find(name);
  if (found == schema.parameters.end()) return otherwise;
  std::int64_t number = 0;
  const char* const end = found->second.data() + found->second.size();
  const auto [at, error] = std::from_chars(found->second.data(), end, number);
  return error == std::errc() && at == end ? number : otherwise;
}

}  // namespace

const ConnectSchema* ConnectSchema::child(std::string_view field_name) const {
  const auto after = std::upper_bound(by_name.begin(), by_name.end(), field_name,
                                      [&](std::string_view wanted, std::uint32_t at) { return wanted < fields[at].field; });
  if (after == by_name.begin() || fields[*std::prev(after)].field != field_name) return nullptr;
  return &fields[*std::prev(after)];
}

FormOfValue FormOfSchema(const ConnectSchema& schema) {
  if (schema.type == kPostgresField) return {kPostgres, static_cast<std::int64_t>(PostgresTypeOf(schema.name))};
  if (!schema.name.empty()) {
    if (const auto found = Semantics().find(schema.name); found != Semantics().end()) {
      if (found->second == kDecimal) return {kDecimal, NumberParameter(schema, "scale", 0)};
      if (found->second == kBits) return {kBits, NumberParameter(schema, "length", 0)};
      return {found->second, 0};
    }
  }
  const std::string_view type = schema.type;
  if (type == "string") return {kText, 0};
  if (type == "bytes") return {kBytes, 0};
  if (type == "boolean") return {kBoolean, 0};
  if (type == "float" || type == "double") return {kReal, 0};
  if (type.starts_with("int")) return {kInteger, 0};
  if (type == "array") return {kList, 0};
  if (type == "map") return {kMap, 0};
  if (type == "struct") return {kStruct, 0};
  return {};
}

FormOfValue FormOfSourceType(std::string_view source_type) {
  if (source_type.empty()) return {};
  if (const auto semantic = Semantics().find(source_type); semantic != Semantics().end()) {
    // Without the schema the scale of a decimal is not known.
    return semantic->second == kDecimal ? FormOfValue{} : FormOfValue{semantic->second, 0};
  }
  if (!ItemOfSourceType(source_type).empty()) return {kList, 0};
  const SourceType type = Normal(source_type);
  const auto found = SourceTypes().find(type.name());
  if (found == SourceTypes().end()) return {};
  const std::int64_t digits = type.digits;
  switch (found->second) {
    case kTimeMicros: return {ByPrecision(digits, kTimeMillis, kTimeMicros, kTimeNanos), 0};
    case kTimestampMicros: return {ByPrecision(digits, kTimestampMillis, kTimestampMicros, kTimestampNanos), 0};
    case kBits: return digits <= 1 ? FormOfValue{kBit, 1} : FormOfValue{kBits, digits};
    default: return {found->second, 0};
  }
}

std::string_view ItemOfSourceType(std::string_view source_type) {
  while (!source_type.empty() && source_type.back() == ' ') source_type.remove_suffix(1);
  if (source_type.ends_with("[]")) {
    source_type.remove_suffix(2);
    return source_type;
  }
  if (source_type.size() > 1 && source_type.front() == '_') return source_type.substr(1);
  for (const std::string_view prefix : {"list<", "array<"})
    if (source_type.starts_with(prefix) && source_type.back() == '>')
      return source_type.substr(prefix.size(), source_type.size() - prefix.size() - 1);
  return {};
}

std::unique_ptr<ConnectSchema> ParseConnectSchema(std::string_view token) {
  auto schema = std::make_unique<ConnectSchema>();
  if (!Parse(token, 0, *schema)) return nullptr;
  return schema;
}

}  // namespace nano::wire
