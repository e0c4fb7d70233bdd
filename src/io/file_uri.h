// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The one function that makes the URI of a local file. Readers compare locations byte for byte (a position delete whose
/// file_path differs by a slash is ignored in silence), so nothing else builds one.

#include <filesystem>
#include <string>

namespace nano::io {

/// `file:///abs/path` of an absolute path. Never percent-encoded.
inline std::string FileUri(const std::filesystem::path& path) { return "file://" + path.lexically_normal().string(); }

}  // namespace nano::io
