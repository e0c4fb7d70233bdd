// SPDX-License-Identifier: Apache-2.0
#include "lake/delete_name.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/check.h"
#include "io/file_uri.h"

namespace nano::lake {

std::string DeleteNameEnd(const std::filesystem::path& folder) {
  const std::string uri = io::FileUri((folder / "x").parent_path());   // with a slash at its end or without
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  NANO_CHECK(EVP_Digest(uri.data(), uri.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  std::string end = "-";
  for (std::size_t i = 0; i < 8; ++i) end += fmt::format("{:02x}", digest[i]);
  return end + "-deletes.parquet";
}

bool NamesItsData(const std::filesystem::path& delete_file) {
  const std::string name = delete_file.filename().string();
  return name.starts_with("nh-") && name.ends_with(DeleteNameEnd(delete_file.parent_path()));
}

}  // namespace nano::lake
