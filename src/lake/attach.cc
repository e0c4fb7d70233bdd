// SPDX-License-Identifier: Apache-2.0
#include "lake/attach.h"

namespace nano::lake {

std::string AttachStatement(const Place& place, Access access, std::optional<std::int64_t> snapshot) {
  std::string sql = "ATTACH " + engine::Literal("ducklake:sqlite:" + place.catalog.string()) + " AS " + kCatalog +
                    " (DATA_PATH " + engine::Literal(place.data.string() + "/") +
                    ", OVERRIDE_DATA_PATH true, DATA_INLINING_ROW_LIMIT 0, META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 5000";
  if (access == Access::kReadOnly) sql += ", READ_ONLY";
  if (snapshot) sql += ", SNAPSHOT_VERSION " + std::to_string(*snapshot);
  return sql + ")";
}

std::string BuildTable(const std::string& build) {
  return std::string(kCatalog) + ".build." + engine::Quote(build);
}

}  // namespace nano::lake
