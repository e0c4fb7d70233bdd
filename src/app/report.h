// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What went wrong, said to a person (primary line with its place, value, hint) or to a program (one JSON object),
/// on standard error; and the exit code that goes with it.

#include <string>

#include "app/command.h"
#include "app/terminal.h"
#include "base/result.h"

namespace nano::app {

/// `error: table "orders" has no key          orders.yaml:14:11` and `hint: …` below it, with a line feed at the end.
std::string ErrorText(const Error& error, const Terminal& terminal);
/// `{"error":{"code":"invalid","message":…,"hint":…,"place":{"file":…,"line":…,"column":…},"value":…}}`
std::string ErrorJson(const Error& error);
/// The code as users see it: `invalid`, `not_found`, …; the reference lists them.
std::string_view CodeName(Code code);
/// What whoever meets it should do.
std::string_view CodeAdvice(Code code);

/// Prints the error and gives kCouldNot.
Exit Report(const Invocation& invocation, const Error& error);
/// Prints the error and gives kUsage.
Exit ReportUsage(const Invocation& invocation, const Error& error);


}  // namespace nano::app
