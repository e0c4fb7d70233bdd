// SPDX-License-Identifier: Apache-2.0
#include "publish/table_metadata.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace nano::publish {
namespace {

using nlohmann::json;

/// Reads values of an object without trusting it: what is not as it should be is noted, never thrown.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object), good_(object.is_object()) {}

  const json* Find(const char* key) {
    if (!object_.is_object()) return nullptr;
    const auto at = object_.find(key);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }
  std::int64_t Integer(const char* key) {
    const json* const value = Find(key);
    if (value != nullptr && value->is_number_integer()) return value->get<std::int64_t>();
    good_ = false;
    return 0;
  }
  int Int(const char* key) { return static_cast<int>(Integer(key)); }
  std::optional<std::int64_t> IntegerIfThere(const char* key) {
    if (Find(key) == nullptr) return std::nullopt;
    return Integer(key);
  }
  std::string Text(const char* key) {
    const json* const value = Find(key);
    if (value != nullptr && value->is_string()) return value->get<std::string>();
    good_ = false;
    return {};
  }
  std::map<std::string, std::string> Texts(const char* key) {
    std::map<std::string, std::string> texts;
    const json* const value = Find(key);
    if (value == nullptr) return texts;
    for (const auto& [name, text] : value->items()) {
      if (text.is_string()) texts.emplace(name, text.get<std::string>());
    }
    return texts;
  }
  /// The elements of an array; none where it is absent.
  const json& Array(const char* key) {
    static const json kNone = json::array();
    const json* const value = Find(key);
    if (value != nullptr && value->is_array()) return *value;
    if (value != nullptr) good_ = false;
    return kNone;
  }
  void Check(const Reader& other) { good_ = good_ && other.good_; }
  bool good() const { return good_; }

 private:
  const json& object_;
  bool good_;
};

json ToJson(const Snapshot& snapshot) {
  json out = {{"snapshot-id", snapshot.id},         {"sequence-number", snapshot.sequence}, {"timestamp-ms", snapshot.timestamp_ms},
              {"manifest-list", snapshot.manifest_list}, {"schema-id", snapshot.schema_id}, {"summary", snapshot.summary}};
  if (snapshot.parent) out["parent-snapshot-id"] = *snapshot.parent;
  return out;
}

Snapshot ReadSnapshot(Reader& in) {
  return {.id = in.Integer("snapshot-id"),
          .sequence = in.Integer("sequence-number"),
          .timestamp_ms = in.Integer("timestamp-ms"),
          .parent = in.IntegerIfThere("parent-snapshot-id"),
          .manifest_list = in.Text("manifest-list"),
          .schema_id = in.Int("schema-id"),
          .summary = in.Texts("summary")};
}

}  // namespace

json ToJson(const Spec& spec) {
  json fields = json::array();
  for (const SpecField& field : spec.fields) {
    fields.push_back({{"source-id", field.source}, {"field-id", field.id}, {"name", field.name}, {"transform", field.transform}});
  }
  return fields;
}

const std::string& Snapshot::text(const std::string& key) const {
  static const std::string kNone;
  const auto at = summary.find(key);
  return at == summary.end() ? kNone : at->second;
}

std::int64_t Snapshot::count(const std::string& key) const {
  const std::string& number = text(key);
  std::int64_t count = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), count);
  return read.ec == std::errc() ? count : 0;
}

Snapshot* TableMetadata::snapshot(std::int64_t id) {
  const auto at = snapshots.find(id);
  return at == snapshots.end() ? nullptr : &at->second;
}

int TableMetadata::SchemaId(const std::vector<Field>& fields) {
  json wanted = json::array();
  for (const Field& field : fields) wanted.push_back(publish::ToJson(field));
  for (const auto& [id, schema] : schemas) {
    if (schema == wanted) return id;
  }
  const int id = schemas.empty() ? 0 : schemas.rbegin()->first + 1;
  schemas.emplace(id, std::move(wanted));
  return id;
}

int TableMetadata::SpecId(std::vector<PartitionField>& fields) {
  Spec wanted;
  for (PartitionField& field : fields) {
    for (const Spec& spec : specs) {
      for (const SpecField& known : spec.fields) {
        if (known.source == field.source && known.transform == field.transform) field.id = known.id;
      }
    }
    if (field.id == 0) field.id = ++last_partition_id;
    wanted.fields.push_back({field.source, field.id, {}, field.transform});
  }
  const auto same = [](const SpecField& a, const SpecField& b) { return a.id == b.id; };
  for (const Spec& spec : specs) {
    wanted.id = std::max(wanted.id, spec.id + 1);
    if (std::equal(spec.fields.begin(), spec.fields.end(), wanted.fields.begin(), wanted.fields.end(), same)) return spec.id;
  }
  specs.push_back(wanted);
  return wanted.id;
}

void TableMetadata::NameSpecs(const std::vector<Field>& columns) {
  std::map<int, std::string> names;  // by partition field
  std::set<std::string> taken;
  for (const Field& column : columns) taken.insert(column.name);
  for (Spec& spec : specs) {
    for (SpecField& field : spec.fields) {
      std::string& name = names[field.id];
      if (name.empty()) {
        const auto column = std::find_if(columns.begin(), columns.end(), [&](const Field& c) { return c.id == field.source; });
        const bool there = column != columns.end();
        name = there ? column->name : fmt::format("dropped_{}", field.source);
        const bool own_name = there && field.transform == "identity";
        if (!own_name) name += "_" + field.transform.substr(0, field.transform.find('['));
        if (!own_name && taken.contains(name)) name += fmt::format("_{}", field.id);
        while (!own_name && taken.contains(name)) name += "_";
        taken.insert(name);
      }
      field.name = name;
    }
  }
}

