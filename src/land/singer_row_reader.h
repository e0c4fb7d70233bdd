// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A RECORD line into the cells of a table's plan. One a thread, as it learns the lines' shape.

#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "land/plan.h"
#include "wire/record_reader.h"
#include "wire/singer.h"

namespace nano::land {

class SingerRowReader {
 public:
  explicit SingerRowReader(const TablePlan& plan);
  /// Fills `cells`, one for each input. False: the record's object is no JSON; `reason` says so.
  bool Read(std::string_view line, Arena& arena, std::span<wire::Cell> cells, std::string_view& reason);
  /// Of the last row; views lie in its line, the arena or the reader.
  const std::vector<wire::RecordReader::Misfit>& misfits() const { return misfits_; }
  const std::vector<wire::RecordReader::Unknown>& unknown() const { return unknown_; }

 private:
  wire::SingerLineClassifier classifier_;
  wire::RecordReader reader_;
  std::vector<wire::RecordReader::Misfit> misfits_;
  std::vector<wire::RecordReader::Unknown> unknown_;
};

}  // namespace nano::land
