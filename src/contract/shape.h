// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Holds one file's tree against the declaration of keys: what is unknown, of the wrong type, missing. The same verdict
/// as the JSON Schema's, with better words. Pure.

#include <vector>

#include "contract/finding.h"
#include "contract/keys.h"
#include "contract/model.h"
#include "contract/yaml.h"

namespace nano::contract {

/// Adds each mistake in `node` to `findings`, and each key or word that this release can't do yet to `not_yet`.
/// Keys that the warehouse must have are not asked of a file's top: they may stand in another file.
void CheckShape(const Node& node, const Object& object, Findings& findings, std::vector<NotYet>& not_yet);

/// The part of an either-shape that a node of this kind is meant to be; the shape itself where there is no choice.
const Shape* PartFor(const Shape& shape, const Node& node);

}  // namespace nano::contract
