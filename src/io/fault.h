// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Named points at which a test can make a durable step fail, or end the process as a power cut would.
/// NANOHOUSE_FAULT=<point>[:<n>]=<kill|stop|eio|enospc|short> acts at the n-th passing (1 by default) of the point;
/// NANOHOUSE_FAULT_LOG=<file> appends the name of each point as it is first passed, so that a test learns them all,
/// and its name with a `!` when it acts.
/// `stop` stops the process there (SIGSTOP), so that a test can look. Costs one atomic load where nothing is set.

#include <string_view>

#include "base/result.h"

namespace nano::io {

enum class Fault { kNone, kEio, kEnospc, kShortWrite };

/// Passes a point: kills the process (SIGKILL) if that was asked for, else says how the caller is to fail.
Fault PassPoint(std::string_view point);
/// The same, as the error that the caller returns.
Status PassOrFail(std::string_view point);
/// Reads the environment anew; for a test's forked child, which sets it after its parent passed points.
void ReloadFaults();

}  // namespace nano::io
