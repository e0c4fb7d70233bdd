// SPDX-License-Identifier: Apache-2.0
#include "wire/singer_batch.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <nlohmann/json.hpp>

#include "wire/json_get.h"
#include "wire/json_scan.h"

namespace nano::wire {
namespace {

using nlohmann::json;

/// `%41` is A.
std::string Decoded(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return out;
}

Result<std::string> PathOf(const std::string& stream, const std::string& location) {
  constexpr std::string_view kScheme = "file://";
  const auto scheme = location.find("://");
  if (scheme == std::string::npos) return location;
  std::string_view rest = location;
  const bool is_file = rest.starts_with(kScheme);
  if (is_file) rest.remove_prefix(kScheme.size());
  if (is_file && rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  if (!is_file || !rest.starts_with('/'))
    return WithHint(Fail(Code::kUnsupported, "stream \"{}\" sends a batch in \"{}\", which is not a file of this machine", stream, location),
                    "Set `storage: {root: \"file:///…\"}` in the tap's batch_config.");
  return Decoded(rest);
}

}  // namespace

Result<SingerBatchFiles> ReadSingerBatch(const SingerMessage& message) {
  SingerBatchFiles batch;
  batch.stream = std::string(message.stream);
  batch.version = message.version;
  const json encoding = message.encoding.empty() ? json::object() : json::parse(message.encoding, nullptr, false);
  const std::string format = Get(encoding, "format", "jsonl"), compression = Get(encoding, "compression", "none");
  if (format != "jsonl" || (compression != "none" && compression != "gzip" && !compression.empty()))
    return WithHint(Fail(Code::kUnsupported, "stream \"{}\" sends batches of format {} with compression {}, which are not supported yet",
                         batch.stream, format, compression),
                    "Set `encoding: {format: jsonl, compression: gzip}` in the tap's batch_config.");
  batch.gzip = compression == "gzip";
  const json manifest = json::parse(message.manifest, nullptr, false);
  if (!manifest.is_array()) return Fail(Code::kInvalid, "stream \"{}\" sends a BATCH whose manifest is no list", batch.stream);
  for (const auto& location : manifest) {
    if (!location.is_string()) return Fail(Code::kInvalid, "stream \"{}\" sends a BATCH whose manifest names no file", batch.stream);
    ASSIGN(std::string path, PathOf(batch.stream, location.get<std::string>()));
    batch.paths.push_back(std::move(path));
  }
  return batch;
}

bool BatchRecord(const SingerBatchFiles& batch, std::string_view line, std::string& out) {
  ObjectScanner members(line);
  std::string_view key, value;
  while (members.Next(key, value)) {}
  const char* const rest = members.rest().data();
  if (!members.complete() || SkipSpace(rest, line.data() + line.size()) != line.data() + line.size()) return false;
  if (!simdjson::validate_utf8(line.data(), line.size())) return false;
  out = R"({"type":"RECORD","stream":)" + json(batch.stream).dump() + R"(,"record":)";
  out += line.substr(0, static_cast<std::size_t>(rest - line.data()));
  if (batch.version) out += fmt::format(R"(,"version":{})", *batch.version);
  out += '}';
  return true;
}

}  // namespace nano::wire
