// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Builds: the physical tables of a lake. A build's id is opaque and given at birth; additive changes are numbered
/// revisions of the same build. Names (`orders`, `v1.orders`) are views over builds, replaced in one transaction.
/// Everything here runs inside the writer's open transaction.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/data_type.h"
#include "base/result.h"
#include "contract/model.h"
#include "lake/lake.h"

namespace nano::lake {

/// What a column of ours that readers see says of its row (lake/marks.h).
enum class Mark { kNone, kDeletedAt, kOp, kValidFrom, kValidTo };

struct BuildColumn {
  std::string name;
  DataType type;
  bool not_null = false;
  std::string description;
  Mark mark = Mark::kNone;   ///< kNone: the table's own column
};

/// How rows of a build are found again.
enum class Identity {
  kNone,       ///< append: rows are only added
  kKey,        ///< upsert by `key`
  kWholeRow,   ///< upsert without a key: a change names the old row by all its columns
  kUndecided,  ///< the source's own key will tell, at the first message
};

struct BuildDefinition {
  std::string table;
  Identity identity = Identity::kUndecided;
  std::vector<std::string> key;
  std::vector<BuildColumn> columns;            ///< without the hidden ones; empty while they are to be inferred
  std::vector<contract::PartitionField> partition_by;
  std::vector<std::string> sort_by;
  std::int64_t target_file_bytes = 0;          ///< 0: the lake's
  std::string description;

  const BuildColumn* column(const std::string& name) const;
  bool has(Mark mark) const;
  /// The key that the source knows: without what tells the rows of a history apart.
  std::vector<std::string> source_key() const;
};

struct Build {
  std::string id;
  std::int64_t revision = 1;
  BuildDefinition definition;
};

/// A new id for a build: the table's name, made plain, and a part that no two births share.
std::string NewBuildId(const std::string& table);

std::string ToJson(const BuildDefinition& definition);
Result<BuildDefinition> DefinitionFromJson(const std::string& json);

/// Every build by id, as the connection's transaction sees them. `relation`, here and below: Writer::Committed() of the table.
Result<std::map<std::string, Build>> ReadBuilds(engine::Connection& connection, const std::string& relation = "lake.nanohouse.build");
/// Build ids of version `number`, by name.
Result<std::map<std::string, std::string>> ReadVersion(engine::Connection& connection, int number, const std::string& relation = "lake.nanohouse.version");
/// The version that plain names mean; 0 where nothing was applied yet.
Result<int> CurrentVersion(engine::Connection& connection, const std::string& relation = "lake.nanohouse.bundle");

/// Makes the table (hidden columns first), its partitioning and sorting, and records it.
Status CreateBuild(Writer& writer, const Build& build);
/// Brings the table from `before` to `after.definition`: new nullable columns, wider types, comments, key and identity
/// once decided. kInternal: any other difference.
Status ReviseBuild(Writer& writer, const Build& before, const Build& after);
/// The same of a table alone, which no version has and no record names.
Status MakeTable(Writer& writer, const Build& build);
Status ReviseTable(Writer& writer, const Build& before, const Build& after);
/// Tells DuckLake what a table's definition says of its files; it takes that only of committed tables, outside a
/// transaction.
Status SyncTableOptions(engine::Connection& connection, const std::map<std::string, Build>& builds);
/// Makes version `number` mean `builds`, its views and, as it is the promoted one, the plain names. Views of names that
/// are gone are dropped.
Status SetVersion(Writer& writer, int number, const std::map<std::string, Build>& builds);

}  // namespace nano::lake
