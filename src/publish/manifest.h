// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Manifests and manifest lists of Iceberg v2 as bytes (Avro). Pure; one manifest is of one spec and one content.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "publish/datum.h"
#include "publish/partition_spec.h"
#include "wire/avro.h"

namespace nano::publish {

enum class Content { kData = 0, kDeletes = 1 };

/// One file of a snapshot.
struct Entry {
  bool added = false;                        ///< by this snapshot; else it was there before
  std::int64_t snapshot_id = 0, sequence = 0;
  std::string location;
  std::int64_t records = 0, bytes = 0;
  Tuple partition;
  std::vector<std::pair<int, std::int64_t>> column_sizes, value_counts, null_counts;   ///< by field id
  std::vector<std::pair<int, std::string>> lower, upper;
  std::string referenced_data_file;          ///< of a delete file for one data file
};

/// What a manifest list says of a manifest.
struct ManifestSummary {
  std::string location;
  std::int64_t length = 0, sequence = 0, min_sequence = 0, snapshot_id = 0;
  int spec_id = 0;
  Content content = Content::kData;
  std::int64_t added_files = 0, existing_files = 0, added_rows = 0, existing_rows = 0;
  struct Part {
    bool null = false;
    std::optional<std::string> lower, upper;
  };
  std::vector<Part> parts;
};

/// What stands in a manifest's header.
struct ManifestHeader {
  std::string schema_json;
  int schema_id = 0, spec_id = 0;
  std::string spec_json;                     ///< the array of its fields
  Content content = Content::kData;
};

/// Takes entries one by one, so that only their encoded form is held.
class ManifestWriter {
 public:
  ManifestWriter(const ManifestHeader& header, std::vector<PartitionField> fields);
  Status Add(const Entry& entry);
  /// Takes an entry into the summary alone: the manifest is there already.
  void Count(const Entry& entry);
  /// The file's bytes. summary() is complete but for the location, the length and the snapshot after it.
  Result<std::string> Finish() { return file_.Finish(); }
  const ManifestSummary& summary() const { return summary_; }

 private:
  std::vector<PartitionField> fields_;
  wire::AvroFile file_;
  wire::AvroEncoder record_;
  ManifestSummary summary_;
  std::vector<std::optional<Datum>> least_, greatest_;
};

struct ManifestListHeader {
  std::int64_t snapshot_id = 0, sequence = 0;
  std::optional<std::int64_t> parent;
};
Result<std::string> EncodeManifestList(const ManifestListHeader& header, const std::vector<ManifestSummary>& manifests);

}  // namespace nano::publish
