// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "io/files.h"
#include "watch/check_parts.h"

namespace nano::watch {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPublishHint = "`nanohouse publish` writes it anew.";

Trouble Unpublished(std::string message) {
  Trouble trouble = MakeTrouble(Code::kCorrupt, std::move(message), kPublishHint);
  trouble.cure = "published anew";
  trouble.mend = [](Hands& hands) { return hands.Publish(); };
  return trouble;
}

/// Whether the direct lane or the extension gave the file this name; anything else in the folder is somebody's own.
bool IsTableFile(const fs::path& path) {
  const std::string name = path.filename().string();
  return path.extension() == ".parquet" && (name.starts_with("nh-") || name.starts_with("ducklake-"));
}

/// `.names.json.<pid>.<n>.tmp` of io::WriteFileAtomically, and the like.
bool IsTemporary(const fs::path& path) { return path.extension() == ".tmp" || path.filename().string().find(kAside) != std::string::npos; }

/// Those of one kind: what may go by now, and what is too young.
struct Kind {
  std::vector<fs::path> old;
  std::size_t young = 0;
  std::uint64_t bytes = 0;
};

class LeftOvers {
 public:
  explicit LeftOvers(std::chrono::seconds grace) : grace_(grace) {}

  void Add(Kind& kind, const fs::directory_entry& entry) const {
    std::error_code error;
    const auto written = entry.last_write_time(error);
    if (error) return;   // gone by itself
    if (fs::file_time_type::clock::now() - written < grace_) {
      ++kind.young;
      return;
    }
    kind.old.push_back(entry.path());
    if (entry.is_regular_file(error)) kind.bytes += entry.file_size(error);
  }

  void Tell(const Kind& kind, const std::string& what, Check& check) const {
    if (kind.young > 0) {
      Trouble young = MakeTrouble(Code::kNotFound, fmt::format("{} {}, younger than storage.grace ({} s): may be in use, stays", kind.young, what, grace_.count()));
      young.harmless = true;
      check.troubles.push_back(std::move(young));
    }
    if (kind.old.empty()) return;
    Trouble old = MakeTrouble(Code::kNotFound, fmt::format("{} {}, {:.1f} MB, left by a stop: \"{}\"{}", kind.old.size(), what, static_cast<double>(kind.bytes) / 1e6,
                                                           kind.old.front().string(), kind.old.size() > 1 ? ", …" : ""));
    old.harmless = true;
    old.cure = "removed";
    old.mend = [files = kind.old](Hands&) -> Status {
      for (const auto& file : files) {
        std::error_code error;
        fs::remove_all(file, error);
        if (error) return Fail(Code::kDenied, "\"{}\" can't be removed: {}", file.string(), error.message());
        const fs::path folder = file.parent_path();   // of a batch's own, once it is empty
        const std::string name = folder.filename().string();
        if (name.starts_with("nh-") || name.starts_with("n=")) fs::remove(folder, error);
      }
      return {};
    };
    check.troubles.push_back(std::move(old));
  }

 private:
  std::chrono::seconds grace_;
};

}  // namespace

Status SetAside(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const fs::path aside = path.string() + kAside + std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  TRY(io::RenameFile(path, aside, "doctor.aside"));
  fs::last_write_time(aside, fs::file_time_type::clock::now(), error);
  return io::SyncFolder(path.parent_path(), "doctor.aside");
}

Check CheckPublished(const contract::Layout& layout) {
  Check check{"published names", "none", {}};
  const auto text = io::ReadFile(layout.iceberg() / "names.json");
  if (!text) {
    std::error_code error;
    if (text.error().code != Code::kNotFound) check.troubles.push_back({text.error(), false, {}, {}, {}, {}});
    else if (fs::exists(layout.iceberg(), error)) check.troubles.push_back(Unpublished("iceberg/names.json is missing, and published metadata is there"));
    return check;
  }
  const auto names = nlohmann::json::parse(*text, nullptr, false);
  if (!names.is_object()) {
    check.troubles.push_back(Unpublished("iceberg/names.json is not JSON"));
    return check;
  }
  std::size_t count = 0;
  std::set<fs::path> seen;
  const std::function<void(const nlohmann::json&)> visit = [&](const nlohmann::json& node) {
    if (node.is_string() && node.get_ref<const std::string&>().ends_with(".metadata.json")) {
      ++count;
      std::string path = node.get<std::string>();
      if (path.starts_with("file://")) path.erase(0, 7);
      const fs::path file = fs::path(path).is_absolute() ? fs::path(path) : layout.iceberg() / path;
      const auto metadata = io::ReadFile(file);
      if ((!metadata || !nlohmann::json::accept(*metadata)) && seen.insert(file).second)
        check.troubles.push_back(Unpublished(fmt::format("published metadata \"{}\" is missing or torn", file.string())));
    } else if (node.is_structured()) {
      for (const auto& item : node) visit(item);
    }
  };
  visit(names);
  check.looked_at = fmt::format("{} tables", count);
  return check;
}

Check CheckLeftOvers(const contract::Layout& layout, const Looking& looking, const std::optional<std::set<fs::path>>& named) {
  Check check{"left-overs", {}, {}};
  const LeftOvers left(looking.grace);
  const auto walk = [&](const fs::path& folder, const std::function<void(const fs::directory_entry&)>& look) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end && !looking.stop(); entry.increment(error)) {
      look(*entry);
      if (entry->path().filename().string().find(kAside) != std::string::npos) entry.disable_recursion_pending();
    }
  };
  Kind orphans, temporary, aside;
  if (named)
    walk(layout.lake(), [&](const fs::directory_entry& entry) {
      if (entry.is_regular_file() && IsTableFile(entry.path()) && !named->contains(entry.path().lexically_normal())) left.Add(orphans, entry);
    });
  const auto add_temporary = [&](const fs::directory_entry& entry) {
    if (IsTemporary(entry.path())) left.Add(entry.path().extension() == ".tmp" ? temporary : aside, entry);
  };
  for (const auto& folder : {layout.iceberg(), layout.local / "journal", layout.index()}) walk(folder, add_temporary);
  std::error_code error;
  for (fs::directory_iterator entry(layout.local, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".tmp" && entry->is_regular_file()) left.Add(temporary, *entry);
  walk(layout.spill(), [&](const fs::directory_entry& entry) {
    if (entry.is_regular_file()) left.Add(temporary, entry);
  });
  left.Tell(orphans, orphans.old.size() + orphans.young == 1 ? "file of a table that nothing names" : "files of tables that nothing names", check);
  left.Tell(temporary, "temporary files", check);
  left.Tell(aside, "things that were set aside", check);
  return check;
}

}  // namespace nano::watch
