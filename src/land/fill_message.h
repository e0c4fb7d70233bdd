// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Puts values that Debezium did not send (unchanged TOAST values) into a message, from an earlier one of the same row,
/// so that it says the whole row. Bytes of our own making are in it afterwards; nothing else of it changes.

#include <optional>
#include <string>

#include "base/arena.h"
#include "base/result.h"
#include "change/record.h"
#include "wire/debezium.h"

namespace nano::land {

enum class Completeness {
  kWhole,       ///< it says every field of its row
  kUnsent,      ///< some value was not sent
  kDocument,    ///< it says only what changed of a document
};

/// Of a message that was decoded.
Completeness CompletenessOf(const wire::DebeziumEvent& change);

/// The value of `record` with every unsent value in it taken from `earlier`. Nothing where that can't be done for
/// certain: the earlier value is short, so that the placeholder may be data, or was sent by another schema.
std::optional<std::string> FillMessage(const Record& record, const wire::DebeziumEvent& change, const wire::DebeziumEvent& earlier);

}  // namespace nano::land
