// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where a lake lies: the tables' files in a folder, its catalog in a SQLite file or in a schema of a PostgreSQL database.

#include <filesystem>
#include <optional>
#include <string>

#include "base/secret.h"
#include "contract/layout.h"

namespace nano::lake {

/// A catalog in PostgreSQL.
struct PostgresCatalog {
  SecretTemplate url;              ///< postgresql://…, with references in it; resolved where a session is opened
  std::string schema;              ///< of its own; everything of the catalog lies in it
  std::filesystem::path mark;      ///< a file of ours beside the journal: which schema, and the id by which the catalog knows us
};

struct Place {
  std::filesystem::path data;      ///< folder of the tables' files
  std::filesystem::path catalog;   ///< SQLite file; its folder holds what is beside the catalog in any case
  std::filesystem::path spill;     ///< temporary files
  std::filesystem::path index = {};  ///< key indexes, a cache; empty: beside the catalog
  std::optional<PostgresCatalog> postgres = {};   ///< the catalog is there, not in `catalog`
};

/// As a warehouse's contract says.
Place PlaceOf(const contract::Layout& layout);

}  // namespace nano::lake
