// SPDX-License-Identifier: Apache-2.0
#include "ingest/file_place.h"

#include <openssl/sha.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "wire/json_get.h"

namespace nano::ingest {
namespace {

constexpr std::uint64_t kHashed = 64 << 10;

Result<std::string> HashOf(const std::filesystem::path& path, std::uint64_t begin, std::uint64_t end) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(Code::kUnavailable, "file \"{}\" can't be read", path.string());
  std::string bytes(static_cast<std::size_t>(end - begin), '\0');
  file.seekg(static_cast<std::streamoff>(begin));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (static_cast<std::uint64_t>(file.gcount()) != bytes.size()) return std::string();
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace

Result<FilePlace> FilePlace::At(const std::filesystem::path& path, std::uint64_t end) {
  FilePlace place{path.string(), end, {}, {}};
  ASSIGN(place.head_hash, HashOf(path, 0, std::min(end, kHashed)));
  ASSIGN(place.tail_hash, HashOf(path, end - std::min(end, kHashed), end));
  return place;
}

Result<bool> FilePlace::Holds() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return Fail(Code::kNotFound, "file \"{}\" can't be read: {}", path, error.message());
  if (size < offset) return false;
  ASSIGN(const FilePlace now, At(path, offset));
  return now.head_hash == head_hash && now.tail_hash == tail_hash;
}

nlohmann::json FilePlace::ToJson() const {
  return {{"path", path}, {"offset", offset}, {"head", head_hash}, {"tail", tail_hash}};
}

FilePlace FilePlace::FromJson(const nlohmann::json& json) {
  FilePlace place;
  if (!json.is_object()) return place;
  place.path = wire::Get(json, "path", "");
  place.offset = wire::Get(json, "offset", std::uint64_t{0});
  place.head_hash = wire::Get(json, "head", "");
  place.tail_hash = wire::Get(json, "tail", "");
  return place;
}

}  // namespace nano::ingest
