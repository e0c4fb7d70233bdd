// SPDX-License-Identifier: Apache-2.0
#include "disk.h"

#include <errno.h>

#include <fstream>
#include <sstream>

#include "base/check.h"

namespace nano::simulation {
namespace {

namespace fs = std::filesystem;

Disk* g_disk = nullptr;

std::int64_t SizeOf(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? -1 : static_cast<std::int64_t>(size);
}

std::string Content(const std::string& path, std::int64_t begin, std::size_t length) {
  std::string out(length, '\0');
  std::ifstream in(path, std::ios::binary);
  in.seekg(begin);
  in.read(out.data(), static_cast<std::streamsize>(length));
  out.resize(static_cast<std::size_t>(in.gcount()));
  return out;
}

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

const char* Name(DiskFault fault) {
  switch (fault) {
    case DiskFault::kNone: return "none";
    case DiskFault::kEio: return "disk fails once";
    case DiskFault::kFull: return "disk is full";
    case DiskFault::kShort: return "short write";
    case DiskFault::kKill: return "process is killed";
    case DiskFault::kLose: return "power cut, all unsynced is lost";
    case DiskFault::kLoseSome: return "power cut, some unsynced is lost";
  }
  return "";
}

Disk::Disk(fs::path root, Draw draw, Trace& trace) : root_(root.string()), draw_(draw), trace_(trace) { g_disk = this; }
Disk::~Disk() { g_disk = nullptr; }

void Disk::Arm(DiskFault fault, std::uint64_t calls) {
  armed_ = fault;
  countdown_ = calls;
}

void Disk::Disarm() {
  armed_ = DiskFault::kNone;
  full_for_ = 0;
}

void Disk::Die(DiskFault how) {
  if (dead_) return;
  trace_.SayFault(Name(how));
  dead_ = true;
  death_ = how;
  Disarm();
}

bool Disk::IsOurs(const std::string& path) const {
  return !at_work_ && path.starts_with(root_ + "/") && !path.ends_with("-shm") && !path.ends_with("run.lock") && !path.ends_with(" (deleted)");
}

Disk::Fate Disk::Count(const char* call, const std::string& path, bool writes) {
  ++calls_;
  if (dead_) {
    errno = EIO;
    return Fate::kFail;
  }
  if (full_for_ > 0 && writes) {
    --full_for_;
    errno = ENOSPC;
    return Fate::kFail;
  }
  if (armed_ == DiskFault::kNone) return Fate::kPass;
  if (countdown_ > 0) {
    --countdown_;
    return Fate::kPass;
  }
  if ((armed_ == DiskFault::kShort || armed_ == DiskFault::kFull) && !writes) return Fate::kPass;   // at the next that writes
  const DiskFault fault = armed_;
  armed_ = DiskFault::kNone;
  const std::string file = path.substr(std::min(path.size(), root_.size()));
  // Names there are drawn by the program itself.
  std::string place = file;
  for (const char* const folder : {"/lake/", "/tmp/", "/index/"})
    if (file.starts_with(folder)) place = folder;
  const std::string detail = fmt::format("{} {}", call, place);
  switch (fault) {
    case DiskFault::kKill:
    case DiskFault::kLose:
    case DiskFault::kLoseSome:
      trace_.Say("at {}", detail);
      Die(fault);
      errno = EIO;
      return Fate::kFail;
    case DiskFault::kShort: trace_.SayFault(Name(fault), detail); return Fate::kShort;
    case DiskFault::kFull:
      trace_.SayFault(Name(fault), detail);
      full_for_ = static_cast<int>(draw_.Between(0, 6));
      errno = ENOSPC;
      return Fate::kFail;
    case DiskFault::kEio:
    case DiskFault::kNone: break;
  }
  trace_.SayFault(Name(fault), detail);
  errno = EIO;
  return Fate::kFail;
}

void Disk::WillWrite(const std::string& path, off_t begin, std::size_t length) {
  const std::int64_t size = SizeOf(path);
  std::string before;
  if (begin < size) {
    at_work_ = true;
    before = Content(path, begin, std::min(length, static_cast<std::size_t>(size - begin)));
    at_work_ = false;
  }
  files_[path].written.push_back({begin, size, std::move(before)});
}

void Disk::Made(const std::string& path) { files_[path] = {{}, true}; }

void Disk::Synced(const std::string& path) {
  if (const auto at = files_.find(path); at != files_.end()) at->second.written.clear();
  for (auto& [name, file] : files_)
    if (FolderOf(name) == path) file.is_new = false;
  std::erase_if(moves_, [&](const Move& move) { return FolderOf(move.to.empty() ? move.from : move.to) == path; });
}

void Disk::SyncedAll() {
  files_.clear();
  moves_.clear();
}

void Disk::WillRename(const std::string& from, const std::string& to) {
  Move move{from, to, {}};
  if (const std::int64_t size = SizeOf(to); size >= 0) move.content = Content(to, 0, static_cast<std::size_t>(size));
  moves_.push_back(std::move(move));
}

void Disk::Renamed(const std::string& from, const std::string& to) {
  const auto at = files_.find(from);
  if (at == files_.end()) return;
  files_[to] = std::move(at->second);
  files_[to].is_new = false;   // the renaming stands for it
  files_.erase(from);
}

/// A name that was synced may be there again after a power cut, until its folder is synced.
Disk::Fate Disk::WillRemove(const std::string& path) {
  if (Count("unlink", path, false) == Fate::kFail) return Fate::kFail;
  const auto at = files_.find(path);
  const bool lasts = at == files_.end() || !at->second.is_new;
  const std::int64_t size = SizeOf(path);
  if (lasts && size >= 0 && path.find("/tmp/") == std::string::npos && path.find("/journal/") != std::string::npos)
    moves_.push_back({path, "", Content(path, 0, static_cast<std::size_t>(size))});
  if (at != files_.end()) files_.erase(at);
  return Fate::kPass;
}

void Disk::Undo(const std::string& path, const File& file, bool some) {
  std::int64_t size = SizeOf(path);
  if (size < 0) return;
  std::string content = Content(path, 0, static_cast<std::size_t>(size));
  for (auto write = file.written.rbegin(); write != file.written.rend(); ++write) {
    if (some && draw_.Chance(0.5)) continue;   // this one has reached the disk
    const auto begin = static_cast<std::size_t>(write->begin);
    if (begin < content.size()) content.replace(begin, std::min(write->before.size(), content.size() - begin), write->before.substr(0, std::min(write->before.size(), content.size() - begin)));
    const auto grown_from = static_cast<std::size_t>(std::max<std::int64_t>(write->size_before, 0));
    if (!some) content.resize(grown_from);
    else if (grown_from <= begin)   // what had been added has no content
      for (std::size_t at = begin; at < content.size(); ++at) content[at] = '\0';
  }
  if (some && !file.written.empty() && draw_.Chance(0.3)) {
    std::int64_t synced = file.written.front().size_before;
    for (const auto& write : file.written) synced = std::min(synced, write.size_before);
    content.resize(static_cast<std::size_t>(std::max(synced, draw_.Between(synced, std::max(synced, size)))));
  }
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

void Disk::Lose(bool some) {
  for (const auto& [path, file] : files_) Undo(path, file, some);
  for (auto move = moves_.rbegin(); move != moves_.rend(); ++move) {
    if (some && draw_.Chance(0.5)) continue;
    std::error_code ignored;
    if (!move->to.empty()) fs::rename(move->to, move->from, ignored);
    const std::string& place = move->to.empty() ? move->from : move->to;
    if (move->content && !fs::exists(place)) std::ofstream(place, std::ios::binary) << *move->content;
  }
  for (const auto& [path, file] : files_)
    if (file.is_new && (!some || draw_.Chance(0.5))) fs::remove(path);
  SyncedAll();
}

void Disk::Restart() {
  NANO_CHECK(dead_);
  dead_ = false;
  at_work_ = true;
  if (death_ != DiskFault::kKill) Lose(death_ == DiskFault::kLoseSome);
  at_work_ = false;
}

}  // namespace nano::simulation

nano::disk::WatchedDisk* nano::disk::WatchedDisk::Current() { return nano::simulation::g_disk; }
