// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One writer on a catalog in PostgreSQL, whatever machine it is on: what the SQLite file has of its locks. A lock of the session
/// keeps a second writer out while the first lives; an epoch that rises with each writer, and that a trigger on the snapshots checks,
/// keeps out one that was taken for dead. So it holds for both lanes, and for programs that are not ours. A row says which warehouse the
/// catalog is of: one of the same name elsewhere must not take it.

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/database.h"
#include "lake/place.h"

namespace nano::lake {

class CatalogGuard {
 public:
  /// Makes the schema where it is missing, takes the lock and raises the epoch.
  /// kConflict: another process writes, which the message names, or the catalog is another warehouse's.
  static Result<std::unique_ptr<CatalogGuard>> Take(engine::Database& database, const PostgresCatalog& catalog);

  ~CatalogGuard();

  /// What each commit must show.
  std::int64_t epoch() const { return epoch_; }
  /// From now on no snapshot is made without the epoch. Once DuckLake's own tables are there.
  Status Fence();
  /// Waits until what was sent to be committed is committed or undone. Where it can't, its outcome is unknown.
  Status Settle();

 private:
  explicit CatalogGuard(const PostgresCatalog& catalog) : catalog_(catalog) {}
  Status Lock();
  Status MakeSchema();
  Status Claim();
  Status Send(const std::string& sql);
  Result<engine::Rows> Ask(const std::string& sql);

  const PostgresCatalog catalog_;
  std::unique_ptr<engine::Connection> connection_;   ///< its transaction keeps the one session that holds the lock
  std::int64_t epoch_ = 0;
};

}  // namespace nano::lake