const Spec& TableMetadata::spec(int id) const {
  const auto at = std::find_if(specs.begin(), specs.end(), [id](const Spec& spec) { return spec.id == id; });
  NANO_CHECK(at != specs.end());
  return *at;
}

void TableMetadata::KeepOnly(const std::set<std::int64_t>& ids) {
  std::erase_if(snapshots, [&](const auto& snapshot) { return !ids.contains(snapshot.first); });
  for (auto& [id, snapshot] : snapshots) {
    if (snapshot.parent && !snapshots.contains(*snapshot.parent)) snapshot.parent.reset();
  }
  std::size_t gone = 0;
  for (std::size_t i = 0; i < snapshot_log.size(); ++i) {
    if (!snapshots.contains(snapshot_log[i].second)) gone = i + 1;
  }
  snapshot_log.erase(snapshot_log.begin(), snapshot_log.begin() + static_cast<std::ptrdiff_t>(gone));
  std::erase_if(tags, [&](const auto& tag) { return !snapshots.contains(tag.second); });
  if (current_snapshot && !snapshots.contains(*current_snapshot)) current_snapshot.reset();
}

std::string TableMetadata::Encode() const {
  json out = {{"format-version", 2},
              {"table-uuid", uuid},
              {"location", location},
              {"last-sequence-number", last_sequence},
              {"last-updated-ms", last_updated_ms},
              {"last-column-id", last_column_id},
              {"current-schema-id", current_schema},
              {"default-spec-id", default_spec},
              {"last-partition-id", last_partition_id},
              {"default-sort-order-id", 0},
              {"sort-orders", json::array({{{"order-id", 0}, {"fields", json::array()}}})},
              {"properties", properties}};
  out["schemas"] = json::array();
  for (const auto& [id, fields] : schemas) out["schemas"].push_back({{"type", "struct"}, {"schema-id", id}, {"fields", fields}});
  out["partition-specs"] = json::array();
  for (const Spec& spec : specs) out["partition-specs"].push_back({{"spec-id", spec.id}, {"fields", ToJson(spec)}});
  out["snapshots"] = json::array();
  for (const auto& [id, snapshot] : snapshots) out["snapshots"].push_back(ToJson(snapshot));
  out["snapshot-log"] = json::array();
  for (const auto& [time, id] : snapshot_log) out["snapshot-log"].push_back({{"timestamp-ms", time}, {"snapshot-id", id}});
  out["metadata-log"] = json::array();
  for (const auto& [time, file] : metadata_log) out["metadata-log"].push_back({{"timestamp-ms", time}, {"metadata-file", file}});
  out["refs"] = json::object();
  for (const auto& [tag, id] : tags) out["refs"][tag] = {{"snapshot-id", id}, {"type", "tag"}};
  if (current_snapshot) {
    out["current-snapshot-id"] = *current_snapshot;
    out["refs"]["main"] = {{"snapshot-id", *current_snapshot}, {"type", "branch"}};
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<TableMetadata> TableMetadata::Decode(std::string_view text) {
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded() || !document.is_object()) return std::nullopt;
  Reader in(document);
  TableMetadata out;
  if (in.Integer("format-version") != 2) return std::nullopt;
  out.uuid = in.Text("table-uuid");
  out.location = in.Text("location");
  out.last_sequence = in.Integer("last-sequence-number");
  out.last_updated_ms = in.Integer("last-updated-ms");
  out.last_column_id = in.Integer("last-column-id");
  out.current_schema = in.Int("current-schema-id");
  out.default_spec = in.Int("default-spec-id");
  out.last_partition_id = in.Int("last-partition-id");
  out.current_snapshot = in.IntegerIfThere("current-snapshot-id");
  out.properties = in.Texts("properties");
  for (const json& each : in.Array("schemas")) {
    Reader schema(each);
    out.schemas[schema.Int("schema-id")] = schema.Array("fields");
    in.Check(schema);
  }
  for (const json& each : in.Array("partition-specs")) {
    Reader spec(each);
    Spec& made = out.specs.emplace_back();
    made.id = spec.Int("spec-id");
    for (const json& part : spec.Array("fields")) {
      Reader field(part);
      made.fields.push_back({field.Int("source-id"), field.Int("field-id"), field.Text("name"), field.Text("transform")});
      spec.Check(field);
    }
    in.Check(spec);
  }
  for (const json& each : in.Array("snapshots")) {
    Reader reader(each);
    Snapshot snapshot = ReadSnapshot(reader);
    in.Check(reader);
    out.snapshots[snapshot.id] = std::move(snapshot);
  }
  for (const json& each : in.Array("snapshot-log")) {
    Reader entry(each);
    out.snapshot_log.emplace_back(entry.Integer("timestamp-ms"), entry.Integer("snapshot-id"));
    in.Check(entry);
  }
  for (const json& each : in.Array("metadata-log")) {
    Reader entry(each);
    out.metadata_log.emplace_back(entry.Integer("timestamp-ms"), entry.Text("metadata-file"));
    in.Check(entry);
  }
  if (const json* const refs = in.Find("refs"); refs != nullptr && refs->is_object()) {
    for (const auto& [name, each] : refs->items()) {
      Reader ref(each);
      if (ref.Text("type") == "tag") out.tags[name] = ref.Integer("snapshot-id");
      in.Check(ref);
    }
  }
  if (!in.good() || out.specs.empty() || !out.schemas.contains(out.current_schema)) return std::nullopt;
  return out;
}

}  // namespace nano::publish
