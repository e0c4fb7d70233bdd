// SPDX-License-Identifier: Apache-2.0
#include "app/run/http_door.h"

#include <httplib.h>
#include <openssl/crypto.h>

#include <charconv>
#include <thread>

#include "contract/listen.h"

namespace nano::app {
namespace {

/// As many requests are answered at a time; a post waits in one until it is durable.
constexpr std::size_t kThreads = 32;
constexpr std::size_t kMostBody = 64 << 20;

/// In a time that tells nothing of where two texts differ.
bool SameSecret(const std::string& a, const std::string& b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

class Door final : public HttpDoor {
 public:
  Door(Secret token, DoorAnswers answers) : token_(std::move(token)), answers_(std::move(answers)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_payload_max_length(kMostBody);
    server_.set_read_timeout(std::chrono::seconds(10));
    server_.set_write_timeout(std::chrono::seconds(10));
    server_.set_keep_alive_timeout(2);   // an idle connection has a thread, and a stop waits for it
    server_.set_keep_alive_max_count(100'000);
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) { return Admit(request, response); });
    Answer("/healthz", answers_.unhealthy);
    Answer("/readyz", answers_.unready);
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(answers_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Post(".*", [this](const httplib::Request& request, httplib::Response& response) {
      const PostAnswer answer = answers_.post(request.path, {request.headers.begin(), request.headers.end()}, request.body);
      response.status = answer.status;
      if (answer.status == 503) response.set_header("Retry-After", "5");
      response.set_content(answer.text + "\n", "text/plain; charset=utf-8");
    });
  }
  ~Door() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Status Listen(const std::string& host, int port) {
    port_ = port == 0 ? server_.bind_to_any_port(host) : server_.bind_to_port(host, port) ? port : -1;
    if (port_ < 0)
      return WithHint(Fail(Code::kUnavailable, "{}:{} can't be listened on", host, port), "Another program may have the port: change `serve.http.listen`.");
    host_ = host;
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    return {};
  }
  std::string address() const override { return fmt::format(fmt::runtime(host_.find(':') == std::string::npos ? "{}:{}" : "[{}]:{}"), host_, port_); }

 private:
  void Answer(const char* path, const std::function<std::string()>& trouble) {
    server_.Get(path, [&trouble](const httplib::Request&, httplib::Response& response) {
      const std::string text = trouble();
      response.status = text.empty() ? 200 : 503;
      response.set_content((text.empty() ? "ok" : text) + "\n", "text/plain; charset=utf-8");
    });
  }

  httplib::Server::HandlerResponse Admit(const httplib::Request& request, httplib::Response& response) {
    using Response = httplib::Server::HandlerResponse;
    response.set_header("X-Content-Type-Options", "nosniff");
    if (token_.Reveal().empty() || request.path == "/healthz") return Response::Unhandled;
    if (SameSecret(request.get_header_value("Authorization"), "Bearer " + token_.Reveal())) return Response::Unhandled;
    response.status = 401;
    response.set_header("WWW-Authenticate", "Bearer");
    response.set_content("a token is needed: Authorization: Bearer …\n", "text/plain; charset=utf-8");
    return Response::Handled;
  }

  Secret token_;
  DoorAnswers answers_;
  httplib::Server server_;
  std::string host_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpDoor>> HttpDoor::Open(const std::string& listen, Secret token, DoorAnswers answers) {
  ASSIGN(const contract::Listen place, contract::ParseListen(listen));
  if (!place.is_loopback() && token.Reveal().empty())
    return WithHint(Fail(Code::kInvalid, "{} is not a loopback address, and there is no token", listen), "Set `serve.http.token`.");
  auto door = std::make_unique<Door>(std::move(token), std::move(answers));
  TRY(door->Listen(place.host, place.port));
  return std::unique_ptr<HttpDoor>(std::move(door));
}

}  // namespace nano::app
