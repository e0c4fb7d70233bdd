// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A connection to PostgreSQL, for queries, COPY and replication. Waits end early when a signal asks for an end. Error texts
/// hold what the server said, never the connection's password. One thread; WaitReadable() and Cancel() may be called from another.
/// Connect() makes one by libpq; who reads a database is handed a PostgresOpener, so that a simulated server can stand in its place.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace nano::io {

/// What a query gave, as text.
class PostgresRows {
 public:
  using Values = std::vector<std::vector<std::optional<std::string>>>;
  PostgresRows() = default;
  explicit PostgresRows(Values rows) : rows_(std::move(rows)) {}
  std::size_t size() const { return rows_.size(); }
  bool is_null(std::size_t row, std::size_t column) const { return !rows_[row][column]; }
  /// "" where it is NULL.
  const std::string& text(std::size_t row, std::size_t column) const;
  std::int64_t integer(std::size_t row, std::size_t column) const;
  bool boolean(std::size_t row, std::size_t column) const { return text(row, column) == "t"; }

 private:
  Values rows_;
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
  Postgres() = default;
  virtual ~Postgres() = default;
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  /// 150004 of 15.4.
  virtual int server_version() const = 0;
  /// With parameters, one statement; `$1` is the first.
  virtual Result<PostgresRows> Query(const std::string& sql, const std::vector<std::string>& parameters = {}) = 0;
  /// A statement, or several, whose rows nobody wants.
  Status Execute(const std::string& sql);
  /// `COPY … TO STDOUT`: each line without its end. The callback may change the line; its failure ends the copy.
  virtual Status CopyOut(const std::string& sql, const std::function<Status(std::string& line)>& take) = 0;
  /// As a literal or an identifier in SQL.
  virtual std::string Literal(std::string_view text) const = 0;
  virtual std::string Identifier(std::string_view text) const = 0;

  /// Sends `START_REPLICATION …`; then Receive() and Send().
  virtual Status StartCopyBoth(const std::string& sql) = 0;
  /// What was received already, without waiting: the next message, or nothing.  kUnavailable: the connection broke, or the
  /// server ended the stream. The view is valid until the next call.
  virtual Result<std::optional<std::string_view>> Receive() = 0;
  /// Takes from the network what there is.
  virtual Status Consume() = 0;
  virtual Status Send(std::string_view message) = 0;
  /// Waits until there may be something to receive, the time is over or a signal asks for an end. True: there may be.
  virtual bool WaitReadable(std::chrono::milliseconds at_most) const = 0;
  /// Asks the server to end what it is asked now, which then fails. From any thread, while the connection lives.
  virtual void Cancel() const = 0;
};

/// How a database is reached: Postgres::Connect, or what stands in for it.
using PostgresOpener = std::function<Result<std::unique_ptr<Postgres>>(const Secret& url, Postgres::Mode mode)>;

}  // namespace nano::io
