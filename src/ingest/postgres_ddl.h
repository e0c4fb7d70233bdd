// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What DDL does to rows without saying so: a default that old rows get, a table that is rewritten, an enum's word that is
/// renamed. An event trigger in the database, which is optional, tells of it by a logical message of the transaction itself, and the table is
/// read once more.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/postgres.h"

namespace nano::ingest {

/// A superuser's script that makes the trigger, or makes it anew.
std::string DdlTriggerSql();
/// Whether it is there, in its newest form.
Result<bool> HasDdlTrigger(io::Postgres& connection);
/// kDenied: the role may not; the hint says what to do.
Status InstallDdlTrigger(io::Postgres& connection);

/// What the trigger told.
struct DdlMark {
  std::string stream, because;
};
/// Of a mark's text; nothing where it is another mark.
std::optional<DdlMark> ParseDdlMark(std::string_view mark);

}  // namespace nano::ingest
