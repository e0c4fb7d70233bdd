// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Writes the files of one Iceberg snapshot: own deletes, manifests, the list of them. Their content is a function of
/// the table's state and of the parent; their names are digests of that, so writing them again changes nothing.

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "engine/database.h"
#include "publish/table_metadata.h"
#include "publish/table_state.h"

namespace nano::publish {

/// Iceberg's id of a lake snapshot: past 32 bits, or Trino takes it for an INTEGER.
constexpr std::int64_t SnapshotId(std::int64_t lake_snapshot) { return (std::int64_t{1} << 42) + lake_snapshot; }

/// Keys of a snapshot's summary that the next publication needs.
constexpr const char* kLakeSnapshot = "nanohouse.snapshot";
constexpr const char* kNextFileId = "nanohouse.next-file-id";
constexpr const char* kFiles = "nanohouse.files";
constexpr const char* kState = "nanohouse.state";

/// A table's state with its place in the table's metadata.
class PlacedState {
 public:
  /// Gives schema and specs their ids in `metadata`.
  PlacedState(const TableState& state, TableMetadata& metadata);

  const TableState& state() const { return state_; }
  int schema_id() const { return schema_id_; }
  /// Of the partition in force; 0 where it has no form.
  int default_spec() const { return default_spec_; }

  struct Place {
    int spec = 0;
    Tuple tuple;
  };
  const Place& place(std::size_t file) const { return places_[file]; }
  const std::vector<PartitionField>& fields(int spec) const { return fields_.at(spec); }
  /// Names of partition fields are known only once all specs are.
  void TakeNames(const TableMetadata& metadata);
  /// A digest of all that is published of this state.
  std::string Digest(const TableMetadata& metadata) const;

 private:
  const TableState& state_;
  int schema_id_ = 0, default_spec_ = 0;
  std::map<int, std::vector<PartitionField>> fields_;  // by spec
  std::vector<Place> places_;
};

/// Where a snapshot's files go.
struct SnapshotFolders {
  std::filesystem::path metadata, deletes;
};

/// Writes all files durably, and gives the snapshot. `files` is FilesOfSnapshots()'s text for it.
Result<Snapshot> WriteSnapshot(engine::Connection& connection, const SnapshotFolders& folders, const TableMetadata& metadata,
                               const PlacedState& placed, const std::string& files, const Snapshot* parent);

}  // namespace nano::publish
