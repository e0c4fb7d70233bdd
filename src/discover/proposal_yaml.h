// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A proposal as the YAML of a warehouse, in the manner of `init`. Pure.

#include <string>
#include <string_view>

#include "discover/proposal.h"

namespace nano::discover {

/// Where the tables' data comes from.
struct ProposedSource {
  std::string name;
  std::string definition;   ///< `singer: {file: stream.jsonl}`; empty: the warehouse has the source already
  std::string note;
};

/// The text as a YAML scalar that may stand in a flow mapping, quoted where it must be.
std::string YamlText(std::string_view text);

/// `sources:` with its one source.
std::string SourcesYaml(const ProposedSource& source);
/// `tables:`, with what is to be known of them as comments.
std::string TablesYaml(const ProposedSource& source, const Proposal& proposal);

}  // namespace nano::discover
