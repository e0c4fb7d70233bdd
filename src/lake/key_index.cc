// SPDX-License-Identifier: Apache-2.0
#include "lake/key_index.h"

#include <openssl/rand.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <system_error>

#include "base/check.h"
#include "io/files.h"
#include "lake/index_run.h"
#include "wire/json_get.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kPoint = "index.list";

fs::path ListOf(const fs::path& folder) { return folder / "index.json"; }

/// Runs of one tier are of like size; four of one make one of the next.
int Tier(std::size_t entries) { return static_cast<int>(std::bit_width(entries)) / 2; }

using Run = std::shared_ptr<const IndexRun>;

struct FileRun {
  std::string name;
  Run run;
};

class LsmIndex final : public KeyIndex {
 public:
  LsmIndex(fs::path folder, IndexOf of, IndexOptions options) : folder_(std::move(folder)), of_(std::move(of)), options_(options) {}

  /// False: there is none that can be used.
  Result<bool> Load() {
    auto text = io::ReadFile(ListOf(folder_), 1 << 20);
    if (!text) return false;
    const json list = json::parse(*text, nullptr, false);
    if (!list.is_object() || wire::Get(list, "format", 0) != kFormat) return false;
    const IndexOf known{wire::Get(list, "lake", ""), wire::Get(list, "table", std::int64_t{-1}), wire::Get(list, "key", "")};
    if (known != of_) return false;
    seed_ = wire::Get(list, "seed", std::uint64_t{0});
    covers_ = wire::Get(list, "covers", std::int64_t{-1});
    next_run_ = wire::Get(list, "next_run", std::uint64_t{0});
    for (const auto& name : wire::Get(list, "runs", std::vector<std::string>{})) {
      auto run = MapRun(folder_ / name, false);
      if (!run) return false;
      saved_.push_back({name, *std::move(run)});
    }
    return true;
  }

