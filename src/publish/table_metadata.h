// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A table's metadata.json as a value: read from the one before, changed, written again. Ids that were given once
/// (schemas, specs, partition fields) never get another meaning.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "publish/iceberg_type.h"
#include "publish/partition_spec.h"

namespace nano::publish {

struct Snapshot {
  std::int64_t id = 0, sequence = 0, timestamp_ms = 0;
  std::optional<std::int64_t> parent;
  std::string manifest_list;
  int schema_id = 0;
  std::map<std::string, std::string> summary;

  /// A number of the summary; 0 where there is none.
  std::int64_t count(const std::string& key) const;
  const std::string& text(const std::string& key) const;
};

struct SpecField {
  int source = 0, id = 0;
  std::string name, transform;
};

struct Spec {
  int id = 0;
  std::vector<SpecField> fields;
};

struct TableMetadata {
  std::string uuid, location;
  std::int64_t last_sequence = 0, last_updated_ms = 0;
  std::int64_t last_column_id = 0;
  int current_schema = 0, default_spec = 0, last_partition_id = 999;
  std::map<int, nlohmann::json> schemas;             ///< their fields, by id
  std::vector<Spec> specs;
  std::optional<std::int64_t> current_snapshot;
  std::map<std::int64_t, Snapshot> snapshots;
  std::map<std::string, std::int64_t> tags;
  std::vector<std::pair<std::int64_t, std::int64_t>> snapshot_log;      ///< time, snapshot
  std::vector<std::pair<std::int64_t, std::string>> metadata_log;       ///< time, location
  std::map<std::string, std::string> properties;

  /// The id of a schema with these fields; a new one if there is none.
  int SchemaId(const std::vector<Field>& fields);
  /// The spec of these fields, which get their ids; a new one if there is none.
  int SpecId(std::vector<PartitionField>& fields);
  /// Names partition fields after the columns as they are called now; no name is a column's but an identity's.
  void NameSpecs(const std::vector<Field>& columns);
  const Spec& spec(int id) const;
  /// Drops snapshots; and of the log all up to the last one that is gone, as readers demand.
  void KeepOnly(const std::set<std::int64_t>& ids);
  Snapshot* snapshot(std::int64_t id);

  std::string Encode() const;
  /// None where the text is no metadata of ours.
  static std::optional<TableMetadata> Decode(std::string_view json);
};

/// The array of a spec's fields, as manifests and metadata state it.
nlohmann::json ToJson(const Spec& spec);

}  // namespace nano::publish
