// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `nanohouse --version`: the program, DuckDB and every extension, each loaded from its file, so that an installation
/// that lacks one is found at once.

#include "app/command.h"

namespace nano::app {

/// The program's own version, as CMakeLists.txt has it.
const char* ProgramVersion();
/// Prints all versions; kCouldNot where DuckDB or an extension can't be loaded.
Exit PrintVersion(const Invocation& invocation);

}  // namespace nano::app
