// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The command line for shells and readers: scripts that complete it, and its manual page. Names of tables and sources are
/// asked of the program (`nanohouse completion words tables`), which reads the warehouse's files and nothing else. Pure.

#include <string>

#include "app/command_tree.h"

namespace nano::app {

std::string BashCompletion(const CommandNode& program);
std::string ZshCompletion(const CommandNode& program);
std::string FishCompletion(const CommandNode& program);
/// nanohouse.1, in the macros of man(7).
std::string ManualPage(const CommandNode& program, const std::string& version);

}  // namespace nano::app
