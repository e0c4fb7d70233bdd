// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The manifests that are there already. A manifest's name says which entries it has (a digest), for which lake snapshot it
/// was written and which of them that snapshot added, so that a later snapshot with the same entries names it again.

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>

#include "base/result.h"

namespace nano::publish {

class ManifestFolder {
 public:
  struct Known {
    std::int64_t snapshot = 0;      ///< the lake's
    std::int64_t threshold = 0;     ///< entries born from this on are marked as added
    std::filesystem::path path;
  };

  /// `<digest>-<kind>-<snapshot>-<threshold>.avro`
  static std::string Name(const std::string& digest, const char* kind, const Known& known) {
    return fmt::format("{}-{}-{}-{}.avro", digest, kind, known.snapshot, known.threshold);
  }

  /// Those that were not written for a snapshot later than `until`.  kUnavailable.
  static Result<ManifestFolder> Read(const std::filesystem::path& folder, std::int64_t until);

  std::optional<Known> Find(const std::string& digest) const {
    const auto at = known_.find(digest);
    return at == known_.end() ? std::nullopt : std::optional(at->second);
  }

 private:
  std::map<std::string, Known> known_;
};

}  // namespace nano::publish
