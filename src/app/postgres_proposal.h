// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A PostgreSQL database as a proposal of a source and its tables: what `discover` and `init --from` write down.

#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "contract/model.h"
#include "discover/proposal_yaml.h"
#include "discover/streams.h"

namespace nano::app {

/// Whether the text is a URL of PostgreSQL's.
bool IsPostgresUrl(const std::string& text);

struct SeenDatabase {
  std::string name;
  discover::Seen seen;
};
Result<SeenDatabase> SeePostgres(const Secret& url, const contract::PostgresSource& source);

/// A source of that name; the URL, which may hold a password, is left to an environment variable.
discover::ProposedSource PostgresSourceOf(const std::string& name);

}  // namespace nano::app
