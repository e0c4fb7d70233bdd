// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a long-running process tells those who look after it: one line an event on standard output, as text or as JSON.
/// Rotation is the environment's. Nothing secret is handed in: errors carry offending values apart from their text, and
/// those are not logged. From any thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nano::io {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogForm { kText, kJson };

using LogValue = std::variant<std::string, std::int64_t, double>;
using LogFields = std::vector<std::pair<std::string_view, LogValue>>;

/// What is logged from now on, and how.
void SetLog(LogForm form, LogLevel least);
/// `2026-11-29T18:30:00.123Z info  landed source=shop_db rows=120`, or
/// `{"time":"…","level":"info","message":"landed","source":"shop_db","rows":120}`.
void Log(LogLevel level, std::string_view message, const LogFields& fields = {});

/// One line of it, without its end; `micros` since 1970.
std::string LogLine(LogForm form, std::int64_t micros, LogLevel level, std::string_view message, const LogFields& fields);

}  // namespace nano::io
