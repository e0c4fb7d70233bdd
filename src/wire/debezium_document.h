// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Documents of MongoDB as its connector sends them: a JSON text in `before`, `after` and `updateDescription`, in MongoDB's
/// extended JSON ({"$oid": …}, {"$numberDecimal": …}). Their fields become fields of a row; what a value means is read
/// with it (DebeziumForm::kBson). Debezium's documentation: connectors/mongodb "Data change events". Pure.

#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "wire/debezium.h"

namespace nano::wire {

/// The schema of every field of a document, at any depth.
const ConnectSchema& DocumentSchema();

/// The object's token inside a JSON text's token; empty where there is none.
std::string_view DocumentOf(std::string_view text_token, Arena& arena);

/// What an update without a whole document says: changed fields with their values, removed ones as null; and why it can't
/// be applied, if it tells a part of a field only.
Status TakeUpdateDescription(std::string_view description, Arena& arena, std::vector<DebeziumField>& fields, std::string_view& unfit);

/// The message's key, {"id": "<extended JSON>"}, as the field that it is in the document: _id.
void RenameDocumentKey(std::vector<DebeziumField>& key, Arena& arena);

/// A value in extended JSON, one step taken off.
struct Extended {
  enum class Kind { kPlain, kText, kNumber, kDecimal, kDate, kBytes, kOpaque };
  Kind kind = Kind::kPlain;    ///< kPlain: JSON as it is; kOpaque: a type without a counterpart, as its own text
  std::string_view token;      ///< of kNumber bare; of kDate milliseconds, bare, or a text; of kText, kDecimal and kBytes a string
};
Extended ReadExtended(std::string_view token);

}  // namespace nano::wire
