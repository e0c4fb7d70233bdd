// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Writes Apache Iceberg v2 metadata over the lake's own Parquet files, so that other engines read the tables. A function
/// of the catalog: publishing the same snapshot again changes nothing, and a crash leaves what was published before, as
/// metadata.json comes last and names.json after it. What can't be expressed exactly is refused, never published wrong.
///
/// Everything lies under <root>/iceberg, outside the lake's data path. External engines read these tables and never
/// write them. Files of earlier publications stay. One publisher at a time, and not for several threads.

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/database.h"

namespace nano::publish {

struct PublishRequest {
  std::string schema = "build";
  std::string table;                        ///< the physical table
  std::int64_t snapshot = 0;                ///< of the lake
  std::map<std::string, std::int64_t> tags; ///< name -> lake snapshot; the tags that the table has from now on
  std::set<std::string> hidden_columns = {"_position", "_committed_at"};
  std::string doc;                          ///< empty: the table's comment
};

struct Published {
  std::string metadata_location;       ///< what the name means now; of a refused table, its last good one, if any
  std::int64_t snapshot_id = 0;        ///< Iceberg's
  std::int64_t snapshot = 0;           ///< the lake snapshot that it shows: its lease
  std::int64_t rows = 0, files = 0;
  bool written = false;                ///< false: everything was there already
  std::string refused;                 ///< why this table can't be published exactly; empty: it was
  std::vector<std::string> warnings;   ///< tags that can't be kept, types that some engine can't read
};

class Publisher {
 public:
  /// `connection` has the lake attached as `lake`, and no transaction open. `root` holds the folder lake/ with its data.
  Publisher(engine::Connection& connection, const std::filesystem::path& root);

  /// kNotFound: no such table or snapshot.  kUnavailable: a file could not be read or written; try again.
  Result<Published> Publish(const PublishRequest& request);

  /// Makes names mean metadata (locations), all at once. The last step of a publication.
  Status WriteNames(const std::map<std::string, std::string>& names);
  /// What names mean now. kCorrupt: the file is not ours.
  Result<std::map<std::string, std::string>> ReadNames() const;

 private:
  engine::Connection& connection_;
  std::filesystem::path root_;
};

}  // namespace nano::publish
