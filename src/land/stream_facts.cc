// SPDX-License-Identifier: Apache-2.0
#include "land/stream_facts.h"

#include <algorithm>
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
  facts.versions = StreamVersions::FromJson(wire::Get(in, "versions", json::array()));
  const json sets = wire::Get(in, "sets", json::object());
  for (const auto& [build, set] : sets.items()) {
    SetFacts& known = facts.sets[build];
    known.step = static_cast<SetStep>(std::clamp(wire::Item(set, 0, 0), 0, static_cast<int>(SetStep::kAnnounced)));
    if (set.is_array() && set.size() == 2 && set[1].is_number_integer()) known.version = set[1].get<std::int64_t>();
  }
  const json rereads = wire::Get(in, "rereads", json::object());
  for (const auto& [build, reread] : rereads.items())
    facts.rereads[build] = {wire::Get(reread, "compares", false), wire::Get(reread, "all_said", false)};
  return facts;
}

std::string Print(const StreamFacts& facts) {
  json out = {{"fields", facts.fields}, {"seen", facts.seen}, {"key", facts.key}, {"schema", facts.schema}, {"snapshot", facts.snapshot}};
  if (!facts.versions.empty()) out["versions"] = facts.versions.ToJson();
  for (const auto& [build, set] : facts.sets)
    out["sets"][build] = {static_cast<int>(set.step), set.version ? json(*set.version) : json(nullptr)};
  for (const auto& [build, reread] : facts.rereads) out["rereads"][build] = {{"compares", reread.compares}, {"all_said", reread.all_said}};
  return out.dump();
}

}  // namespace

Status FactsOfStreams::Load(lake::Writer& writer, const std::string& source) {
  return Load(writer.connection(), writer.Committed("stream"), source);
}

Status FactsOfStreams::Load(engine::Connection& connection, const std::string& relation, const std::string& source) {
  source_ = source;
  facts_.clear();
  touched_.clear();
  stored_.clear();
  ASSIGN(const auto rows, connection.Query("SELECT stream, facts FROM " + relation + " WHERE source = ?", {source}));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    facts_[rows.text(r, 0)] = Parse(rows.text(r, 1));
    stored_.insert(rows.text(r, 0));
  }
  return {};
}

Status FactsOfStreams::Save(lake::Writer& writer) {
  for (const auto& stream : touched_) {
    const bool replaces = !stored_.insert(stream).second;
    TRY(writer.Put("stream", {source_, stream, Print(facts_[stream])}, replaces ? 2 : 0));
  }
  touched_.clear();
  return {};
}

}  // namespace nano::land
