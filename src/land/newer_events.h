// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which of the records that wait in quarantine have been overtaken: a later event of their row has landed, so landing them
/// now would bring back what is no longer so. Fed with a journal's events in their order. Pure.
///   table with a key      a later event of the same key, a truncate, or rows that are all read once more
///   table without one     the same of the table, a snapshot's begin, or a removal of an equal row that no landed row answers for

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "land/event.h"
#include "land/plan.h"

namespace nano::land {

class NewerEvents {
 public:
  explicit NewerEvents(const TablePlan& plan) : plan_(plan) {}

  /// `event` waits from here on; `index` names it.
  void Wait(std::size_t index, const Event& event);
  /// An event that has landed, after all that were told before. `source` and its position say where, in what becomes of it.
  void Landed(const std::string& source, const Event& event);
  /// The same of another source of the table, whose order only times tell.
  void LandedElsewhere(const std::string& source, const Event& event);
  /// Where the first event is that overtook a waiting one, as SOURCE:POSITION; nothing where none did.
  std::optional<std::string> overtaken(std::size_t index) const;

 private:
  struct Waiting {
    std::size_t index;
    std::int64_t committed_at;
  };
  void Overtake(const std::string& source, const Event& event, std::vector<Waiting>& waiting);
  void OvertakeAll(const std::string& source, const Event& event);
  void LandedWholeRow(const std::string& source, const Event& event);
  std::string RowOf(std::span<const wire::Cell> cells) const;

  const TablePlan& plan_;
  std::unordered_map<std::string, std::vector<Waiting>> waiting_;   ///< by key, or by the whole row
  std::unordered_map<std::string, std::int64_t> landed_;            ///< how many equal rows, of a table without a key
  std::map<std::size_t, std::string> overtaken_;
};

}  // namespace nano::land
