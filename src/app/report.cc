// SPDX-License-Identifier: Apache-2.0
#include "app/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/display_text.h"

namespace nano::app {
namespace {

constexpr std::size_t kPlaceColumn = 60, kLongestValue = 200;

std::string PlaceText(const Place& place) {
  if (place.in.empty()) return {};
  if (place.at == 0) return place.in;
  return place.column == 0 ? fmt::format("{}:{}", place.in, place.at) : fmt::format("{}:{}:{}", place.in, place.at, place.column);
}

/// Several lines (DuckDB's excerpt and caret) keep their shape; nothing in them is obeyed by the terminal.
std::string PrintableLines(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (at > 0) out += '\n';
    out += Printable(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  return out;
}

}  // namespace

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kNotFound: return "not_found";
    case Code::kExists: return "exists";
    case Code::kConflict: return "conflict";
    case Code::kUnavailable: return "unavailable";
    case Code::kOutcomeUnknown: return "outcome_unknown";
    case Code::kDenied: return "denied";
    case Code::kUnsupported: return "unsupported";
    case Code::kCorrupt: return "corrupt";
    case Code::kInternal: return "internal";
  }
  return "internal";
}

std::string_view CodeAdvice(Code code) {
  switch (code) {
    case Code::kInvalid: return "change what the place and the hint name";
    case Code::kNotFound: return "look at the name, or make it";
    case Code::kExists: return "it is there already; nothing was written over";
    case Code::kConflict: return "somebody else changed it, or is writing: try again";
    case Code::kUnavailable: return "something outside does not answer: try again later";
    case Code::kOutcomeUnknown: return "it may have happened: run the command again, which finds out; delete nothing";
    case Code::kDenied: return "you may not, by rights of the system or of the warehouse";
    case Code::kUnsupported: return "the language knows it, this release or this engine can't do it";
    case Code::kCorrupt: return "what is stored is damaged: keep the folder as it is, run `nanohouse doctor`";
    case Code::kInternal: return "our mistake: please report it with the message";
  }
  return "";
}

std::string ErrorText(const Error& error, const Terminal& terminal) {
  const std::string message = PrintableLines(error.message);
  std::string out = terminal.Red("error:") + " " + message;
  if (const std::string place = PlaceText(error.place); !place.empty()) {
    const std::size_t used = 7 + DisplayWidth(message.substr(message.rfind('\n') + 1));
    out += std::string(used + 2 < kPlaceColumn ? kPlaceColumn - used : 2, ' ') + Printable(place);
  }
  out += '\n';
  if (!error.value.empty()) out += fmt::format("value: {}\n", Clip(Printable(error.value), kLongestValue, terminal.unicode ? "…" : "~"));
  if (!error.hint.empty()) out += fmt::format("{} {}\n", terminal.Bold("hint:"), PrintableLines(error.hint));
  return out;
}

std::string ErrorJson(const Error& error) {
  nlohmann::ordered_json out;
  out["code"] = std::string(CodeName(error.code));
  out["message"] = error.message;
  if (!error.hint.empty()) out["hint"] = error.hint;
  if (!error.place.in.empty()) {
    out["place"]["file"] = error.place.in;
    if (error.place.at > 0) out["place"]["line"] = error.place.at;
    if (error.place.column > 0) out["place"]["column"] = error.place.column;
  }
  if (!error.value.empty()) out["value"] = error.value;
  nlohmann::ordered_json whole;
  whole["error"] = std::move(out);
  return whole.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Exit Report(const Invocation& invocation, const Error& error) {
  const std::string text = invocation.json ? ErrorJson(error) : ErrorText(error, Terminal::Of(STDERR_FILENO));
  std::fflush(stdout);
  std::fputs(text.c_str(), stderr);
  return Exit::kCouldNot;
}

Exit ReportUsage(const Invocation& invocation, const Error& error) {
  (void)Report(invocation, error);
  return Exit::kUsage;
}

}  // namespace nano::app
