// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Durations and sizes as the language writes them. The text has its format already (keys.h); pure.

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "contract/model.h"

namespace nano::contract {

/// "10m" in milliseconds; 0 where it is no duration.
std::int64_t Milliseconds(std::string_view text);
/// "128MB" in bytes, 1 MB being 1024 × 1024; 0 where it is no size.
std::int64_t Bytes(std::string_view text);
/// `month(created_at)`, `bucket(16, "a b")`, or a column alone.  kInvalid: says what is wrong with it.
Result<PartitionField> ParsePartition(std::string_view text);
/// The language's spelling; ParsePartition reads it back.
std::string ToString(const PartitionField& field);

}  // namespace nano::contract
