// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a source's own words say of its streams. Files are read twice, so that a type that was widened late is held
/// against every value.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "discover/proposal.h"

namespace nano::discover {

struct Seen {
  StreamKind kind = StreamKind::kSinger;
  bool catalog = false;                ///< of a tap: no record was seen
  std::vector<SeenStream> streams;     ///< in the order in which they came
  std::vector<std::string> notes;
};

/// A file of any of these: a Singer stream, a Singer catalog, Debezium's messages in any form that ingest reads.
/// kNotFound: there is no such file; kInvalid: it is none of these.
Result<Seen> ReadStreamFile(const std::filesystem::path& path);

/// A Singer stream, line by line.
Result<Seen> ReadSingerStream(const std::filesystem::path& path);
/// Captured messages of Debezium's, line by line.
Result<Seen> ReadDebeziumStream(const std::filesystem::path& path);
/// A catalog's JSON, as a tap prints it with --discover.  kInvalid: it is none.
Result<Seen> ReadSingerCatalog(std::string_view text);

}  // namespace nano::discover
