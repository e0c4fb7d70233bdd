// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A digest (SHA-256) of what a published file depends on. Names of files are made of it, so equal content has one name.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace nano::publish {

class Fingerprint {
 public:
  Fingerprint();
  /// Parts are told apart: ("ab", "c") is not ("a", "bc").
  Fingerprint& Add(std::string_view part);
  Fingerprint& Add(std::int64_t part);
  /// The first 16 hexadecimal digits. Nothing may be added after it.
  std::string Short();
  /// The digest in the form of a UUID (version 8). Nothing may be added after it.
  std::string Uuid();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::string Hex();
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace nano::publish
