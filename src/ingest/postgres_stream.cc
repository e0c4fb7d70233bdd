// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_stream.h"

#include "io/signals.h"

namespace nano::ingest {
namespace {

using std::chrono::seconds;

constexpr seconds kTellEvery{5};
/// A walsender whose client was killed may hold the slot until it notices.
constexpr seconds kSlotPatience{20};

/// The newest protocol that the server has, and what comes with it.
struct Protocol {
  int version = 1;
  bool streams = false, messages = false;
};
Protocol ProtocolOf(int server_version) {
  if (server_version >= 160000) return {4, true, true};
  if (server_version >= 150000) return {3, true, true};
  if (server_version >= 140000) return {2, true, true};
  return {1, false, false};
}

std::string Command(const io::Postgres& connection, const StreamStart& start, const Protocol& protocol) {
  std::string names;
  for (const auto& name : start.publications) names += (names.empty() ? "" : ",") + connection.Identifier(name);
  return fmt::format("START_REPLICATION SLOT {} LOGICAL {} (proto_version '{}', publication_names {}{}{})", connection.Identifier(start.slot),
                     LsnText(start.from), protocol.version, connection.Literal(names), protocol.streams ? ", streaming 'on'" : "",
                     protocol.messages ? ", messages 'true'" : "");
}

}  // namespace

PostgresStream::PostgresStream(std::unique_ptr<io::Postgres> connection) : connection_(std::move(connection)), told_(NowSteady()) {}

PostgresStream::~PostgresStream() {
  const std::lock_guard lock(mutex_);
  if (!broken_) (void)SendStatus();   // the slot need not wait for the next run to forget what is durable
}

Result<std::unique_ptr<PostgresStream>> PostgresStream::Start(const io::PostgresOpener& connect, const Secret& url, const StreamStart& start) {
  ASSIGN(auto connection, connect(url, io::Postgres::Mode::kReplication));
  const Protocol protocol = ProtocolOf(connection->server_version());
  const std::string command = Command(*connection, start, protocol);
  const auto deadline = NowSteady() + kSlotPatience;
  while (true) {
    const Status started = connection->StartCopyBoth(command);
    if (started) break;
    if (started.error().value != io::kObjectInUse || NowSteady() > deadline || io::StopRequested()) return tl::make_unexpected(started.error());
    SleepFor(std::chrono::milliseconds(200));
  }
  std::unique_ptr<PostgresStream> stream(new PostgresStream(std::move(connection)));
  stream->has_messages_ = protocol.messages;
  stream->received_ = stream->durable_ = start.from;
  stream->keeper_ = io::TheBackground().Start([at = stream.get()](const std::stop_token& stop) { at->KeepAlive(stop); });
  return stream;
}

Status PostgresStream::SendStatus(Asks asks) {
  told_ = NowSteady();
  std::string status = wire::StandbyStatus(received_, durable_, NowMicros());
  if (asks == Asks::kYes) status.back() = '\1';
  const Status sent = connection_->Send(status);
  broken_ = broken_ || !sent;
  return sent;
}

void PostgresStream::KeepAlive(const std::stop_token& stop) {
  while (true) {
    SleepFor(seconds(1), stop);
    const std::lock_guard lock(mutex_);
    if (stop.stop_requested() || broken_) return;
    if (NowSteady() - told_ >= kTellEvery) (void)SendStatus();   // the owner meets the error
  }
}

Result<std::optional<wire::WalFrame>> PostgresStream::Next() {
  const std::lock_guard lock(mutex_);
  auto message = connection_->Receive();
  if (message && !*message) {
    if (Status got = connection_->Consume(); !got) message = tl::make_unexpected(std::move(got).error());
    else message = connection_->Receive();
  }
  if (!message) {
    broken_ = true;
    return tl::make_unexpected(std::move(message).error());
  }
  if (!*message) return std::optional<wire::WalFrame>();
  ASSIGN(const auto frame, wire::DecodeWalFrame(**message));
  received_ = std::max(received_, std::max(frame.begin, frame.kind == wire::WalFrame::Kind::kKeepalive ? frame.end : wire::Lsn{}));
  if (frame.wants_reply) TRY(SendStatus());
  return std::optional(frame);
}

Status PostgresStream::Acknowledge(wire::Lsn durable) {
  const std::lock_guard lock(mutex_);
  durable_ = std::max(durable_, durable);
  received_ = std::max(received_, durable_);
  return SendStatus();
}

Status PostgresStream::AskWhere() {
  const std::lock_guard lock(mutex_);
  return SendStatus(Asks::kYes);
}

}  // namespace nano::ingest
