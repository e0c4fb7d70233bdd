// SPDX-License-Identifier: Apache-2.0
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace nano::io {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr std::size_t kMaxErrorLine = 64 << 10;
/// How long error output is still read after the end of the child, when a grandchild holds it open.
constexpr Milliseconds kDrain{200};

struct Pipe {
  int read = -1, write = -1;
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    Close(read);
    Close(write);
  }
  bool Open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
  static void Close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  static int Release(int& fd) {
    const int released = fd;
    fd = -1;
    return released;
  }
};

bool IsProgram(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

Result<std::filesystem::path> FindProgram(const std::string& name, const std::string& search) {
  if (name.find('/') != std::string::npos) {
    if (IsProgram(name)) return std::filesystem::path(name);
    if (::access(name.c_str(), F_OK) == 0) return Fail(Code::kDenied, "program \"{}\" may not be run", name);
    return Fail(Code::kNotFound, "there is no program \"{}\"", name);
  }
  std::string_view left = search;
  while (!name.empty()) {
    const auto colon = left.find(':');
    const std::filesystem::path candidate = std::filesystem::path(left.substr(0, colon)) / name;
    if (IsProgram(candidate)) return candidate;
    if (colon == std::string_view::npos) break;
    left.remove_prefix(colon + 1);
  }
  return Fail(Code::kNotFound, "there is no program \"{}\" on the PATH", name);
}

std::vector<std::string> Environment(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const std::string_view name = entry.substr(0, entry.find('='));
    if (std::none_of(added.begin(), added.end(), [&](const auto& one) { return one.first == name; })) all.emplace_back(entry);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (auto& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// What runs between fork and exec: system calls only, as another thread may hold any lock.
struct Launch {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* folder;     // or nullptr
  int out, err, report;
  pid_t parent;
};

[[noreturn]] void RunChild(const Launch& launch) {
  const auto fail = [&] {
    const int error = errno;
    [[maybe_unused]] const auto written = ::write(launch.report, &error, sizeof error);
    ::_exit(127);
  };
  ::setpgid(0, 0);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail();
  if (::getppid() != launch.parent) ::_exit(127);   // the parent was gone before the kernel knew of our wish
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0 || ::dup2(launch.out, STDOUT_FILENO) < 0 || ::dup2(launch.err, STDERR_FILENO) < 0) fail();
  if (null > STDERR_FILENO) ::close(null);
#ifdef SYS_close_range
  ::syscall(SYS_close_range, 3U, ~0U, 1U << 2);   // CLOSE_RANGE_CLOEXEC: nothing of ours leaks into it
#endif
  if (launch.folder != nullptr && ::chdir(launch.folder) != 0) fail();
  ::execve(launch.program, launch.arguments, launch.environment);
  fail();
  ::_exit(127);
}

class PosixChild final : public Child {
 public:
  PosixChild(pid_t pid, int out, int err, OnErrorLine on_error_line)
      : pid_(pid), out_(out), err_(err), on_error_line_(std::move(on_error_line)) {}
  ~PosixChild() override {
    if (!exit_) {
      ::kill(-pid_, SIGKILL);
      ::kill(pid_, SIGKILL);
      Reap(0);
    }
    Pipe::Close(out_);
    Pipe::Close(err_);
  }

  Result<Outcome> Read(char* into, std::size_t size, Milliseconds wait) override {
    const auto deadline = Clock::now() + wait;
    for (;;) {
      if (out_ < 0) return Outcome{State::kEnd, 0};
      std::array<pollfd, 2> waits{{{.fd = out_, .events = POLLIN, .revents = 0}, {.fd = err_, .events = POLLIN, .revents = 0}}};
      const int ready = ::poll(waits.data(), waits.size(), Remaining(deadline));
      if (ready == 0 || (ready < 0 && errno == EINTR)) return Outcome{State::kNotYet, 0};
      if (ready < 0) return Fail(Code::kUnavailable, "could not wait for the output of a child process: {}", std::strerror(errno));
      if (waits[1].revents != 0) ReadErrors();
      if (waits[0].revents == 0) continue;
      const ssize_t n = ::read(out_, into, size);
      if (n > 0) return Outcome{State::kData, static_cast<std::size_t>(n)};
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) return Fail(Code::kUnavailable, "could not read the output of a child process: {}", std::strerror(errno));
      Pipe::Close(out_);
    }
  }

  Result<std::optional<ChildExit>> Wait(Milliseconds wait) override {
    const auto deadline = Clock::now() + wait;
    Milliseconds nap{1};
    for (;;) {
      if (Reap(WNOHANG)) {
        Drain(Clock::now() + kDrain);
        return exit_;
      }
      if (Clock::now() >= deadline) return std::optional<ChildExit>{};
      nap = std::min(nap * 2, Milliseconds(50));
      Discard(std::min(deadline, Clock::now() + nap));
    }
  }

  Result<ChildExit> Terminate(Milliseconds grace) override {
    if (!exit_) ::kill(-pid_, SIGTERM);
    ASSIGN(const auto in_time, Wait(grace));
    if (in_time) return *in_time;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    Reap(0);
    Drain(Clock::now() + kDrain);
    return *exit_;
  }

  int pid() const override { return pid_; }

 private:
  static int Remaining(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
  }

  bool Reap(int flags) {
    if (exit_) return true;
    int status = 0;
    pid_t got;
    do got = ::waitpid(pid_, &status, flags);
    while (got < 0 && errno == EINTR);
    if (got == 0) return false;
    exit_ = ChildExit{};
    if (got > 0 && WIFEXITED(status)) exit_->status = WEXITSTATUS(status);
    if (got > 0 && WIFSIGNALED(status)) exit_->signal = WTERMSIG(status);
    return true;
  }

  /// One read of the error output; false when there is none just now, or never more.
  bool ReadErrors() {
    if (err_ < 0) return false;
    std::array<char, 16 << 10> chunk;
    const ssize_t n = ::read(err_, chunk.data(), chunk.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return false;
    if (n <= 0) {
      Pipe::Close(err_);
      if (!error_line_.empty()) EndErrorLine();
      return false;
    }
    std::string_view left(chunk.data(), static_cast<std::size_t>(n));
    while (!left.empty()) {
      const auto newline = left.find('\n');
      std::string_view piece = left.substr(0, newline);
      left.remove_prefix(newline == std::string_view::npos ? left.size() : newline + 1);
      while (error_line_.size() + piece.size() > kMaxErrorLine) {
        const std::size_t fits = kMaxErrorLine - error_line_.size();
        error_line_.append(piece.substr(0, fits));
        piece.remove_prefix(fits);
        EndErrorLine();
      }
      error_line_.append(piece);
      if (newline != std::string_view::npos) EndErrorLine();
    }
    return true;
  }

  void EndErrorLine() {
    std::string_view line = error_line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (on_error_line_) on_error_line_(line);
    error_line_.clear();
  }

  /// Reads error output until it ends or the time is up.
  void Drain(Clock::time_point deadline) {
    while (err_ >= 0 && Clock::now() < deadline) {
      pollfd wait{.fd = err_, .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, Remaining(deadline)) <= 0) break;
      ReadErrors();
    }
    Pipe::Close(err_);
    if (!error_line_.empty()) EndErrorLine();
  }

  /// While waiting for the end: passes over output, so that the child never hangs on a full pipe.
  void Discard(Clock::time_point deadline) {
    std::array<pollfd, 2> waits{{{.fd = out_, .events = POLLIN, .revents = 0}, {.fd = err_, .events = POLLIN, .revents = 0}}};
    if (::poll(waits.data(), waits.size(), Remaining(deadline)) <= 0) return;
    if (waits[1].revents != 0) ReadErrors();
    if (waits[0].revents != 0) {
      std::array<char, 16 << 10> chunk;
      const ssize_t n = ::read(out_, chunk.data(), chunk.size());
      if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) Pipe::Close(out_);
    }
  }

  pid_t pid_;
  int out_, err_;
  OnErrorLine on_error_line_;
  std::string error_line_;
  std::optional<ChildExit> exit_;
};

}  // namespace

