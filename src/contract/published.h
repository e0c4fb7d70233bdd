// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The language as others read it, made from the one declaration of keys: the JSON Schema for editors, and the
/// reference. The committed files docs/schema.json and docs/reference/schema.md are held against these by a test.

#include <string>

namespace nano::contract {

/// Draft 7, as editors know it. The top describes one file; `definitions/warehouse` the whole, with what must be there.
std::string JsonSchema();

/// docs/reference/schema.md, whole.
std::string SchemaReferenceMarkdown();

}  // namespace nano::contract
