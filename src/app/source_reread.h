// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Tables of a PostgreSQL source that are to be read once more: which streams are meant, and the note in the journal that makes
/// the next who opens the source do so.

#include <string>
#include <vector>

#include "base/result.h"
#include "contract/layout.h"
#include "contract/model.h"
#include "ingest/postgres_place.h"

namespace nano::app {

/// The source, if it is one whose tables can be read once more.  kNotFound, kUnsupported.
Result<const contract::Source*> RereadableSource(const contract::Contract& contract, const std::string& name);

/// The streams of `tables`, which are names of tables or of streams; none: those of all. Of streams that fill one table all are meant.
Result<std::vector<std::string>> StreamsMeant(const contract::Contract& contract, const std::string& source, const std::vector<std::string>& tables);

/// Notes it. Nobody may read the source meanwhile.
Status AskSource(const contract::Contract& contract, const contract::Layout& layout, const std::string& source, ingest::Asked asked,
                 const std::vector<std::string>& tables);

}  // namespace nano::app
