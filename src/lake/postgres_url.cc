// SPDX-License-Identifier: Apache-2.0
#include "lake/postgres_url.h"

#include <optional>

#include "wire/hex.h"

namespace nano::lake {
namespace {

std::optional<std::string> Decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? wire::HexDigit(text[i + 1]) : -1, low = i + 2 < text.size() ? wire::HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// Cuts `text` at the first `mark`: what stood before it; all of it where there is none.
std::string_view Take(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return before;
}

/// One `host[:port]`, added to the lists.
bool AddHost(std::string_view text, PostgresUrl& url) {
  std::string_view host = text;
  if (text.starts_with('[')) {   // IPv6
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text[0] != ':') return false;
    text.remove_prefix(text.empty() ? 0 : 1);
  } else {
    host = Take(text, ':');
  }
  const auto decoded = Decoded(host);
  if (!decoded || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  url.host += *decoded;
  url.port += text;
  return true;
}

bool AddParameter(std::string_view text, PostgresUrl& url) {
  const auto name = Decoded(Take(text, '=')), value = Decoded(text);
  if (!name || name->empty() || !value) return false;
  std::string* const own = *name == "host"       ? &url.host
                           : *name == "port"     ? &url.port
                           : *name == "user"     ? &url.user
                           : *name == "password" ? &url.password
                           : *name == "dbname"   ? &url.database
                                                 : nullptr;
  (own ? *own : url.parameters[*name]) = *value;
  return true;
}

}  // namespace

Result<PostgresUrl> ParsePostgresUrl(std::string_view text) {
  const auto fail = [] {
    return WithHint(Fail(Code::kInvalid, "storage.catalog is no URL of a PostgreSQL database"), "Write postgresql://user@host:5432/database.");
  };
  const std::size_t scheme = text.starts_with("postgresql://") ? 13 : text.starts_with("postgres://") ? 11 : 0;
  if (scheme == 0) return fail();
  text.remove_prefix(scheme);
  std::string_view query = text;
  text = Take(query, '?');
  std::string_view path = text;
  std::string_view authority = Take(path, '/');
  PostgresUrl url;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    std::string_view password = authority.substr(0, at);
    const auto user = Decoded(Take(password, ':')), decoded = Decoded(password);
    if (!user || !decoded) return fail();
    url.user = *user;
    url.password = *decoded;
    authority.remove_prefix(at + 1);
  }
  for (bool first = true; first || !authority.empty(); first = false) {
    if (!first) {
      url.host += ',';
      url.port += ',';
    }
    if (!AddHost(Take(authority, ','), url)) return fail();
  }
  if (url.port.find_first_not_of(',') == std::string::npos) url.port.clear();
  const auto database = Decoded(path);
  if (!database) return fail();
  url.database = *database;
  while (!query.empty())
    if (!AddParameter(Take(query, '&'), url)) return fail();
  return url;
}

std::string ConnectionText(const std::map<std::string, std::string>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    out += (out.empty() ? "" : " ") + name + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    out += '\'';
  }
  return out;
}

}  // namespace nano::lake
