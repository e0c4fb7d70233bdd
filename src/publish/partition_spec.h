// SPDX-License-Identifier: Apache-2.0
#pragma once
/// DuckLake's partitions as Iceberg's: which transforms are the same function in both, and a file's place in them. What
/// is not exactly the same is published as unpartitioned (spec 0), which is always right: bounds still prune.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "publish/datum.h"
#include "publish/iceberg_type.h"
#include "publish/table_state.h"

namespace nano::publish {

struct PartitionField {
  int source = 0;                 ///< field id of the column
  std::string transform;          ///< `identity`, `bucket[16]`, `year`, `month`, `day`, `hour`
  IcebergType type;               ///< of the partition's value
  std::vector<std::size_t> keys;  ///< DuckLake's keys that it is made of: year, month, …
  bool of_instant = false;        ///< made of a timestamp, not of a date
  int id = 0;                     ///< field id, from 1000; given by the table's metadata
  std::string name;               ///< given by the table's metadata
};

using Tuple = std::vector<std::optional<Datum>>;

/// A column that a partition may be made of.
struct PartitionSource {
  int id = 0;
  IcebergType type;
};

/// The fields (without ids and names) of a DuckLake partition; none where it has no exact form.
std::optional<std::vector<PartitionField>> ToPartitionFields(const std::vector<PartitionKey>& keys, const std::vector<PartitionSource>& columns);
/// A file's partition; none where a value can't be stated exactly.
std::optional<Tuple> ToTuple(const std::vector<PartitionField>& fields, const std::vector<std::optional<std::string>>& values);

}  // namespace nano::publish
