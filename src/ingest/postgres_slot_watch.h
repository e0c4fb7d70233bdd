// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A source's replication slot, looked at from time to time whether or not the source is read: what it holds back fills the
/// database's disk. One that holds back more than `max_wal` is dropped. One thread.

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "contract/model.h"
#include "ingest/postgres_setup.h"

namespace nano::ingest {

struct SlotStanding {
  Slot slot;
  std::string warning;      ///< it may soon be lost; "" if all is well
  std::string dropped;      ///< why it was dropped just now
};

class SlotWatch {
 public:
  SlotWatch(const contract::Source& source, const std::string& warehouse);
  /// kUnavailable: the database can't be asked now.
  Result<SlotStanding> Look();

 private:
  const contract::Source source_;
  const std::string name_;
  std::unique_ptr<io::Postgres> connection_;
};

}  // namespace nano::ingest
