// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Columns of our own that readers see, behind the table's own ones: what a mode or `deletes` says of each row.
///   _deleted_at   deletes: soft          when the source deleted the row; NULL while it is there
///   _op           append, of changes     the change that the row tells: c, u, d, r (read by a snapshot) or t (truncate)
///   valid_from, valid_to   history       when this state of the key held; valid_to is NULL while it does

#include "base/result.h"
#include "contract/model.h"
#include "lake/build.h"

namespace nano::lake {

/// Whether each event of the table becomes a row of its own, whatever it does.
bool KeepsEvents(const contract::Table& table);

/// Adds the marks that `table` wants to a definition whose columns are known, and to the key of a history what tells its
/// rows apart.  kInvalid: a column has a mark's name, or a history has no key.
Status AddMarks(const contract::Table& table, BuildDefinition& definition);

}  // namespace nano::lake
