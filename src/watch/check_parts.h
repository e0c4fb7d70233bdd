// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The parts of CheckStores(), a file each.

#include <optional>
#include <set>

#include "watch/doctor.h"

namespace nano::watch {

Trouble MakeTrouble(Code code, std::string message, std::string hint = {});
/// Whether another process holds the right to write: then what looks like a left-over may be its work.
bool OthersWrite(const contract::Layout& layout);

Check CheckJournal(const std::filesystem::path& folder, const Looking& looking, bool others_write);

/// Catalog and tables' files. `named`: every file that the catalog names, where all of it could be read.
std::vector<Check> CheckLake(const contract::Layout& layout, const Looking& looking, std::optional<std::set<std::filesystem::path>>& named);

Check CheckIndexes(const contract::Layout& layout, const Looking& looking);
Check CheckPublished(const contract::Layout& layout);
/// Files of batches that were given up (only where the catalog could be read), temporary files.
Check CheckLeftOvers(const contract::Layout& layout, const Looking& looking, const std::optional<std::set<std::filesystem::path>>& named);

/// Renames a file or folder so that nothing reads it any more, and its grace begins. Nothing happens where it is gone.
Status SetAside(const std::filesystem::path& path);
inline constexpr const char* kAside = ".damaged-";

}  // namespace nano::watch
