// SPDX-License-Identifier: Apache-2.0
#include "app/publish_run.h"

#include <map>

#include "lake/build.h"
#include "publish/publisher.h"
#include "wire/json_get.h"

namespace nano::app {

Result<std::vector<PublishedName>> PublishNames(engine::Connection& connection, const contract::Layout& layout) {
  ASSIGN(const int version, lake::CurrentVersion(connection));
  if (version == 0) return WithHint(Fail(Code::kNotFound, "the warehouse was never applied"), "Run `nanohouse apply` or `nanohouse ingest`.");
  ASSIGN(const auto builds, lake::ReadBuilds(connection));
  ASSIGN(const auto names, lake::ReadVersion(connection, version));
  ASSIGN(const auto head, connection.Query("SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot"));
  publish::Publisher publisher(connection, layout.root);
  std::vector<PublishedName> out;
  std::map<std::string, std::string> locations;
  for (const auto& [name, id] : names) {
    const auto build = builds.find(id);
    if (build == builds.end() || build->second.definition.columns.empty()) continue;   // no record came yet
    publish::PublishRequest request;
    request.table = id;
    request.snapshot = head.integer(0, 0);
    request.doc = build->second.definition.description;
    ASSIGN(publish::Published published, publisher.Publish(request));
    if (!published.metadata_location.empty()) {
      locations[name] = published.metadata_location;
      locations["v" + std::to_string(version) + "." + name] = published.metadata_location;
    }
    out.push_back({name, id, published.metadata_location, published.rows, published.files, published.written,
                   std::move(published.refused), std::move(published.warnings)});
  }
  TRY(publisher.WriteNames(locations));
  return out;
}

nlohmann::ordered_json PublishedJson(const std::vector<PublishedName>& names) {
  using Json = nlohmann::ordered_json;
  Json out{{"names", Json::object()}, {"tables", Json::array()}};
  for (const auto& name : names) {
    if (!name.location.empty()) out["names"][name.name] = name.location;
    out["tables"].push_back({{"name", name.name}, {"build", name.build}, {"metadata", name.location.empty() ? Json() : Json(name.location)},
                             {"rows", name.rows}, {"files", name.files}, {"written", name.written},
                             {"refused", name.refused.empty() ? Json() : Json(name.refused)}, {"warnings", name.warnings}});
  }
  return out;
}

std::vector<PublishedName> PublishedOf(const nlohmann::ordered_json& json) {
  std::vector<PublishedName> out;
  if (!json.contains("tables")) return out;
  for (const auto& table : json["tables"]) {
    const auto text = [&](const char* name) { return wire::Get(table, name, ""); };
    out.push_back({text("name"), text("build"), text("metadata"), table.value("rows", std::int64_t{0}), table.value("files", std::int64_t{0}), table.value("written", false),
                   text("refused"), table.value("warnings", std::vector<std::string>{})});
  }
  return out;
}

}  // namespace nano::app
