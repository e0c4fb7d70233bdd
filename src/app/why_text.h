// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The history of a row as `why` shows it: for people, line by line, and for programs. Pure functions.

#include <string>
#include <vector>

#include "app/terminal.h"
#include "land/row_history.h"

namespace nano::app {

/// What was asked: the table and `id = 7`.
struct WhyQuestion {
  std::string table;
  std::vector<land::Condition> key;
};

/// Long messages and values are shortened to the terminal's width.
std::string WhyText(const WhyQuestion& question, const land::History& history, const Terminal& terminal);

/// One JSON object. The values of rows must be JSON.
std::string WhyJson(const WhyQuestion& question, const land::History& history);

}  // namespace nano::app
