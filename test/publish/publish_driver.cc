// SPDX-License-Identifier: Apache-2.0
/// Publishes tables of a lake for test/publish/readers_test.py. Standard input is one JSON object:
/// {"root": …, "catalog": …, "tables": [{"name", "schema", "table", "snapshot", "tags", "hidden", "doc"}]}; the answer is
/// an array with what became of each table.

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "publish/publisher.h"

namespace {

using nlohmann::json;
using namespace nano;

int Say(const Error& error) {
  std::cerr << "error: " << error.message << " " << error.value << "\n";
  return 1;
}

int Run(const json& input) {
  auto database = engine::Database::Open({});
  if (!database) return Say(database.error());
  auto connection = (*database)->Connect();
  if (!connection) return Say(connection.error());
  const std::string root = input.at("root");
  const auto attached = (*connection)->Execute("ATTACH " + engine::Literal("ducklake:sqlite:" + input.at("catalog").get<std::string>()) +
                                               " AS lake (DATA_PATH " + engine::Literal(root + "/lake/") +
                                               ", OVERRIDE_DATA_PATH true, META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 5000, READ_ONLY)");
  if (!attached) return Say(attached.error());

  publish::Publisher publisher(**connection, root);
  auto names = publisher.ReadNames();
  if (!names) return Say(names.error());
  json answer = json::array();
  for (const json& each : input.at("tables")) {
    publish::PublishRequest request;
    request.schema = each.value("schema", "build");
    request.table = each.at("table");
    request.snapshot = each.at("snapshot");
    request.tags = each.value("tags", std::map<std::string, std::int64_t>());
    request.doc = each.value("doc", "");
    if (each.contains("hidden")) request.hidden_columns = each.at("hidden").get<std::set<std::string>>();
    const auto published = publisher.Publish(request);
    if (!published) {
      answer.push_back({{"error", published.error().message}});
      continue;
    }
    if (published->refused.empty()) (*names)[each.at("name")] = published->metadata_location;
    answer.push_back({{"metadata", published->metadata_location}, {"rows", published->rows}, {"files", published->files}, {"written", published->written},
                      {"refused", published->refused}, {"snapshot", published->snapshot}, {"snapshot_id", published->snapshot_id}, {"warnings", published->warnings}});
  }
  if (const auto written = publisher.WriteNames(*names); !written) return Say(written.error());
  std::cout << answer.dump() << "\n";
  return 0;
}

}  // namespace

int main() {
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  return Run(json::parse(text));
}
