// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "ingest/checkpoint.h"
#include "ingest/singer_feed.h"
#include "ingest/singer_lines.h"
#include "ingest/tap_process.h"
#include "io/child.h"
#include "io/files.h"
#include "io/line_reader.h"
#include "io/signals.h"

namespace nano::ingest {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Marks the selected streams of a catalog in all the ways that taps read: the metadata of the root breadcrumb, and the
/// legacy `selected` inside the schema.
void Select(json& catalog, const std::vector<std::string>& select) {
  if (!catalog.is_object() || !catalog.contains("streams") || !catalog["streams"].is_array()) return;
  for (auto& stream : catalog["streams"]) {
    const std::string id = stream.value("tap_stream_id", ""), name = stream.value("stream", id);
    const bool wanted = std::any_of(select.begin(), select.end(), [&](const std::string& s) { return s == id || s == name || s == "*"; });
    bool root = false;
    if (!stream.contains("metadata") || !stream["metadata"].is_array()) stream["metadata"] = json::array();
    for (auto& entry : stream["metadata"])
      if (entry.value("breadcrumb", json::array()).empty()) {
        entry["metadata"]["selected"] = wanted;
        root = true;
      } else if (wanted && !entry["metadata"].contains("selected") && entry["metadata"].value("inclusion", "") != "unsupported") {
        entry["metadata"]["selected"] = true;
      }
    if (!root) stream["metadata"].push_back({{"breadcrumb", json::array()}, {"metadata", {{"selected", wanted}}}});
    if (stream.contains("schema") && stream["schema"].is_object()) stream["schema"]["selected"] = wanted;
    stream["selected"] = wanted;
  }
}

class SingerTap final : public Feed {
 public:
  SingerTap(journal::Writer& journal, const contract::Source& source, FeedOptions options)
      : journal_(journal), source_(source), options_(std::move(options)), lines_(journal, progress_, options_),
        tap_(source_, options_.folder, [this](std::string_view line) { TakeLog(line); }) {}

  Status Start() {
    ASSIGN(auto arguments, tap_.Arguments());

    json catalog;
    if (source_.tap.catalog) {
      ASSIGN(const std::string text, io::ReadFile(options_.folder / *source_.tap.catalog));
      catalog = json::parse(text, nullptr, false);
      if (catalog.is_discarded()) return Fail(Code::kInvalid, "the catalog of source \"{}\" is not JSON", source_.name);
    } else if (!source_.tap.select.empty()) {
      ASSIGN(const std::string text, tap_.Discover(arguments));
      catalog = json::parse(text, nullptr, false);
    }
    if (!catalog.is_null()) {
      if (!source_.tap.select.empty()) Select(catalog, source_.tap.select);
      ASSIGN(const std::string path, tap_.files().Put("catalog.json", catalog.dump()));
      arguments.insert(arguments.end(), {"--catalog", path});
    }
    if (!options_.singer_state.empty()) {
      ASSIGN(const std::string path, tap_.files().Put("state.json", options_.singer_state));
      arguments.insert(arguments.end(), {"--state", path});
    }
    ASSIGN(child_, tap_.Run(arguments));
    io::LineReader::Options line_options;
    line_options.name = source_.tap.tap;
    reader_ = std::make_unique<io::LineReader>(std::make_unique<Borrowed>(*child_), line_options);
    return {};
  }

  Result<Step> Next(std::size_t bytes) override {
    if (step_error_) return tl::make_unexpected(*step_error_);
    Step step;
    Status failed;
    lines_.Tick();
    const auto until = std::chrono::steady_clock::now() + options_.commit_every;
    while (!step.end && failed && journal_.pending_bytes() < bytes) {
      if (journal_.pending_bytes() > 0 && std::chrono::steady_clock::now() >= until) break;
      if (lines_.in_batch() && !io::StopRequested()) {
        failed = lines_.TakeOfBatch();
        continue;
      }
      io::Line line;
      auto state = reader_->Next(line, options_.commit_every);
      if (!state) {
        failed = tl::make_unexpected(std::move(state).error());
      } else if (*state == io::LineReader::State::kEnd) {
        step.end = true;
        failed = CheckExit();
        if (failed) failed = lines_.End();
      } else if (io::StopRequested()) {
        step.end = true;
        const auto ended = child_->Terminate(std::chrono::seconds(5));
        if (!ended) failed = tl::make_unexpected(ended.error());
      } else if (*state == io::LineReader::State::kNotYet) {
        break;
      } else {
        failed = lines_.Take(line.text, 0);
        progress_.bytes = line.end;
      }
    }
    if (journal_.pending_bytes() > 0) { ASSIGN(step.blocks, journal_.Commit(NewCheckpoint().dump())); }
    step.journaled = journal_.tail().end;
    if (!failed) {
      step_error_ = std::move(failed).error();
      if (step.blocks.empty()) return tl::make_unexpected(*step_error_);
      step.end = false;  // what came before the error lands first
      return step;
    }
    return step;
  }
  const FeedProgress& progress() const override { return progress_; }

 private:
  /// The reader wants to own its source; the child is ours.
  class Borrowed final : public io::ByteSource {
   public:
    explicit Borrowed(io::ByteSource& source) : source_(source) {}
    Result<Outcome> Read(char* into, std::size_t size, std::chrono::milliseconds wait) override { return source_.Read(into, size, wait); }

   private:
    io::ByteSource& source_;
  };

  Status CheckExit() {
    ASSIGN(const auto ended, child_->Wait(std::chrono::seconds(30)));
    if (!ended) {
      ASSIGN([[maybe_unused]] const auto killed, child_->Terminate(std::chrono::seconds(5)));
      return tap_.Failed(fmt::format("the tap \"{}\" of source \"{}\" closed its output and did not end", source_.tap.tap, source_.name));
    }
    if (ended->ok()) return {};
    return tap_.Failed(fmt::format("the tap \"{}\" of source \"{}\" {}", source_.tap.tap, source_.name, ended->Describe()));
  }

  void TakeLog(std::string_view line) {
    if (line.find("METRIC") != std::string_view::npos) progress_.note = std::string(line.substr(0, 400));
    else if (options_.on_log) options_.on_log(std::string(line));
  }

  journal::Writer& journal_;
  const contract::Source source_;
  FeedOptions options_;
  FeedProgress progress_;
  SingerLines lines_;
  TapProcess tap_;
  std::unique_ptr<io::Child> child_;
  std::unique_ptr<io::LineReader> reader_;
  std::optional<Error> step_error_;
};

}  // namespace

Result<std::unique_ptr<Feed>> OpenSingerTap(const contract::Source& source, journal::Writer& journal, const FeedOptions& options) {
  auto tap = std::make_unique<SingerTap>(journal, source, options);
  TRY(tap->Start());
  return std::unique_ptr<Feed>(std::move(tap));
}

}  // namespace nano::ingest
