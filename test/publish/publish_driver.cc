// SPDX-License-Identifier: Apache-2.0
/// Publishes tables of a lake for test/publish/readers_test.py: publish_driver ROOT CATALOG. Each line of standard input
/// is a JSON array [{"name", "schema", "table", "snapshot", "tags", "hidden", "doc"}]; the answer is a line with an array
/// of what became of each table.

#include <iostream>
#include <nlohmann/json.hpp>

#include "publish/publisher.h"

namespace {

using nlohmann::json;
using namespace nano;

int Say(const Error& error) {
  std::cerr << "error: " << error.message << " " << error.value << "\n";
  return 1;
}

json Publish(publish::Publisher& publisher, const json& tables, std::map<std::string, std::string>& names) {
  json answer = json::array();
  for (const json& each : tables) {
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
    if (published->refused.empty()) names[each.at("name")] = published->metadata_location;
    answer.push_back({{"metadata", published->metadata_location}, {"rows", published->rows}, {"files", published->files}, {"written", published->written},
                      {"refused", published->refused}, {"snapshot", published->snapshot}, {"snapshot_id", published->snapshot_id}, {"warnings", published->warnings}});
  }
  return answer;
}

int Run(const std::string& root, const std::string& catalog) {
  engine::Options options;
  options.preserve_insertion_order = false;   // as the writer's database is opened
  auto database = engine::Database::Open(options);
  if (!database) return Say(database.error());
  auto connection = (*database)->Connect();
  if (!connection) return Say(connection.error());
  const auto attached = (*connection)->Execute("ATTACH " + engine::Literal("ducklake:sqlite:" + catalog) + " AS lake (DATA_PATH " + engine::Literal(root + "/lake/") +
                                               ", OVERRIDE_DATA_PATH true, META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 5000, READ_ONLY)");
  if (!attached) return Say(attached.error());
  publish::Publisher publisher(**connection, root);
  for (std::string line; std::getline(std::cin, line);) {
    auto names = publisher.ReadNames();
    if (!names) return Say(names.error());
    const json answer = Publish(publisher, json::parse(line), *names);
    if (const auto written = publisher.WriteNames(*names); !written) return Say(written.error());
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return Run(argv[1], argv[2]);
}
