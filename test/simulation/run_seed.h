// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One run of the program in a world of its own, from its seed alone: clients change the database, the program reads and lands, and all
/// that can go wrong does; then it goes wrong no more, the clients rest, and every table must become equal to the database's.

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <string>

namespace nano::simulation {

struct SeedOptions {
  std::uint64_t seed = 0;
  std::size_t steps = 400;
  bool prints = false;
};

struct Outcome {
  std::string failure;            ///< empty: all was as it must be
  std::size_t step = 0;
  std::uint64_t digest = 0, faults = 0, commits = 0, looks = 0, log_records = 0;
  std::map<std::string, std::uint64_t> faults_by_kind;
  std::deque<std::string> last;   ///< lines of its trace
};

/// `folder` is made, and removed at the end unless NANO_KEEP is set.
Outcome RunSeed(const SeedOptions& options, const std::filesystem::path& folder);

}  // namespace nano::simulation
