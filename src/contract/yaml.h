// SPDX-License-Identifier: Apache-2.0
#pragma once
/// YAML as a tree that knows where each part stands, and that keeps what a plain tree loses: a key that stands twice,
/// and whether a scalar was quoted. Scalars are typed by YAML 1.2's core schema (`yes` and `off` are text). Made from
/// any bytes; values, no threads.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "contract/finding.h"

namespace nano::contract {

struct Entry;

struct Node {
  enum class Kind : std::uint8_t { kNull, kBoolean, kInteger, kFloat, kText, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;                            ///< of a scalar, as written (escapes undone)
  std::vector<Node> items;                     ///< of a list
  std::vector<Entry> entries;                  ///< of a map, in order; a key may stand twice
  Place place;                                 ///< of the first character
  std::uint64_t text_column = 0;               ///< where the text itself begins, if it stands on that line as it is; else 0

  bool scalar() const { return kind < Kind::kList; }
  bool is_text() const { return kind == Kind::kText; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }
  /// The value of a key (its first, where it stands twice); nullptr where there is none.
  const Node* Get(std::string_view key) const;
  /// The node of the key itself, for its place.
  const Node* KeyNode(std::string_view key) const;
};

/// A key of a map and its value.
struct Entry {
  Node key, value;
};

/// "text", "a whole number", "a list", …
std::string_view KindName(Node::Kind kind);

/// Reads a file's text. What is wrong goes to `findings`; the tree holds what could be read until then (kNull: nothing).
Node ReadYaml(const std::string& file, std::string_view text, Findings& findings);

/// The node as JSON, numbers with their digits as written.
std::string ToJson(const Node& node);

/// Where a finding about this node begins and ends (a scalar that stands on one line; else both are its place).
Place EndOf(const Node& node);

/// True: well-formed UTF-8. Else `at` is the offset of the first byte that isn't.
bool IsUtf8(std::string_view text, std::size_t& at);

}  // namespace nano::contract
