// SPDX-License-Identifier: Apache-2.0
#include "land/stream_facts.h"

#include <nlohmann/json.hpp>

#include "wire/json_get.h"

namespace nano::land {
namespace {

using nlohmann::json;

StreamFacts Parse(const std::string& text) {
  StreamFacts facts;
  const json in = json::parse(text, nullptr, false);
  if (!in.is_object()) return facts;
  for (const auto& field : wire::Get(in, "fields", std::vector<std::string>{})) facts.fields.insert(field);
  facts.seen = wire::Get(in, "seen", false);
  facts.key = wire::Get(in, "key", std::vector<std::string>{});
  facts.schema = wire::Get(in, "schema", "");
  facts.snapshot = wire::Get(in, "snapshot", "");
  return facts;
}

std::string Print(const StreamFacts& facts) {
  return json{{"fields", facts.fields}, {"seen", facts.seen}, {"key", facts.key}, {"schema", facts.schema},
              {"snapshot", facts.snapshot}}
      .dump();
}

}  // namespace

Status FactsOfStreams::Load(engine::Connection& connection, const std::string& source) {
  source_ = source;
  facts_.clear();
  touched_.clear();
  ASSIGN(const auto rows, connection.Query("SELECT stream, facts FROM lake.nanohouse.stream WHERE source = ?", {source}));
  for (std::size_t r = 0; r < rows.size(); ++r) facts_[rows.text(r, 0)] = Parse(rows.text(r, 1));
  return {};
}

Status FactsOfStreams::Save(engine::Connection& connection) {
  for (const auto& stream : touched_) {
    TRY(connection.Execute("DELETE FROM lake.nanohouse.stream WHERE source = ? AND stream = ?", {source_, stream}));
    TRY(connection.Execute("INSERT INTO lake.nanohouse.stream VALUES (?, ?, ?)", {source_, stream, Print(facts_[stream])}));
  }
  touched_.clear();
  return {};
}

}  // namespace nano::land
