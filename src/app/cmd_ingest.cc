// SPDX-License-Identifier: Apache-2.0
// ingest [SOURCE…]: every source to its end, into the journal, then into the tables; then publish.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.h"
#include "app/deployed_contract.h"
#include "app/display_text.h"
#include "app/findings.h"
#include "app/ingest_command.h"
#include "app/ingest_run.h"
#include "app/progress.h"
#include "app/publish_run.h"
#include "app/report.h"
#include "app/warehouse.h"
#include "io/signals.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

Json AsJson(const SourceOutcome& outcome, double seconds) {
  Json out{{"source", outcome.source},
           {"state", outcome.error ? "failed" : "done"},
           {"messages", outcome.read.messages},
           {"bytes", outcome.read.bytes},
           {"records", outcome.landed.records},
           {"rows", outcome.landed.rows},
           {"quarantined", outcome.landed.quarantined},
           {"replayed", outcome.landed.replayed},
           {"commits", outcome.landed.commits},
           {"seconds", seconds}};
  if (outcome.folded) out["folded"] = {{"expired", outcome.folded->expired}, {"kept", outcome.folded->kept}, {"filled", outcome.folded->filled}};
  if (outcome.error) out["error"] = Json::parse(ErrorJson(*outcome.error))["error"];
  return out;
}

std::string Line(const SourceOutcome& outcome) {
  std::string out = fmt::format("{}: {} records read, {} rows landed", outcome.source, CountText(outcome.read.messages), CountText(outcome.landed.rows));
  if (outcome.landed.quarantined > 0) out += fmt::format(", {} values in quarantine", CountText(outcome.landed.quarantined));
  if (outcome.landed.replayed > 0) out += fmt::format(", {} said before", CountText(outcome.landed.replayed));
  if (outcome.folded) out += fmt::format(", {} messages expired, {} are in the base image", CountText(outcome.folded->expired), CountText(outcome.folded->kept));
  return out;
}

struct Ingested {
  std::vector<SourceOutcome> sources;
  std::vector<PublishedName> published;
  std::optional<Error> publish_error;
  double seconds = 0;
};

/// The list of runs keeps what became of each source; `status` reads it there.
void Note(WarehouseWriter& writer, const Ingested& ingested) {
  Json counters{{"sources", Json::object()}};
  std::string message;
  for (const auto& source : ingested.sources) {
    counters["sources"][source.source] = AsJson(source, ingested.seconds);
    if (source.error && message.empty()) message = fmt::format("source \"{}\": {}", source.source, source.error->message);
  }
  if (message.empty() && ingested.publish_error) message = ingested.publish_error->message;
  const auto outcome = !message.empty() ? state::Outcome::kFailed : io::StopRequested() ? state::Outcome::kStopped : state::Outcome::kOk;
  writer.Finish(outcome, message, counters.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<Ingested> Ingest(const Invocation& invocation, const IngestCall& call, Progress& progress) {
  const auto began = Clock::now();
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  if (warehouse.contract->sources.empty() && !warehouse.parsed.ok()) return FindingsError(warehouse.parsed.findings);
  ASSIGN(const auto writer, OpenWriter(warehouse, call.command));
  ASSIGN(const auto contract, DeployedContract(invocation.folder, warehouse, writer->lake(), [&](const std::string& text) { progress.Say(text); }));
  for (const auto& name : call.sources)
    if (!contract->source(name))
      return WithHint(Fail(Code::kNotFound, "there is no source \"{}\"", name), "`nanohouse status` lists the sources.");
  if (call.before) TRY(call.before(warehouse, *contract));
  IngestWatch watch;
  watch.on_progress = [&](const std::string& source, const ingest::FeedProgress& read, const land::LandCounters& landed) {
    Amount amount{source, read.messages, read.bytes, std::nullopt, "records"};
    if (read.total_bytes > 0) amount.total_bytes = read.total_bytes;
    if (read.messages == 0 && landed.records > 0) amount.rows = landed.records;
    progress.Show(amount);
  };
  watch.on_log = [&](const std::string& source, const std::string& text) { progress.Say(fmt::format("{}: {}", source, Printable(text))); };
  Ingested out;
  out.sources = RunIngest(writer->lake(), contract, warehouse.layout, call.sources, watch);
  if (contract->storage.publish && !io::StopRequested()) {
    auto published = PublishNames(writer->lake().connection(), warehouse.layout);
    if (published) out.published = *std::move(published);
    else out.publish_error = std::move(published).error();
  }
  out.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  Note(*writer, out);
  return out;
}

Exit Tell(const Invocation& invocation, const Ingested& ingested) {
  bool failed = ingested.publish_error.has_value();
  for (const auto& source : ingested.sources) failed |= source.error.has_value();
  if (invocation.json) {
    Json out{{"sources", Json::array()}, {"published", Json::object()}, {"refused", Json::object()}, {"seconds", ingested.seconds},
             {"stopped", io::StopRequested()}};
    for (const auto& source : ingested.sources) out["sources"].push_back(AsJson(source, ingested.seconds));
    for (const auto& name : ingested.published) {
      if (!name.location.empty()) out["published"][name.name] = name.location;
      if (!name.refused.empty()) out["refused"][name.name] = name.refused;
    }
    fmt::print("{}\n", out.dump(2, ' ', false, Json::error_handler_t::replace));
  } else if (!invocation.quiet) {
    for (const auto& source : ingested.sources) fmt::print("{}\n", Line(source));
    const std::string time = TimeText(std::chrono::duration<double>(ingested.seconds));
    fmt::print("{}\n", io::StopRequested() ? fmt::format("stopped after {}; the next ingest goes on from here", time) : "done in " + time);
  }
  std::fflush(stdout);
  for (const auto& source : ingested.sources) {
    if (!source.error) continue;
    Error error = *source.error;
    error.message = fmt::format("source \"{}\": {}", source.source, error.message);
    (void)Report(invocation, error);
  }
  for (const auto& name : ingested.published)
    if (!name.refused.empty() && !invocation.quiet && !invocation.json)
      fmt::print(stderr, "warning: table \"{}\" is not published: {}\n", name.name, name.refused);
  if (ingested.publish_error) (void)Report(invocation, *ingested.publish_error);
  return failed || io::StopRequested() ? Exit::kCouldNot : Exit::kDone;
}

}  // namespace

Exit IngestSources(const Invocation& invocation, const IngestCall& call) {
  io::CatchStopSignals();
  Progress progress(Terminal::Of(STDERR_FILENO), invocation.quiet ? Progress::Voice::kQuiet : Progress::Voice::kSpeaks);
  const auto ingested = Ingest(invocation, call, progress);
  progress.Clear();
  return ingested ? Tell(invocation, *ingested) : Report(invocation, ingested.error());
}

void AddIngest(CommandLine& line) {
  const auto sources = std::make_shared<std::vector<std::string>>();
  CLI::App& verb = AddVerb(line, line.program, "ingest", "Read every source to its end, land it, publish it",
                           {"nanohouse ingest", "nanohouse ingest shop_cdc", "nanohouse ingest --quiet --json"},
                           [sources](const Invocation& invocation) { return IngestSources(invocation, {.sources = *sources}); });
  verb.add_option("sources", *sources, "Only these sources (default: all)")->type_name("SOURCE");
}

}  // namespace nano::app
