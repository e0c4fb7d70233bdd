// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_place.h"

#include <algorithm>

#include "ingest/checkpoint.h"
#include "ingest/postgres_snapshot.h"
#include "wire/json_get.h"

namespace nano::ingest {
namespace {

using nlohmann::json;

wire::Lsn LsnOf(const json& in, const char* name) { return wire::ParseLsn(wire::Get(in, name, "")).value_or(wire::Lsn{}); }

Asked AskedNamed(const std::string& name) {
  for (const Asked asked : {Asked::kResync, Asked::kHeal, Asked::kReset})
    if (name == Name(asked)) return asked;
  return Asked::kNothing;
}

Result<json> ReadPlace(const journal::Writer& journal) {
  ASSIGN(json checkpoint, ReadCheckpoint(journal.tail().checkpoint));
  if (!wire::Get(checkpoint, "postgres", json()).is_object())
    return WithHint(Fail(Code::kInvalid, "nothing of the source was ever read"), "`nanohouse run` or `nanohouse ingest` reads all of it.");
  return checkpoint;
}

Status Write(journal::Writer& journal, const json& checkpoint) {
  ASSIGN([[maybe_unused]] const auto blocks, journal.Commit(checkpoint.dump()));
  return {};
}

}  // namespace

const char* Name(Asked asked) {
  switch (asked) {
    case Asked::kNothing: return "";
    case Asked::kResync: return "resync";
    case Asked::kHeal: return "heal";
    case Asked::kReset: return "reset";
  }
  return "";
}

PostgresPlace PostgresPlace::Of(const json& in) {
  PostgresPlace place;
  place.known = in.is_object() && in.contains("lsn");
  if (!place.known) return place;
  place.system = wire::Get(in, "system", "");
  place.database = wire::Get(in, "database", "");
  place.slot = wire::Get(in, "slot", "");
  place.lsn = LsnOf(in, "lsn");
  const json last = wire::Get(in, "last", json::object());
  place.last = {LsnOf(last, "commit"), wire::Get(last, "xid", std::uint32_t{0}), wire::Get(last, "time", std::int64_t{0})};
  place.asked = AskedNamed(wire::Get(in, "asked", ""));
  place.dropped = wire::Get(in, "dropped", "");
  return place;
}

void PostgresPlace::Save(json& out) const {
  out["system"] = system;
  out["database"] = database;
  out["slot"] = slot;
  out["lsn"] = LsnText(lsn);
  if (last.commit.value != 0) out["last"] = {{"commit", LsnText(last.commit)}, {"xid", last.xid}, {"time", last.time}};
  if (asked != Asked::kNothing) out["asked"] = Name(asked);
  if (!dropped.empty()) out["dropped"] = dropped;
}

Status Ask(journal::Writer& journal, Asked asked, const std::vector<std::string>& streams) {
  ASSIGN(json checkpoint, ReadPlace(journal));
  json& postgres = checkpoint["postgres"];
  json& tables = postgres["tables"];
  if (!tables.is_object()) tables = json::object();
  const Reread reread = asked == Asked::kHeal ? Reread::kCompares : Reread::kReplaces;
  for (const auto& stream : streams)
    if (!tables.contains(stream)) return WithHint(Fail(Code::kInvalid, "the source has not read stream \"{}\" yet", stream), "`nanohouse run` or `nanohouse ingest` reads all of it.");
  for (auto& [stream, table] : tables.items())
    if (streams.empty() || std::find(streams.begin(), streams.end(), stream) != streams.end()) PostgresSnapshot::Again(table, reread);
  if (streams.empty()) postgres["asked"] = Name(asked);   // what is asked of some tables does not bring back what was lost of others
  return Write(journal, checkpoint);
}

Status NoteDropped(journal::Writer& journal, const std::string& why) {
  ASSIGN(json checkpoint, ReadPlace(journal));
  checkpoint["postgres"]["dropped"] = why;
  return Write(journal, checkpoint);
}

}  // namespace nano::ingest
