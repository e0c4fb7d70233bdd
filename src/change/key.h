// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Canonical bytes of a key, defined once: equal rows have equal bytes and no others do. Each cell is a tag and its value
/// in a fixed form (docs/formats/key.md): integers and times big-endian, decimals without trailing zeros of their type's
/// scale (the type is the column's, so the scale is fixed), text as UTF-8 with its length, NULL as a tag of its own.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/data_type.h"
#include "wire/cell.h"

namespace nano {

/// Appends the canonical bytes of one cell.
void AppendKey(const DataType& type, const wire::Cell& cell, std::string& out);

}  // namespace nano
