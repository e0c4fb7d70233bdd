// SPDX-License-Identifier: Apache-2.0
#include "ingest/checkpoint.h"

#include "wire/json_get.h"

namespace nano::ingest {
namespace {

constexpr int kFormat = 1;

}  // namespace

nlohmann::json NewCheckpoint() { return {{"format", kFormat}}; }

Result<nlohmann::json> ReadCheckpoint(const std::string& text) {
  if (text.empty()) return nlohmann::json();
  auto json = nlohmann::json::parse(text, nullptr, false);
  const int format = wire::Get(json, "format", 0);
  if (format != kFormat)
    return WithHint(Fail(Code::kCorrupt, "the journal's checkpoint has format {}, this program reads {}", format, kFormat),
                    "Use the program that wrote it.");
  return json;
}

}  // namespace nano::ingest
