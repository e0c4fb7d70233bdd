// SPDX-License-Identifier: Apache-2.0
#include "watch/doctor.h"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "engine/database.h"
#include "state/state.h"
#include "state/writer_lock.h"
#include "watch/check_parts.h"

namespace nano::watch {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLeastRoom = 1ULL << 30;
constexpr std::size_t kRunsLookedAt = 1000;

Check CheckEngine() {
  Check check{"engine", {}, {}};
  auto database = engine::Database::Open({.threads = 1, .memory_limit = "128MB", .temp_directory = {}});
  if (!database) {
    check.troubles.push_back({database.error(), {}, {}, {}, {}, {}});
    return check;
  }
  const auto versions = (*database)->Versions();
  if (!versions) {
    check.troubles.push_back({versions.error(), {}, {}, {}, {}, {}});
    return check;
  }
  for (std::size_t row = 0; row < versions->size(); ++row)
    check.looked_at += fmt::format("{}{} {}", row == 0 ? "" : ", ", versions->text(row, 0), versions->text(row, 1));
  return check;
}

/// The first folder of the path that is there.
fs::path NearestFolder(fs::path path) {
  std::error_code error;
  while (!path.empty() && !fs::exists(path, error) && path != path.parent_path()) path = path.parent_path();
  return path;
}

Check CheckFolder(const char* name, const fs::path& folder) {
  Check check{name, folder.string(), {}};
  const fs::path there = NearestFolder(folder);
  if (access(there.c_str(), W_OK | X_OK) != 0)
    check.troubles.push_back(MakeTrouble(Code::kDenied, fmt::format("folder \"{}\" can't be written", there.string()),
                                     "Run as the user who owns the warehouse, or change the folder's rights."));
  std::error_code error;
  const auto space = fs::space(there, error);
  if (!error) {
    check.looked_at += fmt::format(", {:.1f} GB free", static_cast<double>(space.available) / 1e9);
    if (space.available < kLeastRoom)
      check.troubles.push_back(MakeTrouble(Code::kUnavailable, fmt::format("less than 1 GB is free in \"{}\"", there.string()),
                                       "Make room: the journal and every commit need some."));
  }
  return check;
}

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

/// Whether a process of this host is gone; of another host nobody knows.
bool IsGone(int pid, const std::string& host) { return host == HostName() && kill(pid, 0) != 0 && errno == ESRCH; }

/// state.db can't be read: nobody's data is in it, so it is put aside and made again.
Trouble DamagedState(const contract::Layout& layout, Error error) {
  if (error.hint.empty()) error.hint = "It holds who writes, who reads and what ran; no data.";
  Trouble trouble{std::move(error), false, {}, {}, {}, {}};
  if (trouble.code != Code::kCorrupt && trouble.code != Code::kInvalid) return trouble;
  trouble.code = Code::kCorrupt;
  trouble.cure = "set aside, and made anew";
  trouble.mend = [layout](Hands&) -> Status {
    ASSIGN(const auto lock, state::WriterLock::TryLock(layout.local / "run.lock"));
    if (!lock) return Fail(Code::kConflict, "another process writes this warehouse");
    for (const char* end : {"", "-wal", "-shm"}) TRY(SetAside(layout.state().string() + end));
    return {};
  };
  return trouble;
}

}  // namespace

Trouble MakeTrouble(Code code, std::string message, std::string hint) { return {{code, std::move(message), std::move(hint), {}, {}}, false, {}, {}, {}, {}}; }

bool Check::well() const {
  return std::all_of(troubles.begin(), troubles.end(), [](const Trouble& one) { return one.harmless || one.fix == Fix::kDone; });
}

bool OthersWrite(const contract::Layout& layout) {
  std::error_code error;
  if (!fs::exists(layout.state(), error)) return false;
  auto state = state::State::Open(layout.local);
  if (!state) return false;
  const auto writer = (*state)->writer();
  return writer && *writer && (*writer)->held && (*writer)->pid != getpid();
}

std::vector<Check> CheckInstallation(const contract::Layout& layout) {
  return {CheckEngine(), CheckFolder("storage.root", layout.root), CheckFolder("storage.local", layout.local)};
}

Check CheckState(const contract::Layout& layout) {
  Check check{"state", layout.state().string(), {}};
  std::error_code error;
  if (!fs::exists(layout.state(), error)) {
    check.looked_at = "not made yet";
    if (!fs::exists(layout.catalog(), error)) return check;
    Trouble missing = MakeTrouble(Code::kNotFound, fmt::format("\"{}\" is missing", layout.state().string()), "What ran is forgotten; no data is lost.");
    missing.cure = "made anew";
    missing.mend = [](Hands&) { return Status(); };   // whoever has hands has opened it
    check.troubles.push_back(std::move(missing));
    return check;
  }
  auto state = state::State::Open(layout.local);
  if (!state) {
    check.troubles.push_back(DamagedState(layout, state.error()));
    return check;
  }
  const auto writer = (*state)->writer();
  const auto runs = (*state)->Runs(kRunsLookedAt);
  const auto leases = (*state)->SnapshotLeases();
  for (const Error* damage : {writer ? nullptr : &writer.error(), runs ? nullptr : &runs.error(), leases ? nullptr : &leases.error()}) {
    if (damage == nullptr) continue;
    check.troubles.push_back(DamagedState(layout, *damage));
    return check;
  }
  const bool held = *writer && (*writer)->held;
  if (*writer) check.looked_at += fmt::format(", writer epoch {}{}", (*writer)->epoch, held ? fmt::format(", held by pid {}", (*writer)->pid) : "");
  for (const auto& run : *runs) {
    if (run.outcome != state::Outcome::kRunning || run.epoch == 0 || (held && run.epoch == (*writer)->epoch)) continue;
    Trouble stale = MakeTrouble(Code::kNotFound, fmt::format("run {} ({}, pid {}) never ended, and its process is gone", run.id, run.command, run.pid));
    stale.harmless = true;
    stale.cure = "noted as lost";
    stale.mend = [](Hands&) { return Status(); };   // the lease did
    check.troubles.push_back(std::move(stale));
  }
  for (const auto& lease : *leases) {
    if (!IsGone(lease.pid, lease.host)) continue;
    Trouble stale = MakeTrouble(Code::kNotFound, fmt::format("snapshot {} is held by pid {}, which is gone", lease.snapshot, lease.pid));
    stale.harmless = true;
    stale.cure = "given back";
    stale.mend = [id = lease.id](Hands& hands) { return hands.state().ReleaseLease(id); };
    check.troubles.push_back(std::move(stale));
  }
  return check;
}

std::vector<Check> CheckStores(const contract::Layout& layout, const Looking& looking) {
  std::vector<Check> out;
  std::error_code error;
  std::set<fs::path> journals;
  for (fs::directory_iterator entry(layout.local / "journal", error), end; !error && entry != end; entry.increment(error))
    if (entry->is_directory(error)) journals.insert(entry->path());
  const bool others = OthersWrite(layout);
  for (const auto& folder : journals)
    if (!looking.stop()) out.push_back(CheckJournal(folder, looking, others));
  std::optional<std::set<fs::path>> named;
  for (auto& check : CheckLake(layout, looking, named)) out.push_back(std::move(check));
  if (fs::exists(layout.index(), error) && !others) out.push_back(CheckIndexes(layout, looking));
  if (fs::exists(layout.catalog(), error)) out.push_back(CheckPublished(layout));
  Check left = CheckLeftOvers(layout, looking, named);
  if (!left.troubles.empty()) out.push_back(std::move(left));
  return out;
}

}  // namespace nano::watch
