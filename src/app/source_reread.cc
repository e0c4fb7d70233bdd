// SPDX-License-Identifier: Apache-2.0
#include "app/source_reread.h"

#include <algorithm>
#include <set>

#include "app/feed_options.h"

namespace nano::app {

Result<const contract::Source*> RereadableSource(const contract::Contract& contract, const std::string& name) {
  const contract::Source* const source = contract.source(name);
  if (!source) return WithHint(Fail(Code::kNotFound, "there is no source \"{}\"", name), "`nanohouse source list` lists them.");
  if (source->kind != contract::Source::Kind::kPostgres)
    return WithHint(Fail(Code::kUnsupported, "source \"{}\" can't be asked for its rows once more", name), "Only a `postgres` source can: others say what they say.");
  return source;
}

Result<std::vector<std::string>> StreamsMeant(const contract::Contract& contract, const std::string& source, const std::vector<std::string>& tables) {
  const auto options = FeedOptionsOf(contract, {}, source);
  std::set<std::string> meant;
  for (const auto& name : tables) {
    const std::size_t before = meant.size();
    if (const auto* const table = contract.table(name))
      for (const auto& feed : table->sources)
        if (feed.source == source) meant.insert(feed.stream);
    if (name.find('.') != std::string::npos) meant.insert(name);
    if (meant.size() == before && !meant.contains(name))
      return WithHint(Fail(Code::kNotFound, "source \"{}\" fills no table \"{}\"", source, name), "Name a table of the warehouse, or a stream as schema.table.");
  }
  for (const auto& group : options.together)
    if (std::any_of(group.begin(), group.end(), [&](const auto& stream) { return meant.contains(stream); })) meant.insert(group.begin(), group.end());
  return std::vector<std::string>(meant.begin(), meant.end());
}

Status AskSource(const contract::Contract& contract, const contract::Layout& layout, const std::string& source, ingest::Asked asked,
                 const std::vector<std::string>& tables) {
  TRY(RereadableSource(contract, source));
  ASSIGN(const auto streams, StreamsMeant(contract, source, tables));
  ASSIGN(const auto journal, journal::Writer::Open(layout.journal(source), source));
  return ingest::Ask(*journal, asked, streams);
}

}  // namespace nano::app
