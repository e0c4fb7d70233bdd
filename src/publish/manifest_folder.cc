// SPDX-License-Identifier: Apache-2.0
#include "publish/manifest_folder.h"

namespace nano::publish {

Result<ManifestFolder> ManifestFolder::Read(const std::filesystem::path& folder, std::int64_t until) {
  ManifestFolder out;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const auto kind = name.find('-'), snapshot = name.find('-', kind + 1);
    if (kind == name.npos || snapshot == name.npos || !name.ends_with(".avro") || name.starts_with("snap-")) continue;
    Known known{.path = entry->path()};
    const char* const last = name.data() + name.size();
    const auto first = std::from_chars(name.data() + snapshot + 1, last, known.snapshot);
    if (first.ec != std::errc() || first.ptr == last || *first.ptr != '-') continue;
    const auto second = std::from_chars(first.ptr + 1, last, known.threshold);
    if (second.ec != std::errc() || second.ptr == last || *second.ptr != '.') continue;
    if (known.snapshot > until) continue;
    Known& best = out.known_[name.substr(0, kind)];
    if (best.path.empty() || best.snapshot < known.snapshot) best = std::move(known);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return Fail(Code::kUnavailable, "the folder {} can not be read: {}", folder.string(), error.message());
  return out;
}

}  // namespace nano::publish
