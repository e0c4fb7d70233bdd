// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "discover/singer_schema_text.h"
#include "discover/streams.h"
#include "wire/json_get.h"
#include "wire/json_scan.h"

namespace nano::discover {
namespace {

using nlohmann::json;

/// The key: in the stream itself, or in the metadata of its root.
std::vector<std::string> KeyOf(const json& stream) {
  auto key = wire::Get(stream, "key_properties", std::vector<std::string>{});
  const json metadata = wire::Get(stream, "metadata", json::array());
  for (std::size_t n = 0; key.empty() && metadata.is_array() && n < metadata.size(); ++n) {
    if (!wire::Get(metadata[n], "breadcrumb", json::array()).empty()) continue;
    const json root = wire::Get(metadata[n], "metadata", json::object());
    for (const char* name : {"table-key-properties", "view-key-properties"})
      if (key.empty()) key = wire::Get(root, name, std::vector<std::string>{});
  }
  return key;
}

}  // namespace

void Describe(SeenStream& stream, const wire::SingerSchema& parsed, std::string_view schema) {
  for (const auto& property : parsed.properties) stream.Declare(property.name, property.type);
  if (!parsed.key_properties.empty()) stream.key = parsed.key_properties;
  const json text = json::parse(schema, nullptr, false);
  if (const std::string said = wire::Get(text, "description", ""); !said.empty()) stream.description = said;
  const json properties = wire::Get(text, "properties", json::object());
  for (auto& field : stream.fields)
    if (const std::string said = wire::Get(wire::Get(properties, field.name.c_str(), json::object()), "description", ""); !said.empty())
      field.description = said;
}

Result<Seen> ReadSingerCatalog(std::string_view text) {
  std::string_view streams;
  wire::ObjectScanner catalog(text);
  for (std::string_view name, value; catalog.Next(name, value);)
    if (name == "\"streams\"") streams = value;
  if (!catalog.complete() || !streams.starts_with('['))
    return WithHint(Fail(Code::kInvalid, "it is no Singer catalog"), "A catalog is a JSON object with `streams`.");
  Seen seen;
  seen.catalog = true;
  wire::ArrayScanner entries(streams);
  for (std::string_view token; entries.Next(token);) {
    const json entry = json::parse(token, nullptr, false);
    std::string_view schema;   // as it came, so that the fields keep their order
    wire::ObjectScanner members(token);
    for (std::string_view name, value; members.Next(name, value);)
      if (name == "\"schema\"") schema = value;
    SeenStream stream;
    stream.name = wire::Get(entry, "tap_stream_id", "");   // what the messages call it
    if (stream.name.empty()) stream.name = wire::Get(entry, "stream", "");
    const auto parsed = wire::ParseSingerSchema(schema, json(KeyOf(entry)).dump());
    if (stream.name.empty() || !parsed) {
      seen.notes.push_back("a stream without a name or a schema is left out");
      continue;
    }
    Describe(stream, *parsed, schema);
    if (stream.description.empty()) stream.description = wire::Get(entry, "description", "");
    seen.streams.push_back(std::move(stream));
  }
  return seen;
}

}  // namespace nano::discover
