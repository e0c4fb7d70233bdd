// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One change to one table, decoded: what resolve/ works on. Cells lie in the batch's arena, one for each input of the
/// table's plan.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "change/record.h"
#include "wire/cell.h"

namespace nano::land {

/// kReread: from here on all rows of the stream are said once more. Nobody lands it.
enum class Op : std::uint8_t { kInsert, kRead, kUpdate, kDelete, kTruncate, kSnapshotBegin, kReread };

struct Event {
  Op op = Op::kInsert;
  Position position;
  std::int64_t row_position = 0;          ///< the row's `_position`
  std::int64_t committed_at = kNoTime;
  std::span<wire::Cell> after;            ///< empty where there is no such image
  std::span<wire::Cell> before;
  std::string_view key;                   ///< canonical: of the row after the change, or of the row that goes; empty if none
  std::span<wire::Cell> key_cells;        ///< one for each column of the key
  std::string_view old_key;               ///< of the row that this one was before its key changed; empty if that isn't so
  std::span<wire::Cell> old_key_cells;
  bool rejected = false;                  ///< it is in quarantine
  bool pending = false;                   ///< a snapshot is still to bring its row: without that it is passed over, not refused
  bool versioned = false;                 ///< Singer: of a version of its stream, which counts on every row's position
};

/// A value that did not fit, on its way into quarantine.
struct Reject {
  std::string stream, table, build, column, value, reason;
  Position position;
  std::int64_t committed_at = kNoTime;
  std::string key;                        ///< canonical; empty where unknown
};

}  // namespace nano::land
