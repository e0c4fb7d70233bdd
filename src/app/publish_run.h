// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `publish` without its command line: Iceberg metadata for every name of the promoted version, then the names, at once.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/layout.h"
#include "engine/database.h"

namespace nano::app {

struct PublishedName {
  std::string name, build;
  std::string location;                ///< of the metadata; empty where the table never could be published
  std::int64_t rows = 0, files = 0;
  bool written = false;                ///< false: it was there already
  std::string refused;                 ///< why it can't be published exactly; empty: it was
  std::vector<std::string> warnings;
};

/// `orders` and `v1.orders` mean the same metadata while v1 is the promoted version. `connection` has the lake attached,
/// and no transaction open; one publisher at a time (the writer's lease).
Result<std::vector<PublishedName>> PublishNames(engine::Connection& connection, const contract::Layout& layout);

/// `{"names": {name: metadata}, "tables": […]}`, and back.
nlohmann::ordered_json PublishedJson(const std::vector<PublishedName>& names);
std::vector<PublishedName> PublishedOf(const nlohmann::ordered_json& json);

}  // namespace nano::app
