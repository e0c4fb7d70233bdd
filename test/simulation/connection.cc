// SPDX-License-Identifier: Apache-2.0
#include "connection.h"

namespace nano::simulation {
namespace {

tl::unexpected<Error> Broken() { return Fail(Code::kUnavailable, "the database's connection broke: it was closed"); }

}  // namespace

class Network::Connection final : public io::Postgres {
 public:
  Connection(Network& network, Mode mode) : in_(network) {
    session_.replicates = mode == Mode::kReplication;
    session_.incarnation = in_.server_.incarnation();
  }
  ~Connection() override {
    if (link_) link_->reader_gone = true;
  }

  int server_version() const override { return in_.server_.version(); }
  std::string Literal(std::string_view text) const override { return Server::Literal(text); }
  std::string Identifier(std::string_view text) const override { return Server::Identifier(text); }

  Result<io::PostgresRows> Query(const std::string& sql, const std::vector<std::string>& parameters) override {
    TRY(Send(sql, in_.server_.rates.cut_before));
    auto rows = in_.server_.Execute(session_, sql, parameters);
    in_.scheduler_.Pause(Scheduler::Passes::kMay);
    TRY(GetAnswer());
    if (!rows && rows.error().value == "57P01") is_cut_ = true;
    TRY(rows);
    return io::PostgresRows(*std::move(rows));
  }

  Status CopyOut(const std::string& sql, const std::function<Status(std::string& line)>& take) override {
    TRY(Send(sql, in_.server_.rates.cut_before));
    auto lines = in_.server_.Copy(session_, sql);
    TRY(lines);
    std::size_t cut_at = lines->size() + 1;
    if (in_.draw_.Chance(in_.server_.rates.cut_in_copy)) cut_at = in_.draw_.Below(lines->size() + 1);
    Status failed;
    for (std::size_t n = 0; n < lines->size() && failed; ++n) {
      if (n == cut_at) {
        in_.trace_.SayFault("copy is cut");
        is_cut_ = true;
      }
      if (n % 16 == 0) in_.scheduler_.Pause(Scheduler::Passes::kMay);
      if (is_cut_ || in_.is_dead_()) return Broken();
      failed = take((*lines)[n]);
    }
    TRY(GetAnswer());
    return failed;
  }

  Status StartCopyBoth(const std::string& sql) override {
    TRY(Send(sql, in_.server_.rates.cut_before));
    auto link = std::make_shared<Link>();
    TRY(in_.server_.StartReplication(sql, link));
    link_ = std::move(link);
    return {};
  }

  Result<std::optional<std::string_view>> Receive() override {
    if (in_.is_dead_()) return Broken();
    if (!HasFrame()) {
      if (link_->cut && link_->down.empty()) return Broken();
      return std::optional<std::string_view>();
    }
    frame_ = std::move(link_->down.front().bytes);
    link_->down.pop_front();
    return std::optional<std::string_view>(frame_);
  }
  Status Consume() override { return in_.is_dead_() ? Status(Broken()) : Status(); }

  Status Send(std::string_view message) override {
    if (in_.is_dead_() || (link_->cut && link_->down.empty())) return Broken();
    if (!link_->cut) link_->up.push_back({in_.scheduler_.steady_micros() + in_.draw_.Between(0, in_.draw_.Chance(0.05) ? 3'000'000 : 3'000), std::string(message)});
    return {};
  }

  bool WaitReadable(std::chrono::milliseconds at_most) const override {
    const std::int64_t until = in_.scheduler_.steady_micros() + at_most.count() * 1000;
    while (true) {
      if (in_.is_dead_() || HasFrame() || (link_->cut && link_->down.empty())) return true;
      if (in_.scheduler_.steady_micros() >= until) return false;
      in_.scheduler_.Pause(Scheduler::Passes::kMust);
    }
  }
  void Cancel() const override { is_cut_ = true; }

 private:
  bool HasFrame() const { return !link_->down.empty() && link_->down.front().at <= in_.scheduler_.steady_micros(); }

  Status Send(const std::string& sql, double cut) {
    in_.scheduler_.Pause(Scheduler::Passes::kMay);
    if (is_cut_ || in_.is_dead_()) return Broken();
    if (in_.draw_.Chance(cut)) {
      in_.trace_.SayFault("cut before a query", sql.substr(0, 40));
      is_cut_ = true;
      return Broken();
    }
    if (in_.draw_.Chance(in_.server_.rates.refused_query)) {
      in_.trace_.SayFault("session is ended", sql.substr(0, 40));
      is_cut_ = true;
      return Fail(Code::kUnavailable, "the database said: terminating connection due to administrator command");
    }
    return {};
  }
  Status GetAnswer() {
    if (is_cut_ || in_.is_dead_()) return Broken();
    if (!in_.draw_.Chance(in_.server_.rates.cut_after)) return {};
    in_.trace_.SayFault("cut behind a query");
    is_cut_ = true;
    return Broken();
  }

  Network& in_;
  Session session_;
  mutable bool is_cut_ = false;
  std::shared_ptr<Link> link_;
  std::string frame_;
};

Result<std::unique_ptr<io::Postgres>> Network::Connect(io::Postgres::Mode mode) {
  scheduler_.Pause(Scheduler::Passes::kMay);
  if (is_dead_()) return Broken();
  if (!server_.is_up()) return Fail(Code::kUnavailable, "the database refused the connection: the database system is starting up");
  if (draw_.Chance(server_.rates.refused)) {
    trace_.SayFault("connection is refused");
    return Fail(Code::kUnavailable, "the database can't be reached: connection refused");
  }
  return std::make_unique<Connection>(*this, mode);
}

}  // namespace nano::simulation
