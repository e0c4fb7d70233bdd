// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A batch's states of a history table's keys, put behind those that the table has. A row holds from the commit time of its
/// change to that of the next one of its key. Of several changes with one time the last counts; a time never goes back
/// behind the one before it, as the source's order is that of its commits; a state that is the same as the one before it
/// is no new one. What a key's rows become does not depend on how its changes were divided into batches.

#include "base/arena.h"
#include "base/result.h"
#include "lake/lane.h"
#include "land/plan.h"
#include "land/resolve.h"

namespace nano::land {

/// Whether a state that was only said again takes the position at which it was.
enum class Refresh : bool { kNo, kYes };

Status WriteHistory(lake::Writer& writer, const TablePlan& plan, const Resolved& resolved, Refresh refresh, Arena& arena);

/// The same of states that SQL has. `keys`: a relation of the keys that are touched. `states`: SELECT of `_position`,
/// `_committed_at`, the build's columns and `_nano_gone`.
Status WriteHistory(lake::Writer& writer, const TablePlan& plan, const std::string& keys, const std::string& states, Refresh refresh, Arena& arena);

}  // namespace nano::land
