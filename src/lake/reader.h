// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The one read path: a read-only attachment of the lake, at its newest snapshot or at a fixed cut. Any number of readers
/// in any process; each one thread. Whoever holds a cut for longer takes a lease on it in state/ first.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lake/lake.h"

namespace nano::lake {

struct ReaderOptions {
  std::optional<std::int64_t> snapshot;   ///< none: the newest at each transaction
  int threads = 0;
  std::string memory_limit = "1GB";
};

class Reader {
 public:
  virtual ~Reader() = default;
  /// kNotFound: there is no lake yet.
  static Result<std::unique_ptr<Reader>> Open(const Place& place, const ReaderOptions& options);
  virtual engine::Database& database() = 0;
  virtual engine::Connection& connection() = 0;
};

/// The snapshot that `at` names: a snapshot's number, `SOURCE:POSITION` (the newest cut that contains the source up to
/// no more than that position), or a time (`2024-05-01 10:00:00+02`; UTC where it names no zone).
/// kInvalid: none of these; kNotFound: no snapshot so old is kept.
Result<std::int64_t> SnapshotAt(engine::Connection& connection, const std::string& at);

/// The cut of a snapshot.
Result<Cut> CutOf(engine::Connection& connection, std::int64_t snapshot);

}  // namespace nano::lake
