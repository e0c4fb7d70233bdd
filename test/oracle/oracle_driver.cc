// SPDX-License-Identifier: Apache-2.0
/// Ingests and asks as `nanohouse` does, many times in one process, for test/oracle/histories.py: oracle_driver FOLDER. Each line
/// of standard input is a JSON object, the answer to it a line with `{"error": …}` if something was refused:
///   {"ingest": [sources], "commit_bytes": n, "fault": "point:n=eio"}     lands what the files have; a fault acts once
///   {"reopen": true}                                                    closes the lake and opens it again
///   {"query": sql}                                                      `{"rows": [[text or null]]}`

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/ingest_run.h"
#include "app/warehouse.h"
#include "io/fault.h"
#include "migrate/apply.h"

namespace {

using nlohmann::json;
using namespace nano;

class Driver {
 public:
  explicit Driver(std::string folder) : folder_(std::move(folder)) {}

  json Do(const json& command) {
    json answer = json::object();
    SetFault(command.value("fault", ""));
    Status done;
    if (command.contains("reopen")) {
      writer_.reset();
      done = Open();
    } else if (!writer_) {
      done = Open();
    }
    if (done && command.contains("ingest")) done = Ingest(command);
    if (done && command.contains("query")) done = Query(command["query"], answer["rows"]);
    SetFault("");
    if (!done) answer["error"] = done.error().message + " " + done.error().value;
    return answer;
  }

 private:
  static void SetFault(const std::string& fault) {
    ::setenv("NANOHOUSE_FAULT", fault.c_str(), 1);
    io::ReloadFaults();
  }

  Status Open() {
    ASSIGN(auto warehouse, app::FindWarehouse(folder_));
    if (!warehouse.parsed.ok()) return Fail(Code::kInvalid, "the contract has mistakes: {}", warehouse.parsed.findings.front().message);
    ASSIGN(auto writer, app::OpenWriter(warehouse, "ingest"));
    ASSIGN(const auto deployed, migrate::ReadDeployed(writer->lake().connection(), folder_, writer->lake().Committed("bundle")));
    if (!deployed) TRY(migrate::Apply(writer->lake(), *warehouse.contract));
    contract_ = warehouse.contract;
    layout_ = warehouse.layout;
    writer_ = std::move(writer);
    return {};
  }

  Status Ingest(const json& command) {
    auto contract = std::make_shared<contract::Contract>(*contract_);
    contract->storage.commit_bytes = command.value("commit_bytes", contract->storage.commit_bytes);
    const auto outcomes = app::RunIngest(writer_->lake(), contract, layout_, command["ingest"].get<std::vector<std::string>>(), {});
    for (const auto& outcome : outcomes)
      if (outcome.error) return tl::make_unexpected(*outcome.error);
    return {};
  }

  Status Query(const std::string& sql, json& out) {
    ASSIGN(const auto rows, writer_->lake().connection().Query(sql));
    out = json::array();
    for (const auto& row : rows.rows) {
      json line = json::array();
      for (const auto& cell : row) line.push_back(cell ? json(*cell) : json());
      out.push_back(std::move(line));
    }
    return {};
  }

  const std::string folder_;
  std::shared_ptr<const contract::Contract> contract_;
  contract::Layout layout_;
  std::unique_ptr<app::WarehouseWriter> writer_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: oracle_driver FOLDER\n";
    return 2;
  }
  Driver driver(arguments[1]);
  for (std::string line; std::getline(std::cin, line);) std::cout << driver.Do(json::parse(line)).dump() << std::endl;
  return 0;
}
