// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the checkpoint of a PostgreSQL source's journal says of its place in the database, and what was asked of it while nobody
/// read: to read tables once more, to heal, to begin anew. The next who opens the source does so; until then nothing has changed.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/postgres_changes.h"
#include "journal/journal.h"
#include "wire/pgoutput.h"

namespace nano::ingest {

enum class Asked : std::uint8_t {
  kNothing,
  kResync,   ///< read tables once more; where changes are lost, make a new slot for it
  kHeal,     ///< the same, and write only what differs
  kReset,    ///< forget slot and place, and read everything anew
};
/// `resync`, as commands and the checkpoint name it; "" of kNothing.
const char* Name(Asked asked);

struct PostgresPlace {
  bool known = false;
  std::string system, database, slot;
  wire::Lsn lsn;                          ///< the end of the last transaction that is journaled
  PostgresChanges::Transaction last;
  Asked asked = Asked::kNothing;
  std::string dropped;                    ///< why the slot was dropped by ourselves; "" if it was not

  /// `postgres`: that member of the checkpoint.
  static PostgresPlace Of(const nlohmann::json& postgres);
  /// Adds its members.
  void Save(nlohmann::json& postgres) const;
};

/// Notes in the journal what is asked: of `streams`, or of all where that is empty. Nobody may read the source meanwhile.
/// kInvalid: a stream that it does not read, or nothing was ever read.
Status Ask(journal::Writer& journal, Asked asked, const std::vector<std::string>& streams);
/// Notes why the slot is gone.
Status NoteDropped(journal::Writer& journal, const std::string& why);

}  // namespace nano::ingest
