// SPDX-License-Identifier: Apache-2.0
#include "publish/fingerprint.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/check.h"

namespace nano::publish {

void Fingerprint::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Fingerprint::Fingerprint() : context_(EVP_MD_CTX_new()) {
  NANO_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

Fingerprint& Fingerprint::Add(std::string_view part) {
  Add(static_cast<std::int64_t>(part.size()));
  NANO_CHECK(EVP_DigestUpdate(context_.get(), part.data(), part.size()) == 1);
  return *this;
}

Fingerprint& Fingerprint::Add(std::int64_t part) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(static_cast<std::uint64_t>(part) >> (8 * i));
  NANO_CHECK(EVP_DigestUpdate(context_.get(), bytes, sizeof bytes) == 1);
  return *this;
}

std::string Fingerprint::Hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  NANO_CHECK(EVP_DigestFinal_ex(context_.get(), digest, &size) == 1 && size == 32);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string Fingerprint::Short() { return Hex().substr(0, 16); }

std::string Fingerprint::Uuid() {
  std::string hex = Hex();
  hex[12] = '8';
  hex[16] = "89ab"[hex[16] % 4];
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4), hex.substr(20, 12));
}

}  // namespace nano::publish
