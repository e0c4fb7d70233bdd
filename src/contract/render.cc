// SPDX-License-Identifier: Apache-2.0
#include "contract/render.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace nano::contract {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMessageWidth = 56;  ///< places begin in this column, if the message lets them
constexpr std::size_t kLineWidth = 110;    ///< characters of a source line that are shown

/// The characters of a text, each as its bytes; what a terminal would act on becomes `?`.
std::vector<std::string> Characters(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80 && !out.empty())
      out.back() += c;
    else if (c == '\t')
      out.emplace_back(" ");
    else
      out.emplace_back(1, byte < 0x20 || byte == 0x7F ? '?' : c);
  }
  for (auto& character : out)
    if (character.size() == 2 && character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0)
      character = "?";  // C1 controls
  return out;
}

std::string Joined(const std::vector<std::string>& characters, std::size_t begin, std::size_t end) {
  std::string out;
  for (std::size_t i = begin; i < end && i < characters.size(); ++i) out += characters[i];
  return out;
}

std::string Safe(std::string_view text) { return Joined(Characters(text), 0, std::string::npos); }

std::string_view LineOf(const std::vector<SourceFile>& files, const Place& place) {
  for (const auto& file : files) {
    if (file.path != place.in) continue;
    std::string_view text = file.text;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    for (std::uint64_t line = 1; line < place.at; ++line) {
      const auto end = text.find('\n');
      if (end == std::string_view::npos) return {};
      text.remove_prefix(end + 1);
    }
    text = text.substr(0, text.find('\n'));
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }
  return {};
}

std::size_t EndColumn(const Finding& finding) {
  const bool is_span = finding.end.at == finding.place.at && finding.end.column > finding.place.column;
  return static_cast<std::size_t>(is_span ? finding.end.column : finding.place.column + 1);
}

void AppendSource(const Finding& finding, std::string_view line, std::string_view on, std::string_view off, std::string& out) {
  const auto characters = Characters(line);
  const std::size_t at =
      std::min(static_cast<std::size_t>(std::max<std::uint64_t>(finding.place.column, 1) - 1), characters.size());
  const std::size_t first = at > kLineWidth - 20 ? at - (kLineWidth - 40) : 0;
  const std::string number = std::to_string(finding.place.at);
  out += fmt::format("{:>5} | {}{}{}\n", number, first ? "…" : "", Joined(characters, first, first + kLineWidth),
                     first + kLineWidth < characters.size() ? "…" : "");
  const std::size_t end = std::max(at + 1, std::min(EndColumn(finding) - 1, first + kLineWidth));
  out += fmt::format("{:>5} | {}{}{}{}{}\n", "", std::string(at - first + (first ? 1 : 0), ' '), on, "^",
                     std::string(end - at - 1, '~'), off);
}

std::string_view Word(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }

/// A path as a relative URI.
std::string Uri(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '/' || c == '.' || c == '_' || c == '-' || c == '~')
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned>(byte));
  }
  return out;
}

std::string Dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::size_t Count(const Findings& findings, Severity severity) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.severity == severity; }));
}

}  // namespace

std::string RenderText(const Findings& findings, const std::vector<SourceFile>& files, Colour colour) {
  const bool is_coloured = colour == Colour::kOn;
  const std::string_view off = is_coloured ? "\x1b[0m" : "", bold = is_coloured ? "\x1b[1m" : "",
                         dim = is_coloured ? "\x1b[2m" : "";
  std::string out;
  for (const auto& finding : findings) {
    const std::string_view on = !is_coloured ? "" : finding.severity == Severity::kError ? "\x1b[31m" : "\x1b[33m";
    if (!out.empty()) out += '\n';
    const std::string message = Safe(finding.message);
    const std::size_t width = Word(finding.severity).size() + 2 + Characters(message).size();
    out += fmt::format("{}{}{}:{} {}{}{}{}", bold, on, Word(finding.severity), off, bold, message, off,
                       std::string(width + 4 < kMessageWidth ? kMessageWidth - width : 4, ' '));
    out += fmt::format("{}{}:{}:{}{}\n", dim, Safe(finding.place.in), finding.place.at, finding.place.column, off);
    const std::string_view line = finding.code == "plain-secret" ? std::string_view() : LineOf(files, finding.place);
    if (line.find_first_not_of(" \t") != std::string_view::npos) AppendSource(finding, line, on, off, out);
    if (!finding.hint.empty()) out += fmt::format("hint: {}\n", Safe(finding.hint));
  }
  return out;
}

std::string RenderJson(const Findings& findings) {
  Json list = Json::array();
  for (const auto& f : findings)
    list.push_back({{"severity", Word(f.severity)},
                    {"code", f.code},
                    {"message", f.message},
                    {"hint", f.hint},
                    {"file", f.place.in},
                    {"line", f.place.at},
                    {"column", f.place.column},
                    {"end_column", EndColumn(f)}});
  return Dump({{"errors", Count(findings, Severity::kError)},
               {"warnings", Count(findings, Severity::kWarning)},
               {"findings", std::move(list)}});
}

std::string RenderSarif(const Findings& findings, const std::string& tool_version) {
  Json rules = Json::array(), results = Json::array();
  for (const auto& rule : Rules()) rules.push_back({{"id", rule.code}, {"shortDescription", {{"text", rule.says}}}});
  for (const auto& f : findings) {
    const auto rule = std::find_if(Rules().begin(), Rules().end(), [&](const Rule& r) { return r.code == f.code; });
    const std::string text = f.hint.empty() ? f.message : f.message + ". " + f.hint;
    Json result = {{"ruleId", f.code}, {"level", Word(f.severity)}, {"message", {{"text", text}}}};
    if (rule != Rules().end()) result["ruleIndex"] = rule - Rules().begin();
    const Json region = {{"startLine", std::max<std::uint64_t>(f.place.at, 1)},
                         {"startColumn", std::max<std::uint64_t>(f.place.column, 1)},
                         {"endColumn", std::max<std::size_t>(EndColumn(f), 2)}};
    result["locations"] = Json::array(
        {{{"physicalLocation", {{"artifactLocation", {{"uri", Uri(f.place.in)}, {"uriBaseId", "SRCROOT"}}}, {"region", region}}}}});
    results.push_back(std::move(result));
  }
  const Json driver = {{"name", "nanohouse"}, {"version", tool_version}, {"rules", std::move(rules)}};
  const Json run = {{"tool", {{"driver", driver}}}, {"columnKind", "unicodeCodePoints"}, {"results", std::move(results)}};
  return Dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", Json::array({run})}});
}

std::string Summary(const Findings& findings) {
  const auto errors = Count(findings, Severity::kError), warnings = Count(findings, Severity::kWarning);
  const auto counted = [](std::size_t n, std::string_view word) { return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s"); };
  if (!errors && !warnings) return "no mistakes";
  if (!warnings) return counted(errors, "error");
  if (!errors) return counted(warnings, "warning");
  return counted(errors, "error") + ", " + counted(warnings, "warning");
}

}  // namespace nano::contract
