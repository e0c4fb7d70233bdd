// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Lines of a Singer stream as journal records, whoever sends them. A BATCH message's files are read into the journal,
/// as RECORD messages, so that it does not need them again. Where a table takes whole sets, the edges of the run are marked.
/// One thread.

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ingest/feed.h"
#include "ingest/singer_batch_reader.h"
#include "journal/journal.h"
#include "wire/singer.h"

namespace nano::ingest {

class SingerLines {
 public:
  SingerLines(journal::Writer& journal, FeedProgress& progress, const FeedOptions& options)
      : journal_(journal), progress_(progress), folder_(options.folder), marks_run_(options.marks_run) {}
  /// Appends one line. `end` is the byte after it. Blank lines are nothing. A BATCH is only begun: TakeOfBatch() goes on
  /// while in_batch().
  Status Take(std::string_view line, std::uint64_t end);
  bool in_batch() const { return batch_ != nullptr; }
  /// Appends one record of the batch.
  Status TakeOfBatch();
  /// The run has said all.
  Status End();
  /// The clock is read once a step, not for each record.
  void Tick();

  /// What is under way, into a checkpoint; and back from it, where the same input goes on.
  void SaveTo(nlohmann::json& checkpoint) const;
  void GoOn(const nlohmann::json& checkpoint);

 private:
  Status Append(RecordKind kind, std::string_view stream, std::string_view bytes, std::uint64_t end);
  Status BeginBatch(std::string_view line, std::uint64_t end);

  journal::Writer& journal_;
  FeedProgress& progress_;
  std::filesystem::path folder_;
  wire::SingerLineClassifier classifier_;
  std::int64_t now_ = 0;
  const bool marks_run_;
  bool in_run_ = false;                       ///< its beginning is marked, and not its end
  std::unique_ptr<SingerBatchReader> batch_;
  std::string batch_stream_, message_;
  std::uint64_t batch_end_ = 0;
  SingerBatchReader::Place resume_;           ///< of the batch that comes first
  bool resumes_ = false;
};

}  // namespace nano::ingest
