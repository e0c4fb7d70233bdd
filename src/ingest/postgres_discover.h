// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A PostgreSQL database looked at from outside: what tables it has, and what it lacks before they can be read. Reads only.

#include <string>
#include <vector>

#include "base/data_type.h"
#include "base/result.h"
#include "base/secret.h"
#include "contract/model.h"
#include "ingest/postgres_setup.h"

namespace nano::ingest {

struct DatabaseTable {
  struct Column {
    std::string name;
    DataType type;                ///< that it lands as
    std::string description;
  };
  std::string stream, description;
  std::vector<Column> columns;
  std::vector<std::string> key;
  std::vector<std::string> notes;
};
struct Database {
  std::string name;
  std::vector<DatabaseTable> tables;
};

/// All tables, or those that the source's patterns take; of partitioned ones the root.
Result<Database> DescribeDatabase(const Secret& url, const contract::PostgresSource& source);

/// How a source stands: what lacks, and its slot.
struct DatabaseStanding {
  std::vector<Lack> lacks;
  std::string slot_name;
  Slot slot;
  std::size_t tables = 0;
  bool ddl_trigger = false;        ///< it tells of DDL that changes rows
};
/// `streams`: what the warehouse's tables name.
Result<DatabaseStanding> LookAtDatabase(const contract::Source& source, const std::string& warehouse, const std::vector<std::string>& streams);
/// kDenied: the role may not.
Status InstallDdlTrigger(const contract::Source& source);

}  // namespace nano::ingest
