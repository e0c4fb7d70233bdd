// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The STATE that a Singer tap is to be started with: the last one in the journal before which everything has landed.

#include <string>

#include "base/result.h"
#include "change/record.h"
#include "journal/journal.h"

namespace nano::land {

/// The value as JSON; "" if there is none. An empty STATE ({} or null), which some taps send first, takes nothing back.
Result<std::string> SingerState(journal::Reader& reader, Position landed);

}  // namespace nano::land
