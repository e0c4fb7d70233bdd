// SPDX-License-Identifier: Apache-2.0
#include "publish/location.h"

#include "io/file_uri.h"

namespace nano::publish {

std::string Location(const std::filesystem::path& path) { return io::FileUri(path); }

std::filesystem::path LocalPath(std::string_view location) {
  constexpr std::string_view kScheme = "file://";
  if (location.starts_with(kScheme)) location.remove_prefix(kScheme.size());
  return std::filesystem::path(location).lexically_normal();
}

Status CheckLocation(std::string_view location) {
  if (location.find_first_of("#?") != location.npos) {
    return Fail(Code::kUnsupported, "a path with # or ? in it can not be read by every engine");
  }
  return {};
}

std::filesystem::path BuildFolder(const std::filesystem::path& root, std::string_view build) {
  std::string name;
  for (const char c : build) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (plain) {
      name += c;
    } else {
      name += fmt::format("={:02X}", static_cast<unsigned char>(c));
    }
  }
  return root / "iceberg" / name;
}

std::filesystem::path NamesFile(const std::filesystem::path& root) { return root / "iceberg" / "names.json"; }

}  // namespace nano::publish
