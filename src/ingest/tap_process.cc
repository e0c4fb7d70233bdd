// SPDX-License-Identifier: Apache-2.0
#include "ingest/tap_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <system_error>

#include "io/files.h"
#include "io/signals.h"

namespace nano::ingest {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFolderName = "nanohouse-tap-";

/// Held as long as the descriptor is open; children don't inherit it.
io::Descriptor LockFolder(const fs::path& folder) {
  io::Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return fd.valid() && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0 ? std::move(fd) : io::Descriptor();
}

/// What processes left that were killed: it holds secrets.
void RemoveLeftOvers() {
  std::error_code ignored;
  for (fs::directory_iterator at(fs::temp_directory_path(ignored), ignored), end; !ignored && at != end; at.increment(ignored)) {
    struct stat found {};
    if (!at->path().filename().string().starts_with(kFolderName) || ::lstat(at->path().c_str(), &found) != 0) continue;
    const bool fresh = std::time(nullptr) - found.st_mtime < 60;   // its owner may not have come to lock it
    if (!S_ISDIR(found.st_mode) || found.st_uid != ::geteuid() || fresh) continue;
    if (const io::Descriptor lock = LockFolder(at->path()); lock.valid()) fs::remove_all(at->path(), ignored);
  }
}

}  // namespace

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Status PrivateFolder::Make() {
  RemoveLeftOvers();
  std::string name = (fs::temp_directory_path() / kFolderName).string() + "XXXXXX";
  if (mkdtemp(name.data()) == nullptr) return Fail(Code::kUnavailable, "no temporary folder could be made");
  path_ = name;
  lock_ = LockFolder(path_);
  return {};
}

Result<std::string> PrivateFolder::Put(const std::string& name, const std::string& content) {
  const fs::path path = path_ / name;
  TRY(io::WriteFileAtomically(path, content, "tap.file"));
  return path.string();
}

Result<std::vector<std::string>> TapProcess::Arguments() {
  TRY(files_.Make());
  std::vector<std::string> arguments{Program()};
  for (const auto& argument : source_.tap.arguments) arguments.push_back(argument);
  ASSIGN(const Secret config, source_.tap_config.empty() ? Result<Secret>(Secret("{}")) : source_.tap_config.ResolveInJson());
  ASSIGN(const std::string config_path, files_.Put("config.json", config.Reveal()));
  arguments.insert(arguments.end(), {"--config", config_path});
  return arguments;
}

/// A tap named with a slash is relative to the warehouse's folder; else it is looked for on PATH.
std::string TapProcess::Program() const {
  const std::string& tap = source_.tap.tap;
  return tap.find('/') == std::string::npos ? tap : fs::absolute(folder_ / tap).lexically_normal().string();
}

Result<std::unique_ptr<io::Child>> TapProcess::Run(const std::vector<std::string>& arguments) {
  io::ChildOptions child;
  child.arguments = arguments;
  child.folder = folder_;
  for (const auto& [name, value] : source_.tap.environment) {
    ASSIGN(const Secret secret, value.Resolve());
    child.environment.emplace_back(name, secret.Reveal());
  }
  auto started = io::Child::Start(child, [this](std::string_view line) { TakeLog(line); });
  if (!started && started.error().code == Code::kNotFound) {
    Error error = started.error();
    error.message = fmt::format("the tap \"{}\" of source \"{}\" is not installed", source_.tap.tap, source_.name);
    error.hint = source_.tap.pip.empty() ? "Install it, and put it on PATH or give its path."
                                         : fmt::format("Install it with `pip install \"{}\"` in an environment of its own, and give its path.", source_.tap.pip);
    return tl::make_unexpected(std::move(error));
  }
  return started;
}

Result<std::string> TapProcess::Discover(std::vector<std::string> arguments) {
  arguments.push_back("--discover");
  ASSIGN(const auto child, Run(arguments));
  std::string output;
  std::array<char, 1 << 16> buffer{};
  while (true) {
    ASSIGN(const auto got, child->Read(buffer.data(), buffer.size(), std::chrono::seconds(1)));
    if (got.state == io::ByteSource::State::kEnd) break;
    output.append(buffer.data(), got.bytes);
    if (io::StopRequested()) return Fail(Code::kUnavailable, "stopped");
  }
  ASSIGN(const auto ended, child->Wait(std::chrono::seconds(30)));
  if (!ended || !ended->ok()) {
    Error error = Failed(fmt::format("the tap \"{}\" of source \"{}\" could not discover its streams", source_.tap.tap, source_.name)).value();
    error.hint = "The value is what it said last; its config may lack something.";
    return tl::make_unexpected(std::move(error));
  }
  if (!nlohmann::json::accept(output)) return Fail(Code::kInvalid, "what the tap \"{}\" prints as its catalog is not JSON", source_.tap.tap);
  return output;
}

tl::unexpected<Error> TapProcess::Failed(std::string message) const {
  Error error{Code::kUnavailable, std::move(message), "What it sent until then stays, and the next run goes on from its last STATE.", {}, {}};
  if (!last_log_.empty()) error.value = last_log_;
  return tl::make_unexpected(std::move(error));
}

void TapProcess::TakeLog(std::string_view line) {
  if (!line.empty() && line.find("METRIC") == std::string_view::npos) last_log_ = std::string(line.substr(0, 2000));
  if (on_log_) on_log_(line);
}

Result<std::string> DiscoverTap(const contract::Source& source, const fs::path& folder, const std::function<void(std::string_view)>& on_log) {
  TapProcess tap(source, folder, on_log);
  ASSIGN(auto arguments, tap.Arguments());
  return tap.Discover(std::move(arguments));
}

}  // namespace nano::ingest
