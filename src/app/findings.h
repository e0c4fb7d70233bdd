// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Mistakes in a warehouse's files, as the verbs that need them whole show them.

#include "app/command.h"
#include "contract/parse.h"

namespace nano::app {

/// Prints them as `check` does (JSON with --json) and gives kFailed where one is an error, else kDone.
Exit ShowFindings(const Invocation& invocation, const contract::Parsed& parsed);

/// The first mistake as the reason why something could not be done.
tl::unexpected<Error> FindingsError(const contract::Findings& findings);

}  // namespace nano::app
