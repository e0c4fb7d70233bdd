// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where a file source stands: how far it was read, and enough of what was read to know the file again. A file that has
/// grown is read on; one that was replaced (other bytes where we have been) starts anew. Not for "-".

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace nano::ingest {

struct FilePlace {
  std::string path;
  std::uint64_t offset = 0;
  std::string head_hash, tail_hash;   ///< of up to 64 KB at the start and of up to 64 KB before `offset`

  /// Whether the file still has what was read of it.  kUnavailable: it can't be read.
  Result<bool> Holds() const;
  /// The place `end` in the file, its hashes taken anew.
  static Result<FilePlace> At(const std::filesystem::path& path, std::uint64_t end);

  nlohmann::json ToJson() const;
  static FilePlace FromJson(const nlohmann::json& json);
};

}  // namespace nano::ingest
