// SPDX-License-Identifier: Apache-2.0
#include "contract/tree.h"

#include "contract/keys.h"
#include "contract/shape.h"

namespace nano::contract {
namespace {

constexpr std::string_view kMainFile = "nanohouse.yaml";

void Add(Findings& findings, std::string code, std::string message, std::string hint, const Node& at) {
  findings.push_back({Severity::kError, std::move(code), std::move(message), std::move(hint), at.place, EndOf(at)});
}

/// A file that begins as dbt's do: `version: 2`, and none of our own top.
bool IsDbtFile(const Node& root) {
  const Node* const version = root.Get("version");
  return version && version->kind == Node::Kind::kInteger && !root.Get("nanohouse");
}

void KeepMappings(const Node& list, std::vector<const Node*>& out) {
  for (const auto& item : list.items)
    if (item.is_map()) out.push_back(&item);
}

}  // namespace

std::vector<const Node*> Mappings(const Node& parent, std::string_view key) {
  std::vector<const Node*> out;
  if (const Node* const list = parent.Get(key); list && list->is_list()) KeepMappings(*list, out);
  return out;
}

std::string TextOf(const Node& parent, std::string_view key) {
  const Node* const node = parent.Get(key);
  return node && node->is_text() ? node->text : std::string();
}

std::vector<const Node*> TextsOf(const Node& parent, std::string_view key) {
  std::vector<const Node*> out;
  const Node* const node = parent.Get(key);
  if (!node) return out;
  if (node->is_text()) out.push_back(node);
  for (const auto& item : node->items)
    if (item.is_text()) out.push_back(&item);
  return out;
}

WarehouseTree JoinFiles(const std::vector<SourceFile>& files, Findings& findings, std::vector<NotYet>& not_yet) {
  WarehouseTree tree;
  std::map<std::string, const Node*> policies;
  for (const auto& file : files) {
    if (file.path.ends_with(".sql")) continue;
    tree.files.push_back(ReadYaml(file.path, file.text, findings));
    const Node& root = tree.files.back();
    if (root.kind == Node::Kind::kNull) continue;
    if (!root.is_map()) {
      Add(findings, "wrong-type", fmt::format("the file must be a mapping, not {}", KindName(root.kind)),
          "Write keys such as `tables:`.", root);
      continue;
    }
    if (IsDbtFile(root)) {
      Add(findings, "dbt-file", "the file begins as one of dbt's",
          "Remove `version: 2`, and write sources and tables as nanohouse has them; dbt's own project can read the warehouse as it "
          "is.",
          *root.KeyNode("version"));
      continue;
    }
    CheckShape(root, WarehouseKeys(), findings, not_yet);
    for (const auto& [name, value] : root.entries) {
      if (!name.is_text() || &value != root.Get(name.text)) continue;
      if (name.text == "sources")
        KeepMappings(value, tree.sources);
      else if (name.text == "tables")
        KeepMappings(value, tree.tables);
      else if (name.text == "models")
        KeepMappings(value, tree.models);
      else if (name.text == "roles")
        KeepMappings(value, tree.roles);
      else if (name.text == "alerts")
        KeepMappings(value, tree.alerts);
      else if (name.text == "exposures")
        KeepMappings(value, tree.exposures);
      else if (name.text == "policies") {
        for (const auto& [policy, body] : value.entries) {
          if (!policy.scalar() || !body.is_map()) continue;
          const auto [first, is_new] = policies.emplace(policy.text, &policy);
          if (is_new)
            tree.policies.emplace_back(&policy, &body);
          else if (first->second->place.in != policy.place.in)
            Add(findings, "duplicate-key", fmt::format("policy \"{}\" stands in {} already", policy.text, first->second->place.in),
                "Keep one of them.", policy);
        }
      } else if (WarehouseKeys().key(name.text)) {
        const auto [first, is_new] = tree.single.emplace(name.text, &value);
        if (!is_new)
          Add(findings, "duplicate-key", fmt::format("key \"{}\" stands in {} already", name.text, first->second->place.in),
              "Keep one of them.", name);
      }
    }
  }
  Node top;
  top.place = {std::string(kMainFile), 1, 1};
  for (const auto& key : WarehouseKeys().keys)
    if (key.required && !tree.single.contains(std::string(key.name)))
      Add(findings, "missing-key", fmt::format("the warehouse has no \"{}\"", key.name),
          fmt::format("Add it, such as `{}: {}`.", key.name, key.example), top);
  return tree;
}

}  // namespace nano::contract
