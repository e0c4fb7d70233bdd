// SPDX-License-Identifier: Apache-2.0
#include "app/version.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/report.h"
#include "engine/database.h"

namespace nano::app {

const char* ProgramVersion() { return NANO_VERSION; }

Exit PrintVersion(const Invocation& invocation) {
  if (!invocation.json) {
    fmt::print("nanohouse {}\n", ProgramVersion());
    std::fflush(stdout);
  }
  engine::Options options;
  options.threads = 1;
  auto database = engine::Database::Open(options);
  if (!database) return Report(invocation, database.error());
  const auto versions = (*database)->Versions();
  if (!versions) return Report(invocation, versions.error());
  nlohmann::ordered_json json{{"nanohouse", ProgramVersion()}};
  for (std::size_t i = 0; i < versions->size(); ++i) {
    const bool engine = versions->text(i, 0) == "duckdb";
    if (engine) json["duckdb"] = versions->text(i, 1);
    else json["extensions"][versions->text(i, 0)] = versions->text(i, 1);
    if (!invocation.json) fmt::print("{}{} {}\n", engine ? "" : "  ", versions->text(i, 0), versions->text(i, 1));
  }
  if (invocation.json) fmt::print("{}\n", json.dump());
  return Exit::kDone;
}

}  // namespace nano::app
