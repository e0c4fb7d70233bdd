// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a database must have before its changes can be read: settings, rights, a publication with the tables and a slot. It is
/// made where we may; else the SQL that a person has to run is said.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/model.h"
#include "io/postgres.h"
#include "wire/pgoutput.h"

namespace nano::ingest {

/// Something that the database lacks, and the SQL that gives it.
struct Lack {
  std::string what;
  std::string sql;
};

/// The slot's name where the contract gives none: `nanohouse_shop_db`, of the letters that a slot may have.
std::string SlotName(const contract::Source& source, const std::string& warehouse);

/// The tables that are read: those of `named` (schema.table), and of the database's those that the source's patterns take.
Result<std::vector<std::string>> WantedStreams(io::Postgres& connection, const contract::PostgresSource& source, const std::vector<std::string>& named);

/// All that is missing, in the order in which it is to be given; nothing is changed.
Result<std::vector<Lack>> FindLacks(io::Postgres& connection, const contract::PostgresSource& source, const std::vector<std::string>& streams);

/// Makes the publication, or adds the tables that it lacks.  kInvalid, kDenied: with the SQL as the hint.
Status MakePublication(io::Postgres& connection, const contract::PostgresSource& source, const std::vector<std::string>& streams);

enum class SlotState { kMissing, kLost, kThere };
struct Slot {
  SlotState state = SlotState::kMissing;
  wire::Lsn confirmed;            ///< what the server will not send again
  std::int64_t held_bytes = 0;    ///< log that it holds back
  std::optional<std::int64_t> safe_bytes;   ///< how much more may be written before the server gives it up; nothing: it never does
  std::string wal_status;
};
/// kInvalid: a slot of that name is another program's.
Result<Slot> FindSlot(io::Postgres& connection, const std::string& name);
/// Its point: all transactions that commit later come.
Result<wire::Lsn> MakeSlot(io::Postgres& connection, const std::string& name);
/// kNotFound: there is none. One that is in use is waited for, for a while; then kUnavailable.
Status DropSlot(io::Postgres& connection, const std::string& name);
/// The same, and whoever reads it is cut off.
Status SeizeSlot(io::Postgres& connection, const std::string& name);

/// Which database it is, so that another in its place is noticed.
struct SystemIdentity {
  std::string system;             ///< of the cluster
  std::string database;
  wire::Lsn end;                  ///< of its log
};
Result<SystemIdentity> Identify(io::Postgres& connection);

}  // namespace nano::ingest
