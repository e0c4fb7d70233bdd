// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where published files lie, and the one function that makes a location of a path. Readers compare locations byte for
/// byte (a position delete whose file_path differs by a slash is ignored in silence), so nothing else builds one.

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nano::publish {

/// `file:///abs/path` of a path below an absolute root.
std::string Location(const std::filesystem::path& path);
/// The local path that a location, or a path of the catalog, names. Locations are never percent-decoded.
std::filesystem::path LocalPath(std::string_view location);
/// kUnsupported where a reader would misread the location: `#` and `?` begin another part of a URI for some.
Status CheckLocation(std::string_view location);

/// `<root>/iceberg/<build>`: one folder a build, named in the characters that need no escape in any URI.
std::filesystem::path BuildFolder(const std::filesystem::path& root, std::string_view build);
/// `<root>/iceberg/names.json`: from names to the metadata that they mean.
std::filesystem::path NamesFile(const std::filesystem::path& root);

}  // namespace nano::publish
