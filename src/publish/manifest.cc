// SPDX-License-Identifier: Apache-2.0
#include "publish/manifest.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

namespace nano::publish {
namespace {

using Kind = IcebergType::Kind;
// Avro wants a record's attributes in any order; this keeps ours as written.
using Json = nlohmann::ordered_json;

Json Required(const char* name, Json type, int id) { return {{"name", name}, {"type", std::move(type)}, {"field-id", id}}; }

Json Optional(const std::string& name, Json type, int id) {
  return {{"name", name}, {"type", Json::array({"null", std::move(type)})}, {"default", nullptr}, {"field-id", id}};
}

/// Avro has no maps of int keys: Iceberg's are arrays of pairs.
Json IntMap(int key, int value, const char* type) {
  return {{"type", "array"},
          {"items", {{"type", "record"},
                     {"name", fmt::format("k{}_v{}", key, value)},
                     {"fields", Json::array({Required("key", "int", key), Required("value", type, value)})}}},
          {"logicalType", "map"}};
}

Json Array(const char* type, int id) { return {{"type", "array"}, {"items", type}, {"element-id", id}}; }

/// The least number of bytes that hold every decimal of a precision.
std::size_t DecimalBytes(int precision) {
  std::size_t bits = 1;  // of the sign
  Int128 greatest = 0;
  for (int i = 0; i < precision; ++i) greatest = greatest * 10 + 9;
  for (; greatest != 0; greatest >>= 1) ++bits;
  return (bits + 7) / 8;
}

Json PartitionType(const PartitionField& field) {
  const auto fixed = [&](const char* logical, std::size_t size) {
    return Json{{"type", "fixed"}, {"name", fmt::format("{}_{}", logical, field.id)}, {"size", size}, {"logicalType", logical}};
  };
  switch (field.type.kind) {
    case Kind::kBoolean: return "boolean";
    case Kind::kInt: return "int";
    case Kind::kLong: return "long";
    case Kind::kFloat: return "float";
    case Kind::kDouble: return "double";
    case Kind::kDate: return {{"type", "int"}, {"logicalType", "date"}};
    case Kind::kTime: return {{"type", "long"}, {"logicalType", "time-micros"}};
    case Kind::kTimestamp:
    case Kind::kTimestamptz:
      return {{"type", "long"}, {"logicalType", "timestamp-micros"}, {"adjust-to-utc", field.type.kind == Kind::kTimestamptz}};
    case Kind::kUuid: return fixed("uuid", 16);
    case Kind::kDecimal: {
      Json type = fixed("decimal", DecimalBytes(field.type.precision));
      type["precision"] = field.type.precision;
      type["scale"] = field.type.scale;
      return type;
    }
    case Kind::kBinary: return "bytes";
    default: return "string";
  }
}

/// A name as Avro allows it; readers go by field id.
std::string AvroName(const std::string& name) {
  std::string plain;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (digit && plain.empty()) plain += '_';
    if (letter || digit) plain += c;
    else plain += fmt::format("_x{:X}", static_cast<unsigned char>(c));
  }
  return plain;
}

std::string EntrySchema(const std::vector<PartitionField>& fields) {
  Json partition = Json::array();
  std::set<std::string> names;
  for (const PartitionField& field : fields) {
    std::string name = AvroName(field.name);
    if (!names.insert(name).second) name += fmt::format("_{}", field.id);
    names.insert(name);
    partition.push_back(Optional(name, PartitionType(field), field.id));
  }
  const Json record = {{"type", "record"}, {"name", "r102"}, {"fields", std::move(partition)}};
  const Json file = {
      {"type", "record"},
      {"name", "r2"},
      {"fields", Json::array({Required("content", "int", 134), Required("file_path", "string", 100), Required("file_format", "string", 101),
                              Required("partition", record, 102), Required("record_count", "long", 103), Required("file_size_in_bytes", "long", 104),
                              Optional("column_sizes", IntMap(117, 118, "long"), 108), Optional("value_counts", IntMap(119, 120, "long"), 109),
                              Optional("null_value_counts", IntMap(121, 122, "long"), 110), Optional("nan_value_counts", IntMap(138, 139, "long"), 137),
                              Optional("lower_bounds", IntMap(126, 127, "bytes"), 125), Optional("upper_bounds", IntMap(129, 130, "bytes"), 128),
                              Optional("key_metadata", "bytes", 131), Optional("split_offsets", Array("long", 133), 132),
                              Optional("equality_ids", Array("int", 136), 135), Optional("sort_order_id", "int", 140),
                              Optional("referenced_data_file", "string", 143)})}};
  return Json{{"type", "record"},
              {"name", "manifest_entry"},
              {"fields", Json::array({Required("status", "int", 0), Optional("snapshot_id", "long", 1), Optional("sequence_number", "long", 3),
                                      Optional("file_sequence_number", "long", 4), Required("data_file", file, 2)})}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ListSchema() {
  const Json part = {{"type", "record"},
                     {"name", "r508"},
                     {"fields", Json::array({Required("contains_null", "boolean", 509), Optional("contains_nan", "boolean", 518),
                                             Optional("lower_bound", "bytes", 510), Optional("upper_bound", "bytes", 511)})}};
  const Json parts = {{"type", "array"}, {"items", part}, {"element-id", 508}};
  return Json{{"type", "record"},
              {"name", "manifest_file"},
              {"fields", Json::array({Required("manifest_path", "string", 500), Required("manifest_length", "long", 501),
                                      Required("partition_spec_id", "int", 502), Required("content", "int", 517), Required("sequence_number", "long", 515),
                                      Required("min_sequence_number", "long", 516), Required("added_snapshot_id", "long", 503),
                                      Required("added_files_count", "int", 504), Required("existing_files_count", "int", 505),
                                      Required("deleted_files_count", "int", 506), Required("added_rows_count", "long", 512),
                                      Required("existing_rows_count", "long", 513), Required("deleted_rows_count", "long", 514),
                                      Optional("partitions", parts, 507), Optional("key_metadata", "bytes", 519)})}}
      .dump();
}

std::vector<std::pair<std::string, std::string>> ManifestMetadata(const ManifestHeader& header) {
  return {{"schema", header.schema_json},
          {"schema-id", std::to_string(header.schema_id)},
          {"partition-spec", header.spec_json},
          {"partition-spec-id", std::to_string(header.spec_id)},
          {"format-version", "2"},
          {"content", header.content == Content::kData ? "data" : "deletes"}};
}

void EncodePartition(wire::AvroEncoder& out, const PartitionField& field, const std::optional<Datum>& value) {
  if (!value) return out.Null();
  out.Present();
  switch (field.type.kind) {
    case Kind::kBoolean: return out.Boolean(value->number != 0);
    case Kind::kDecimal: return out.Fixed(BigEndian(value->number, DecimalBytes(field.type.precision)));
    case Kind::kUuid: return out.Fixed(value->bytes);
    case Kind::kFloat:
    case Kind::kDouble: return out.Fixed(SingleValue(field.type, *value));
    case Kind::kString:
    case Kind::kBinary: return out.Bytes(value->bytes);
    default: return out.Long(static_cast<std::int64_t>(value->number));
  }
}

template <class T, class Encode>
void EncodeMap(wire::AvroEncoder& out, const std::vector<std::pair<int, T>>& map, Encode encode) {
  if (map.empty()) return out.Null();
  out.Present();
  out.Items(map.size());
  for (const auto& [id, value] : map) {
    out.Long(id);
    encode(value);
  }
  out.EndItems();
}

}  // namespace

ManifestWriter::ManifestWriter(const ManifestHeader& header, std::vector<PartitionField> fields)
    : fields_(std::move(fields)), file_(EntrySchema(fields_), ManifestMetadata(header)), least_(fields_.size()), greatest_(fields_.size()) {
  summary_.spec_id = header.spec_id;
  summary_.content = header.content;
  summary_.parts.resize(fields_.size());
  summary_.min_sequence = std::numeric_limits<std::int64_t>::max();
}

Status ManifestWriter::Add(const Entry& entry) {
  record_.Clear();
  record_.Long(entry.added ? 1 : 0);
  record_.Present();
  record_.Long(entry.snapshot_id);
  record_.Present();
  record_.Long(entry.sequence);
  record_.Present();
  record_.Long(entry.sequence);
  record_.Long(summary_.content == Content::kData ? 0 : 1);
  record_.Bytes(entry.location);
  record_.Bytes("PARQUET");
  for (std::size_t i = 0; i < fields_.size(); ++i) EncodePartition(record_, fields_[i], entry.partition[i]);
  record_.Long(entry.records);
  record_.Long(entry.bytes);
  const auto number = [this](std::int64_t value) { record_.Long(value); };
  const auto bytes = [this](const std::string& value) { record_.Bytes(value); };
  EncodeMap(record_, entry.column_sizes, number);
  EncodeMap(record_, entry.value_counts, number);
  EncodeMap(record_, entry.null_counts, number);
  record_.Null();  // nan_value_counts: what the catalog says of NaN holds for the last row group only
  EncodeMap(record_, entry.lower, bytes);
  EncodeMap(record_, entry.upper, bytes);
  for (int absent = 0; absent < 4; ++absent) record_.Null();  // key_metadata, split_offsets, equality_ids, sort_order_id
  if (entry.referenced_data_file.empty()) {
    record_.Null();
  } else {
    record_.Present();
    record_.Bytes(entry.referenced_data_file);
  }
  TRY(file_.Append(record_.bytes()));
  Count(entry);
  return {};
}

void ManifestWriter::Count(const Entry& entry) {
  (entry.added ? summary_.added_files : summary_.existing_files) += 1;
  (entry.added ? summary_.added_rows : summary_.existing_rows) += entry.records;
  summary_.min_sequence = std::min(summary_.min_sequence, entry.sequence);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const std::optional<Datum>& value = entry.partition[i];
    if (!value) {
      summary_.parts[i].null = true;
      continue;
    }
    const IcebergType& type = fields_[i].type;
    if (!least_[i] || Less(type, *value, *least_[i])) least_[i] = value;
    if (!greatest_[i] || Less(type, *greatest_[i], *value)) greatest_[i] = value;
    if (type.kind == Kind::kUuid) continue;  // readers do not agree on the order of UUIDs
    summary_.parts[i].lower = SingleValue(type, *least_[i]);
    summary_.parts[i].upper = SingleValue(type, *greatest_[i]);
  }
}

Result<std::string> EncodeManifestList(const ManifestListHeader& header, const std::vector<ManifestSummary>& manifests) {
  wire::AvroFile file(ListSchema(), {{"snapshot-id", std::to_string(header.snapshot_id)},
                                     {"parent-snapshot-id", header.parent ? std::to_string(*header.parent) : "null"},
                                     {"sequence-number", std::to_string(header.sequence)},
                                     {"format-version", "2"}});
  wire::AvroEncoder record;
  const auto optional = [&](const std::optional<std::string>& bytes) {
    if (!bytes) return record.Null();
    record.Present();
    record.Bytes(*bytes);
  };
  for (const ManifestSummary& manifest : manifests) {
    record.Clear();
    record.Bytes(manifest.location);
    record.Long(manifest.length);
    record.Long(manifest.spec_id);
    record.Long(manifest.content == Content::kData ? 0 : 1);
    record.Long(manifest.sequence);
    record.Long(manifest.min_sequence);
    record.Long(manifest.snapshot_id);
    record.Long(manifest.added_files);
    record.Long(manifest.existing_files);
    record.Long(0);
    record.Long(manifest.added_rows);
    record.Long(manifest.existing_rows);
    record.Long(0);
    record.Present();
    if (!manifest.parts.empty()) record.Items(manifest.parts.size());
    for (const ManifestSummary::Part& part : manifest.parts) {
      record.Boolean(part.null);
      record.Present();
      record.Boolean(false);
      optional(part.lower);
      optional(part.upper);
    }
    record.EndItems();
    record.Null();
    TRY(file.Append(record.bytes()));
  }
  return file.Finish();
}

}  // namespace nano::publish
