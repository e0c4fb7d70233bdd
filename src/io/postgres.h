// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A connection to PostgreSQL, for queries, COPY and replication. Waits end early when a signal asks for an end. Error texts
/// hold what the server said, never the connection's password. One thread; socket() alone may be asked by another.

#include <poll.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

struct pg_conn;
struct pg_cancel;

namespace nano::io {

/// What a query gave, as text.
class PostgresRows {
 public:
  std::size_t size() const { return rows_.size(); }
  bool is_null(std::size_t row, std::size_t column) const { return !rows_[row][column]; }
  /// "" where it is NULL.
  const std::string& text(std::size_t row, std::size_t column) const;
  std::int64_t integer(std::size_t row, std::size_t column) const;
  bool boolean(std::size_t row, std::size_t column) const { return text(row, column) == "t"; }

 private:
  friend class Postgres;
  std::vector<std::vector<std::optional<std::string>>> rows_;
};

/// SQLSTATEs of errors that callers tell apart; they are an error's `value`.
constexpr std::string_view kObjectInUse = "55006", kUndefinedObject = "42704", kDuplicateObject = "42710", kObjectNotReady = "55000";

class Postgres {
 public:
  enum class Mode : bool { kQueries, kReplication };
  /// Texts of values are the same in both modes: ISO dates, UTC, hexadecimal bytea, shortest exact numbers.
  /// kDenied: the server refused the user or the password; kNotFound: there is no such database; kUnavailable: it can't be
  /// reached now; kInvalid: the URL is none.
  static Result<std::unique_ptr<Postgres>> Connect(const Secret& url, Mode mode);
  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  /// 150004 of 15.4.
  int server_version() const;
  /// With parameters, one statement; `$1` is the first.
  Result<PostgresRows> Query(const std::string& sql, const std::vector<std::string>& parameters = {});
  /// A statement, or several, whose rows nobody wants.
  Status Execute(const std::string& sql);
  /// `COPY … TO STDOUT`: each line without its end. The callback may change the line; its failure ends the copy.
  Status CopyOut(const std::string& sql, const std::function<Status(std::string& line)>& take);
  /// As a literal or an identifier in SQL.
  std::string Literal(std::string_view text) const;
  std::string Identifier(std::string_view text) const;

  /// Sends `START_REPLICATION …`; then Receive() and Send().
  Status StartCopyBoth(const std::string& sql);
  /// What was received already, without waiting: the next message, or nothing.  kUnavailable: the connection broke, or the
  /// server ended the stream. The view is valid until the next call.
  Result<std::optional<std::string_view>> Receive();
  /// Takes from the network what there is.
  Status Consume();
  Status Send(std::string_view message);
  /// For poll(); may be called from any thread.
  int socket() const { return socket_; }
  /// Asks the server to end what it is asked now, which then fails. From any thread, while the connection lives.
  void Cancel() const;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  struct FreeMemory {
    void operator()(char* memory) const;
  };
  struct FreeCancel {
    void operator()(pg_cancel* cancel) const;
  };
  explicit Postgres(std::unique_ptr<pg_conn, Finish> connection);
  Status Await();
  tl::unexpected<Error> Broken() const;

  std::unique_ptr<pg_conn, Finish> connection_;
  std::unique_ptr<pg_cancel, FreeCancel> cancel_;
  std::unique_ptr<char, FreeMemory> message_;
  int socket_ = -1;
};

/// Waits until the socket can be read, the time is over or a signal asks for an end. True: it can be read.
bool WaitReadable(int socket, std::chrono::milliseconds at_most);

}  // namespace nano::io
