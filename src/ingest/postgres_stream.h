// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A slot's stream: frames of a walsender, and our answers. A thread of its own answers while the owner is busy, so that the
/// server does not take a slow landing for a dead peer. What is acknowledged is for the owner to say, and only what is durable.
/// One owner's thread.

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "io/background.h"
#include "io/postgres.h"
#include "wire/pgoutput.h"

namespace nano::ingest {

struct StreamStart {
  std::string slot;
  std::vector<std::string> publications;
  wire::Lsn from;                 ///< the end of the last transaction that is durable here; 0: where the slot is
};

class PostgresStream {
 public:
  /// kUnavailable: the slot is in use, or the server can't be reached.
  static Result<std::unique_ptr<PostgresStream>> Start(const io::PostgresOpener& connect, const Secret& url, const StreamStart& start);
  ~PostgresStream();

  /// The next frame, if one is there; its bytes are valid until the next call. Requests for an answer are answered.
  Result<std::optional<wire::WalFrame>> Next();
  /// Until there may be a frame, or the time is over. True: there may be one.
  bool Wait(std::chrono::milliseconds at_most) const { return connection_->WaitReadable(at_most); }
  /// Tells the server that all up to there is durable.
  Status Acknowledge(wire::Lsn durable);
  /// Asks for a keepalive, which tells how far the server has come.
  Status AskWhere();
  /// Whether logical messages come.
  bool has_messages() const { return has_messages_; }

 private:
  explicit PostgresStream(std::unique_ptr<io::Postgres> connection);
  enum class Asks : bool { kNo, kYes };   ///< for an answer that says where the server is
  Status SendStatus(Asks asks = Asks::kNo);
  void KeepAlive(const std::stop_token& stop);

  bool has_messages_ = false;
  std::mutex mutex_;              // guards all that follows
  std::unique_ptr<io::Postgres> connection_;
  wire::Lsn received_, durable_;
  Clock::Steady told_;
  bool broken_ = false;
  std::unique_ptr<io::Background::Work> keeper_;          ///< last, so that it ends first
};

}  // namespace nano::ingest
