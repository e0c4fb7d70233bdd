// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The verbs of `source` that ask a database for its rows once more: to land them, or to compare.

#include "app/command.h"

namespace nano::app {

void AddSourceRereads(CommandLine& line, CLI::App& group);
void AddSourceVerify(CommandLine& line, CLI::App& group);

}  // namespace nano::app
