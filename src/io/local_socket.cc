// SPDX-License-Identifier: Apache-2.0
#include "io/local_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <thread>

#include "io/descriptor.h"

namespace nano::io {
namespace {

constexpr std::size_t kMostRequestBytes = 1 << 20;
constexpr std::size_t kMostConnections = 16;

std::string Reason() { return std::strerror(errno); }

/// The address of `path`. One that is too long for an address (unix(7): 107 bytes) is named through its open folder.
struct Address {
  sockaddr_un name{};
  Descriptor folder;

  static Result<Address> Of(const std::filesystem::path& path) {
    Address out;
    out.name.sun_family = AF_UNIX;
    std::string text = path.string();
    if (text.size() >= sizeof out.name.sun_path) {
      out.folder = Descriptor(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (!out.folder.valid()) return Fail(Code::kNotFound, "folder \"{}\" can't be opened: {}", path.parent_path().string(), Reason());
      text = fmt::format("/proc/self/fd/{}/{}", out.folder.get(), path.filename().string());
    }
    if (text.size() >= sizeof out.name.sun_path) return Fail(Code::kInvalid, "the name of the socket \"{}\" is too long", path.string());
    std::memcpy(out.name.sun_path, text.c_str(), text.size() + 1);
    return out;
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

bool SendLine(int fd, std::string line) {
  line += '\n';
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = ::send(fd, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

/// A line without its end. False: the other side went away before it was whole, or it is longer than `most`.
bool ReceiveLine(int fd, std::size_t most, std::string& line) {
  line.clear();
  char part[4096];
  while (line.size() <= most) {
    const ssize_t n = ::recv(fd, part, sizeof part, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    line.append(part, static_cast<std::size_t>(n));
    if (line.back() == '\n') {
      line.pop_back();
      return true;
    }
  }
  return false;
}

class Server final : public LocalServer {
 public:
  Server(std::filesystem::path path, Descriptor listening, Answer answer) : path_(std::move(path)), listening_(std::move(listening)), answer_(std::move(answer)) {
    accepting_ = std::jthread([this](const std::stop_token& stop) { Accept(stop); });
  }
  ~Server() override {
    accepting_.request_stop();
    accepting_.join();
    std::error_code error;
    std::filesystem::remove(path_, error);
    for (auto& connection : connections_) ::shutdown(connection.fd.get(), SHUT_RD);
    connections_.clear();   // joins
  }

 private:
  struct Connection {
    Descriptor fd;
    std::atomic<bool> done{false};
    std::jthread thread;
  };

  void Accept(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{listening_.get(), POLLIN, 0};
      const int ready = ::poll(&waiting, 1, 200);
      connections_.remove_if([](const Connection& connection) { return connection.done.load(); });
      if (ready <= 0 || connections_.size() >= kMostConnections) continue;
      Descriptor fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.valid() || !IsOurs(fd.get())) continue;
      Connection& connection = connections_.emplace_back();
      connection.fd = std::move(fd);
      connection.thread = std::jthread([this, &connection] {
        std::string request;
        if (ReceiveLine(connection.fd.get(), kMostRequestBytes, request)) SendLine(connection.fd.get(), answer_(request));
        ::shutdown(connection.fd.get(), SHUT_RDWR);
        connection.done = true;
      });
    }
  }
  /// Of the same user, or root: also where a file system does not keep the socket's mode.
  static bool IsOurs(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == ::geteuid() || peer.uid == 0);
  }

  std::filesystem::path path_;
  Descriptor listening_;
  Answer answer_;
  std::list<Connection> connections_;   // of the accepting thread; after it ended, of the destructor
  std::jthread accepting_;
};

}  // namespace

Result<std::unique_ptr<LocalServer>> LocalServer::Open(const std::filesystem::path& path, Answer answer) {
  std::error_code error;
  std::filesystem::remove(path, error);
  ASSIGN(const Address address, Address::Of(path));
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Fail(Code::kUnavailable, "no socket can be made: {}", Reason());
  // Whoever connects between bind and chmod would be told apart by its user id.
  if (::bind(fd.get(), address.get(), sizeof address.name) != 0)
    return Fail(errno == EACCES ? Code::kDenied : Code::kUnavailable, "the socket \"{}\" can't be made: {}", path.string(), Reason());
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), 16) != 0)
    return Fail(Code::kUnavailable, "the socket \"{}\" can't be listened on: {}", path.string(), Reason());
  return std::unique_ptr<LocalServer>(std::make_unique<Server>(path, std::move(fd), std::move(answer)));
}

Result<std::string> AskLocal(const std::filesystem::path& path, const std::string& request) {
  auto address = Address::Of(path);
  if (!address) return tl::make_unexpected(std::move(address).error());
  const Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Fail(Code::kUnavailable, "no socket can be made: {}", Reason());
  if (::connect(fd.get(), address->get(), sizeof address->name) != 0)
    return Fail(errno == EACCES || errno == EPERM ? Code::kDenied : Code::kNotFound, "nobody listens at \"{}\": {}", path.string(), Reason());
  std::string answer;
  if (!SendLine(fd.get(), request) || !ReceiveLine(fd.get(), 256 << 20, answer))
    return Fail(Code::kUnavailable, "the process that listens at \"{}\" went away without an answer", path.string());
  return answer;
}

}  // namespace nano::io
