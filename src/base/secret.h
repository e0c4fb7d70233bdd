// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Secrets as types: a Secret never prints, a SecretTemplate is text with `${env:X}` and `${file:/path}` still in
/// place, which is what bundles, plans and logs may show. Resolving is done where the value is used.

#include <string>
#include <vector>

#include "base/result.h"

namespace nano {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  /// The value, for the one call that needs it.
  const std::string& Reveal() const { return value_; }

 private:
  std::string value_;
};

class SecretTemplate {
 public:
  SecretTemplate() = default;
  explicit SecretTemplate(std::string text) : text_(std::move(text)) {}

  /// As written, references unresolved; safe to show.
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool has_references() const;
  /// The names it refers to, `env:X` or `file:/path`, in order.
  std::vector<std::string> references() const;
  /// With every reference replaced.  kInvalid: a variable is unset, a file can't be read, or a `${` has no end.
  Result<Secret> Resolve() const;
  /// The same for a template that is JSON: each value is escaped as it is put into its string.
  Result<Secret> ResolveInJson() const;

 private:
  std::string text_;
};

}  // namespace nano
