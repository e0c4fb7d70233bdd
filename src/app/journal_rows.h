// SPDX-License-Identifier: Apache-2.0
#pragma once
/// SQL over the event log: `FROM journal.<source>`, one row a record, as it was journaled when the query began. Blocks
/// are read one at a time, so memory does not grow with the journal. `value` is the message; where it is no UTF-8 text,
/// it shows U+FFFD for what is none, and `bytes` has it as it came.

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/database.h"
#include "engine/row_source.h"

namespace nano::app {

/// The records of the journal in `folder`.
std::shared_ptr<engine::RowSource> MakeJournalRows(const std::filesystem::path& folder);

/// Makes every journal under `folder` readable as `journal.<source>` on this connection.
Status AttachJournals(engine::Database& database, engine::Connection& connection, const std::filesystem::path& folder);

}  // namespace nano::app
