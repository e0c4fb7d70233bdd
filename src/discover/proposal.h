// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What tables a source's streams would make: one a stream, with types that hold every value that was seen, its key and
/// its descriptions. A value; how it is written down is discover/proposal_yaml.h.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/data_type.h"
#include "discover/stream_fields.h"

namespace nano::discover {

enum class StreamKind { kSinger, kDebezium, kPostgres };

struct ProposedColumn {
  std::string name;
  std::string field;            ///< in the source; as `name` where they are equal
  DataType type;
  std::string description;
  std::string note;             ///< why the type is as it is, where that may surprise
};

struct ProposedTable {
  std::string stream, name, description;
  std::vector<std::string> key;            ///< columns; empty: none
  bool append = false;                     ///< rows can only be added, as the source's key can't be used
  std::vector<ProposedColumn> columns;
  std::uint64_t records = 0;               ///< seen
  std::vector<std::string> notes;
};

struct Proposal {
  std::vector<ProposedTable> tables;       ///< in the order in which the streams came
  std::vector<std::string> notes;          ///< of the source: parts of one table, lines that are no messages
};

/// Names every table and column so that `check` takes them: what is reserved, or differs only by case, gets another name.
/// `taken`: tables that the warehouse has already.
Proposal Propose(const std::vector<SeenStream>& streams, const std::set<std::string>& taken);

/// Streams that look like parts of one (`parted_2025`, `parted_2026`): the same fields, names that differ in a number at
/// the end. Each group has two or more; by name.
std::vector<std::vector<std::string>> PartsOfOne(const std::vector<ProposedTable>& tables);

}  // namespace nano::discover