  const IndexOf& of() const override { return of_; }
  Status Clear() override {
    std::error_code error;
    fs::remove_all(folder_, error);
    saved_.clear();
    young_.clear();
    covers_ = -1;
    next_run_ = 0;
    NANO_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&seed_), sizeof seed_) == 1);
    seed_ >>= 1;   // JSON's integers are signed
    return io::MakeFolders(folder_, "index.folder");
  }

  /// Files that no list names are what a crash left.
  void Sweep() {
    std::set<std::string> named{"index.json"};
    for (const auto& run : saved_) named.insert(run.name);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_, error))
      if (!named.contains(entry.path().filename().string())) fs::remove(entry.path(), error);
  }

  std::uint64_t seed() const override { return seed_; }
  std::int64_t covers() const override { return covers_; }
  void SetCovers(std::int64_t snapshot) override { covers_ = snapshot; }

  Status Add(std::vector<KeyedPlace> rows) override {
    if (rows.empty()) return {};
    young_.push_back(MakeRun(std::move(rows)));
    // Each run is at least twice as large as the next, so there are few.
    while (young_.size() > 1 && young_[young_.size() - 2]->entries().size() < 2 * young_.back()->entries().size()) {
      const Run merged = MergeInMemory({young_.back(), young_[young_.size() - 2]}, nullptr);
      young_.pop_back();
      young_.back() = merged;
    }
    return {};
  }

  void Forget(std::int64_t first_file) override {
    const auto keeps = [&](std::int64_t file) { return file < first_file; };
    for (Run& run : young_)
      if (!std::all_of(run->files().begin(), run->files().end(), keeps)) run = MergeInMemory({run}, keeps);
    std::erase_if(young_, [](const Run& run) { return run->entries().empty(); });
  }

  void Find(std::span<const KeyHash> keys, const std::function<bool(std::size_t, const RowPlace&)>& found) override {
    // In the order of the hashes neighbours share what they touch.
    std::vector<std::uint32_t> order(keys.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return keys[a] < keys[b]; });
    std::vector<bool> done(keys.size(), false);
    const auto ask = [&](const IndexRun& run) {
      for (const std::uint32_t n : order) {
        if (done[n]) continue;
        for (const IndexEntry& entry : run.Find(keys[n]))
          if (!found(n, run.place(entry))) {
            done[n] = true;
            break;
          }
      }
    };
    for (auto run = young_.rbegin(); run != young_.rend(); ++run) ask(**run);
    for (auto run = saved_.rbegin(); run != saved_.rend(); ++run) ask(*run->run);
  }

  Status Save(const std::function<bool(std::int64_t)>& live) override {
    std::vector<std::string> gone;
    if (!young_.empty()) {
      std::vector<Run> runs(young_.rbegin(), young_.rend());
      ASSIGN(FileRun run, WriteRun(runs, live));
      saved_.push_back(std::move(run));
      young_.clear();
    }
    // Youngest last; a merge takes neighbours, so that the order stays that of age.
    while (saved_.size() >= options_.merge_runs) {
      const int tier = Tier(saved_.back().run->entries().size());
      std::size_t first = saved_.size();
      while (first > 0 && Tier(saved_[first - 1].run->entries().size()) <= tier) --first;
      if (saved_.size() - first < options_.merge_runs) break;
      std::vector<Run> runs;
      for (std::size_t r = saved_.size(); r-- > first;) {
        runs.push_back(saved_[r].run);
        gone.push_back(saved_[r].name);
      }
      ASSIGN(FileRun run, WriteRun(runs, live));
      saved_.resize(first);
      saved_.push_back(std::move(run));
    }
    TRY(WriteList());
    std::error_code ignored;
    for (const auto& name : gone) fs::remove(folder_ / name, ignored);
    return {};
  }

  std::size_t unsaved() const override {
    std::size_t count = 0;
    for (const Run& run : young_) count += run->entries().size();
    return count;
  }
  std::size_t size() const override {
    std::size_t count = unsaved();
    for (const FileRun& run : saved_) count += run.run->entries().size();
    return count;
  }
  std::size_t resident_bytes() const override {
    std::size_t bytes = 0;
    for (const Run& run : young_) bytes += run->resident_bytes();
    for (const FileRun& run : saved_) bytes += run.run->resident_bytes();
    return bytes;
  }

 private:
  Result<FileRun> WriteRun(const std::vector<Run>& runs, const std::function<bool(std::int64_t)>& live) {
    const std::string name = fmt::format("{:08}.run", next_run_++);
    TRY(MergeToFile(runs, live, folder_ / name));
    ASSIGN(Run run, MapRun(folder_ / name, false));
    return FileRun{name, std::move(run)};
  }

  Status WriteList() {
    json list{{"format", kFormat}, {"lake", of_.lake}, {"table", of_.table}, {"key", of_.key}, {"seed", seed_},
              {"covers", covers_}, {"next_run", next_run_}, {"runs", json::array()}};
    for (const FileRun& run : saved_) list["runs"].push_back(run.name);
    return io::WriteFileAtomically(ListOf(folder_), list.dump(), kPoint);
  }

  fs::path folder_;
  IndexOf of_;
  IndexOptions options_;
  std::uint64_t seed_ = 0;
  std::int64_t covers_ = -1;
  std::uint64_t next_run_ = 0;
  std::vector<FileRun> saved_;   ///< oldest first
  std::vector<Run> young_;       ///< in memory, oldest first
};

}  // namespace

Result<std::unique_ptr<KeyIndex>> KeyIndex::Open(const fs::path& folder, const IndexOf& of, const IndexOptions& options) {
  auto index = std::make_unique<LsmIndex>(folder, of, options);
  ASSIGN(const bool known, index->Load());
  if (!known) TRY(index->Clear());
  index->Sweep();
  return std::unique_ptr<KeyIndex>(std::move(index));
}

Status CheckIndex(const fs::path& folder) {
  const auto text = io::ReadFile(ListOf(folder), 1 << 20);
  if (!text && text.error().code == Code::kNotFound) return {};   // begun, and never saved
  if (!text) return tl::make_unexpected(text.error());
  const json list = json::parse(*text, nullptr, false);
  if (!list.is_object()) return Fail(Code::kCorrupt, "{} is not a list of runs", ListOf(folder).string());
  for (const auto& name : wire::Get(list, "runs", std::vector<std::string>{})) {
    const auto run = MapRun(folder / name, true);
    if (!run) return tl::make_unexpected(run.error());
  }
  return {};
}

}  // namespace nano::lake