std::string ChildExit::Describe() const {
  return signal != 0 ? fmt::format("was ended by signal {}", signal) : fmt::format("exited with status {}", status);
}

Result<std::unique_ptr<Child>> Child::Start(const ChildOptions& options, OnErrorLine on_error_line) {
  if (options.arguments.empty()) return Fail(Code::kInvalid, "a child process needs a program");
  std::vector<std::string> arguments = options.arguments, environment = Environment(options.environment);
  std::string search = "/usr/local/bin:/usr/bin:/bin";
  for (const auto& entry : environment) {
    if (entry.starts_with("PATH=")) search = entry.substr(5);
  }
  ASSIGN(auto program, FindProgram(arguments[0], search));
  if (!options.folder.empty() && program.is_relative()) program = std::filesystem::absolute(program);
  const auto argument_pointers = Pointers(arguments), environment_pointers = Pointers(environment);

  Pipe out, err, report;
  if (!out.Open() || !err.Open() || !report.Open()) return Fail(Code::kUnavailable, "could not make a pipe: {}", std::strerror(errno));
  ::fcntl(out.read, F_SETPIPE_SZ, 1 << 20);   // fewer wake-ups; refused where the user has no more
  for (const int fd : {out.read, err.read}) ::fcntl(fd, F_SETFL, O_NONBLOCK);

  const Launch launch{program.c_str(), argument_pointers.data(), environment_pointers.data(),
                      options.folder.empty() ? nullptr : options.folder.c_str(), out.write, err.write, report.write, ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return Fail(Code::kUnavailable, "could not start program \"{}\": {}", arguments[0], std::strerror(errno));
  if (pid == 0) RunChild(launch);
  ::setpgid(pid, pid);   // on both sides, so that it holds whoever runs first
  Pipe::Close(report.write);
  auto child = std::make_unique<PosixChild>(pid, Pipe::Release(out.read), Pipe::Release(err.read), std::move(on_error_line));
  int error = 0;
  ssize_t n;
  do n = ::read(report.read, &error, sizeof error);
  while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof error)) {
    const Code code = error == ENOENT || error == ENOTDIR ? Code::kNotFound : error == EACCES || error == EPERM || error == ENOEXEC ? Code::kDenied : Code::kUnavailable;
    return Fail(code, "could not start program \"{}\": {}", arguments[0], std::strerror(error));
  }
  return child;
}

}  // namespace nano::io
