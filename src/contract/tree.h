// SPDX-License-Identifier: Apache-2.0
#pragma once
/// All files of a warehouse as one tree: what the parser has read and held against the declaration of keys, before it
/// becomes a Contract. Not for several threads.

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "contract/finding.h"
#include "contract/model.h"
#include "contract/yaml.h"

namespace nano::contract {

/// A file of a warehouse: its path from the warehouse's folder, with `/`, and its text.
struct SourceFile {
  std::string path, text;
};

struct WarehouseTree {
  std::deque<Node> files;                                                      ///< the nodes below point into these
  std::map<std::string, const Node*> single;                                   ///< top keys that stand once: storage, version, …
  std::vector<const Node*> sources, tables, models, roles, alerts, exposures;  ///< mappings only
  std::vector<std::pair<const Node*, const Node*>> policies;                   ///< name, value
};

/// Reads and joins the YAML files; what is wrong with their shape goes to `findings`.
WarehouseTree JoinFiles(const std::vector<SourceFile>& files, Findings& findings, std::vector<NotYet>& not_yet);

/// The items of a list that are mappings; none where the key is absent or of another type.
std::vector<const Node*> Mappings(const Node& parent, std::string_view key);
/// A key's text; empty where it is absent or of another type.
std::string TextOf(const Node& parent, std::string_view key);
/// The text items of a list, or the one text in place of a list, with their nodes.
std::vector<const Node*> TextsOf(const Node& parent, std::string_view key);

}  // namespace nano::contract
