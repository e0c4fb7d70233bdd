// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A PostgreSQL server's address, taken apart so that the password goes another way than the rest: into a secret of the
/// session, and never into a statement or a message. A pure function.

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nano::lake {

struct PostgresUrl {
  std::string host, port, user, password, database;   ///< empty: as libpq chooses
  std::map<std::string, std::string> parameters;      ///< others: sslmode, connect_timeout, …
};

/// `postgresql://[user[:password]@][host[:port]][/database][?parameter=value&…]`, percent-encoded; several hosts with commas between
/// them.  kInvalid: it is none; the message does not quote it.
Result<PostgresUrl> ParsePostgresUrl(std::string_view url);

/// libpq's `key='value' …`.
std::string ConnectionText(const std::map<std::string, std::string>& parameters);

}  // namespace nano::lake
