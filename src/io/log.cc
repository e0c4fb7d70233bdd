// SPDX-License-Identifier: Apache-2.0
#include "io/log.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace nano::io {
namespace {

using Json = nlohmann::ordered_json;

std::atomic<LogForm> g_form{LogForm::kText};
std::atomic<LogLevel> g_least{LogLevel::kInfo};
std::mutex g_output;

std::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "info";
}

std::string TimeOf(std::int64_t micros) {
  const std::time_t seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                     parts.tm_sec, micros % 1'000'000 / 1000);
}

Json AsJson(const LogValue& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

/// A word as it is; anything else as a JSON string, so that a line stays a line.
std::string AsText(const LogValue& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) {
    const bool plain = !text->empty() && text->find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/+-") == std::string::npos;
    return plain ? *text : Json(*text).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return AsJson(value).dump();
}

}  // namespace

void SetLog(LogForm form, LogLevel least) {
  g_form = form;
  g_least = least;
}

std::string LogLine(LogForm form, std::int64_t micros, LogLevel level, std::string_view message, const LogFields& fields) {
  if (form == LogForm::kJson) {
    Json line{{"time", TimeOf(micros)}, {"level", Name(level)}, {"message", message}};
    for (const auto& [name, value] : fields) line[std::string(name)] = AsJson(value);
    return line.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  std::string line = fmt::format("{} {:<7} {}", TimeOf(micros), Name(level), message);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  for (const auto& [name, value] : fields) line += fmt::format(" {}={}", name, AsText(value));
  return line;
}

void Log(LogLevel level, std::string_view message, const LogFields& fields) {
  if (level < g_least.load()) return;
  const std::string line = LogLine(g_form.load(), NowMicros(), level, message, fields) + "\n";
  const std::lock_guard lock(g_output);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

}  // namespace nano::io
