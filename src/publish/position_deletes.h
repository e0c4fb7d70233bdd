// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Own position-delete files. Those of the lake can't be named by Iceberg (their field ids are others), so the positions
/// that are deleted at a snapshot are written anew: sorted, without doubles, one file for the data files of one
/// partition. A file's name says what it holds, so a later snapshot with the same deletes uses it again.

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/database.h"
#include "publish/table_state.h"

namespace nano::publish {

struct OwnDeleteFile {
  std::vector<const DataFile*> data;       ///< whose rows it deletes
  std::string location;
  std::int64_t records = 0, bytes = 0;
  std::int64_t snapshot = 0;               ///< the lake snapshot that it was first written for
};

class PositionDeletes {
 public:
  /// `folder` takes the files. The state must outlive this.
  PositionDeletes(engine::Connection& connection, const TableState& state, std::filesystem::path folder)
      : connection_(connection), state_(state), folder_(std::move(folder)), signatures_(Signatures(state)) {}

  /// The data files that have deleted rows, or rows to be hidden: by id, a text of what their deletes depend on.
  static std::map<std::int64_t, std::string> Signatures(const TableState& state);
  const std::map<std::int64_t, std::string>& signatures() const { return signatures_; }
  /// Writes (or finds) the files for these groups of touched data files, durably. A group whose deletes turn out to be
  /// none gives no file.
  Result<std::vector<OwnDeleteFile>> Write(const std::vector<std::vector<const DataFile*>>& groups);

 private:
  struct Known {
    std::int64_t snapshot = 0, records = 0;
    std::filesystem::path path;
  };
  Result<std::map<std::string, Known>> ReadFolder() const;
  Status LoadPositions(const std::set<std::int64_t>& files);
  Status LoadFromDeleteFiles(const std::set<std::int64_t>& files, bool by_snapshot);
  Status LoadYoungerRows(const std::set<std::int64_t>& files);
  Status LoadInlined(const std::set<std::int64_t>& files);
  Result<OwnDeleteFile> WriteGroup(const std::vector<const DataFile*>& group, const std::string& fingerprint);

  engine::Connection& connection_;
  const TableState& state_;
  std::filesystem::path folder_;
  std::map<std::int64_t, std::string> signatures_;
};

}  // namespace nano::publish
