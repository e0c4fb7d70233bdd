// SPDX-License-Identifier: Apache-2.0
#include "app/feed_options.h"

#include <algorithm>

namespace nano::app {
namespace {

/// Adds to `groups` that these streams belong together, and with them all that belong to any of them.
void Join(std::vector<std::set<std::string>>& groups, std::set<std::string> streams) {
  for (auto group = groups.begin(); group != groups.end();) {
    const bool shares = std::any_of(streams.begin(), streams.end(), [&](const auto& stream) { return group->contains(stream); });
    if (shares) streams.merge(*group);
    group = shares ? groups.erase(group) : group + 1;
  }
  groups.push_back(std::move(streams));
}

}  // namespace

ingest::FeedOptions FeedOptionsOf(const contract::Contract& contract, const contract::Layout& layout, const std::string& source) {
  ingest::FeedOptions options;
  options.folder = contract.folder;
  options.commit_every = std::chrono::milliseconds(contract.storage.commit_every_ms);
  options.warehouse = contract.warehouse;
  options.spool = layout.spill();
  for (const auto& table : contract.tables) {
    std::set<std::string> streams;
    for (const auto& feed : table.sources)
      if (feed.source == source) streams.insert(feed.stream);
    if (streams.size() > 1) Join(options.together, std::move(streams));
  }
  for (const auto& table : contract.tables)
    for (const auto& feed : table.sources) {
      if (feed.source != source) continue;
      options.marks_run |= table.mode == contract::Mode::kReplace;
      if (table.mode == contract::Mode::kAppend || table.mode == contract::Mode::kHistory) options.exact_streams.insert(feed.stream);
      if (std::find(options.streams.begin(), options.streams.end(), feed.stream) == options.streams.end()) options.streams.push_back(feed.stream);
    }
  return options;
}

Status CheckJournal(const lake::Cut& landed, const std::string& source, Position journaled) {
  const auto at = landed.sources.find(source);
  if (at == landed.sources.end() || at->second <= journaled) return {};
  return WithHint(Fail(Code::kCorrupt, "the journal of source \"{}\" ends at {}, before position {} that has landed", source, journaled.value, at->second.value),
                  "`nanohouse doctor` looks at every store.");
}

}  // namespace nano::app
