// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a batch of events makes of a table in the end: the last state of each key, rows that go, and which values must
/// still be taken from rows of the lake, because the source did not send them (unchanged TOAST values). Pure; the lake is
/// asked through a function. Debezium's rules are those of its PostgreSQL connector ("Toasted values", "Update events").

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "land/event.h"
#include "land/plan.h"

namespace nano::land {

/// A row of the lake that a batch may have to take values from.
struct Origin {
  bool exists = false;
  bool doubtful = false;                  ///< a later change of it is in quarantine, so its values may be old
  std::vector<bool> too_short;            ///< by input: NULL or so short that PostgreSQL never moves it out of line
  bool deleted = false;                   ///< softly: the source has it no more
};
/// Origins of these keys (each a span of key cells), in their order.
using AskLake = std::function<Result<std::vector<Origin>>(const std::vector<std::span<wire::Cell>>&)>;

struct FinalRow {
  std::span<wire::Cell> cells;            ///< by input; kUnchanged: from the row `origin`
  std::int64_t row_position = 0;
  std::int64_t committed_at = kNoTime;
  std::int64_t origin = -1;               ///< index into Resolved::origins
  std::int64_t deleted_at = kNoTime;      ///< of a row that is kept though it was deleted; of a history, when the key went
  char op = 0;                            ///< of a table of events: what the event was
};

struct Resolved {
  bool truncate = false;                  ///< everything that was in the table goes first
  std::vector<FinalRow> rows;             ///< of a history: each state of each key, and each end, in their order
  std::vector<std::span<wire::Cell>> removed;   ///< key cells of every key that was touched
  std::vector<std::span<wire::Cell>> origins;   ///< key cells of the rows that values are taken from
  struct Vanished {
    std::span<wire::Cell> cells;          ///< by input
    std::int64_t times = 0;
  };
  std::vector<Vanished> vanished;         ///< whole rows that go, of a table without a key
};

/// Events in the order of their source. Those that can't be applied are marked rejected and told to `reject`
/// (event, column or "", reason).
Result<Resolved> Resolve(const TablePlan& plan, std::vector<Event>& events, Arena& arena, const AskLake& ask,
                         const std::function<void(const Event&, const std::string&, const std::string&)>& reject);

}  // namespace nano::land
