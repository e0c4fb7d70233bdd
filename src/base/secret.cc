// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace nano {
namespace {

constexpr std::size_t kLargestFile = 1 << 20;

/// One `${…}`: where it begins and ends in the text, and what stands inside.
struct Reference {
  std::size_t begin = 0, end = 0;
  std::string_view name;
};

/// The next reference at or after `from`; false: there is none. An unclosed one ends with the text.
bool Next(std::string_view text, std::size_t from, Reference& out) {
  const std::size_t begin = text.find("${", from);
  if (begin == std::string_view::npos) return false;
  const std::size_t close = text.find('}', begin);
  out.begin = begin;
  out.end = close == std::string_view::npos ? text.size() + 1 : close + 1;
  out.name = text.substr(begin + 2, close == std::string_view::npos ? std::string_view::npos : close - begin - 2);
  return true;
}

Result<std::string> ReadSecretFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string content(kLargestFile + 1, '\0');
  if (in) in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!in.eof() && (in.bad() || in.fail()))
    return WithHint(Fail(Code::kInvalid, "file \"{}\" can't be read", path), "Make the file, or check who may read it.");
  const auto size = static_cast<std::size_t>(in.gcount());
  if (size > kLargestFile) return Fail(Code::kInvalid, "file \"{}\" is too large for a secret", path);
  content.resize(size);
  if (!content.empty() && content.back() == '\n') content.pop_back();  // as files of secrets usually end
  if (!content.empty() && content.back() == '\r') content.pop_back();
  return content;
}

Result<std::string> Look(std::string_view name) {
  if (name.starts_with("env:")) {
    const std::string variable(name.substr(4));
    const char* const value = variable.empty() ? nullptr : std::getenv(variable.c_str());
    if (!value)
      return WithHint(Fail(Code::kInvalid, "environment variable \"{}\" is not set", variable),
                      fmt::format("Set {} before the command.", variable));
    return std::string(value);
  }
  if (name.starts_with("file:")) return ReadSecretFile(std::string(name.substr(5)));
  return WithHint(Fail(Code::kInvalid, "\"${{{}}}\" is no reference that is known", name), "Write ${env:NAME} or ${file:/path}.");
}

/// `value` as the inside of a JSON string.
std::string EscapeJson(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out;
}

Result<Secret> Replace(const std::string& text, bool in_json) {
  std::string out;
  std::size_t from = 0;
  Reference reference;
  while (Next(text, from, reference)) {
    if (reference.end > text.size()) return WithHint(Fail(Code::kInvalid, "a \"${{\" has no end"), "Close the reference with `}`.");
    out.append(text, from, reference.begin - from);
    ASSIGN(const std::string value, Look(reference.name));
    out += in_json ? EscapeJson(value) : value;
    from = reference.end;
  }
  out.append(text, from, std::string::npos);
  return Secret(std::move(out));
}

}  // namespace

bool SecretTemplate::has_references() const { return text_.find("${") != std::string::npos; }

std::vector<std::string> SecretTemplate::references() const {
  std::vector<std::string> names;
  Reference reference;
  for (std::size_t from = 0; from < text_.size() && Next(text_, from, reference); from = reference.end)
    names.emplace_back(reference.name);
  return names;
}

Result<Secret> SecretTemplate::Resolve() const { return Replace(text_, false); }
Result<Secret> SecretTemplate::ResolveInJson() const { return Replace(text_, true); }

}  // namespace nano
