// SPDX-License-Identifier: Apache-2.0
#include "contract/parse.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <system_error>

#include "contract/cross_check.h"
#include "contract/expressions.h"
#include "contract/keys.h"
#include "contract/read.h"
#include "io/files.h"

namespace nano::contract {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 4> kFolders{"sources", "tables", "models", "roles"};
constexpr std::uint64_t kLargestFile = 16 << 20;

bool IsYaml(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

Status Collect(const fs::path& folder, const fs::path& root, std::vector<fs::path>& out) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return {};
  fs::recursive_directory_iterator it(folder, error), end;
  for (; !error && it != end; it.increment(error)) {
    const auto& path = it->path();
    const auto name = path.filename().string();
    if (name.starts_with('.')) {
      if (it->is_directory()) it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file() && (IsYaml(path) || path.extension() == ".sql")) out.push_back(path.lexically_relative(root));
  }
  if (error) return Fail(Code::kUnavailable, "folder \"{}\" can't be read: {}", folder.string(), error.message());
  return {};
}

/// YAML files in the warehouse's own folder that look like a part of it, but are not read there.
void WarnOfUnread(const fs::path& folder, Findings& findings) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto& path = it->path();
    if (!it->is_regular_file() || !IsYaml(path) || path.filename() == "nanohouse.yaml") continue;
    const auto text = io::ReadFile(path, kLargestFile);
    if (!text) continue;
    Findings ignored;
    const std::string name = path.filename().string();
    const Node root = ReadYaml(name, *text, ignored);
    const bool is_ours =
        root.Get("tables") || root.Get("nanohouse") || root.Get("roles") || (root.Get("sources") && !root.Get("version"));
    if (is_ours)
      findings.push_back({Severity::kWarning,
                          "not-read",
                          fmt::format("file \"{}\" is not read", name),
                          "Move it into `sources/`, `tables/`, `models/` or `roles/`.",
                          {name, 1, 1},
                          {name, 1, 1}});
  }
}

std::string Utf8Only(const std::string& text) {
  std::size_t at = 0;
  return IsUtf8(text, at) ? text : std::string();
}

}  // namespace

std::string MakeBundle(const std::vector<SourceFile>& files) {
  auto bundle = nlohmann::ordered_json::array();
  for (const auto& file : files) bundle.push_back({{"path", Utf8Only(file.path)}, {"text", Utf8Only(file.text)}});
  return bundle.dump();
}

Parsed Parse(std::vector<SourceFile> files, const fs::path& folder, const Options& options) {
  Parsed parsed;
  std::sort(files.begin(), files.end(), [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  auto contract = std::make_shared<Contract>();
  contract->folder = folder;
  const WarehouseTree tree = JoinFiles(files, parsed.findings, contract->not_yet);
  ReadContract(tree, *contract, parsed.findings);
  for (const auto& file : files)
    if (file.path.ends_with(".sql")) contract->not_yet.push_back({"model: " + file.path, {file.path, 1, 1}});
  CrossCheck(tree, *contract, files, parsed.findings);
  if (options.resolve_references) CheckReferences(tree, parsed.findings);
  CheckExpressions(tree, *contract, parsed.findings);
  contract->bundle = MakeBundle(files);
  Sort(parsed.findings);
  parsed.contract = std::move(contract);
  parsed.files = std::move(files);
  return parsed;
}

Result<Parsed> Load(const fs::path& folder, const Options& options) {
  std::error_code error;
  const fs::path main = folder / "nanohouse.yaml";
  if (!fs::is_regular_file(main, error)) {
    const bool is_yml = fs::is_regular_file(folder / "nanohouse.yml", error);
    return WithHint(Fail(Code::kNotFound, "folder \"{}\" holds no nanohouse.yaml", folder.string()),
                    is_yml ? "Rename nanohouse.yml to nanohouse.yaml."
                           : "Go into a warehouse's folder, name it with -C, or make one with `nanohouse init`.");
  }
  std::vector<fs::path> paths{"nanohouse.yaml"};
  for (const auto* const name : kFolders) TRY(Collect(folder / name, folder, paths));
  std::vector<SourceFile> files;
  for (const auto& path : paths) {
    ASSIGN(std::string text, io::ReadFile(folder / path, kLargestFile));
    files.push_back({path.generic_string(), std::move(text)});
  }
  Parsed parsed = Parse(std::move(files), folder, options);
  WarnOfUnread(folder, parsed.findings);
  Sort(parsed.findings);
  return parsed;
}

Result<std::shared_ptr<const Contract>> LoadBundle(const std::string& bundle, const fs::path& folder) {
  const auto json = nlohmann::json::parse(bundle, nullptr, false);
  if (!json.is_array()) return Fail(Code::kCorrupt, "the stored contract is no bundle");
  std::vector<SourceFile> files;
  for (const auto& item : json) {
    if (!item.is_object() || !item.contains("path") || !item.contains("text") || !item["path"].is_string() ||
        !item["text"].is_string())
      return Fail(Code::kCorrupt, "the stored contract is no bundle");
    files.push_back({item["path"].get<std::string>(), item["text"].get<std::string>()});
  }
  Parsed parsed = Parse(std::move(files), folder, {.resolve_references = false});
  for (const auto& finding : parsed.findings) {
    if (finding.severity != Severity::kError) continue;
    auto failure = Fail(Code::kCorrupt, "the stored contract has a mistake: {}", finding.message);
    failure.value().place = finding.place;
    return failure;
  }
  return parsed.contract;
}

}  // namespace nano::contract
