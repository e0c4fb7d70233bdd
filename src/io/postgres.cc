// SPDX-License-Identifier: Apache-2.0
#include "io/postgres.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>

#include <charconv>

#include "io/signals.h"

namespace nano::io {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kConnectTime{15'000};
/// How often a wait looks whether it is to end.
constexpr milliseconds kGlance{200};

/// Output functions read these settings; a walsender's, too. What we write (marks in the log) waits for no standby.
constexpr std::string_view kSettings =
    "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=3 -c bytea_output=hex -c lc_monetary=C "
    "-c xmloption=content -c synchronous_commit=local -c statement_timeout=0 -c idle_in_transaction_session_timeout=0";

struct Result_ {
  explicit Result_(PGresult* raw) : result(raw) {}
  ~Result_() { PQclear(result); }
  Result_(const Result_&) = delete;
  Result_& operator=(const Result_&) = delete;
  PGresult* result;
};

/// The first line of what libpq says, without its prefixes.
std::string FirstLine(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return std::string(text);
}

/// Of "…: FATAL:  28P01: password authentication failed …", the five letters and what follows.
struct Said {
  std::string state, message;
};
Said WhatServerSaid(const std::string& text) {
  for (const std::string_view severity : {"FATAL:  ", "ERROR:  "}) {
    const std::size_t at = text.find(severity);
    if (at == std::string::npos) continue;
    const std::string_view rest = std::string_view(text).substr(at + severity.size());
    if (rest.size() > 7 && rest[5] == ':') return {std::string(rest.substr(0, 5)), FirstLine(rest.substr(7))};
  }
  return {"", FirstLine(text)};
}

Code CodeOfState(std::string_view state) {
  if (state == "28P01" || state == "28000" || state == "42501") return Code::kDenied;
  if (state == "3D000" || state == kUndefinedObject || state == "42P01" || state == "3F000") return Code::kNotFound;
  if (state == kDuplicateObject || state == "42P07" || state == "42P06") return Code::kExists;
  if (state.starts_with("57P") || state.starts_with("08") || state.starts_with("53") || state == kObjectInUse) return Code::kUnavailable;
  if (state.starts_with("XX")) return Code::kUnavailable;   // "tuple concurrently updated": the session of one that was killed is still at it
  if (state.starts_with("40")) return Code::kConflict;
  return Code::kInvalid;
}

tl::unexpected<Error> ErrorOf(const PGresult* result) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (!state) return Fail(Code::kUnavailable, "the database's connection broke: {}", FirstLine(PQresultErrorMessage(result)));
  const std::string message = FirstLine(primary ? primary : "");
  auto failure = Fail(CodeOfState(state), "the database said: {}", message);
  failure.value().value = state;
  return failure;
}

/// The URL's own settings, ours added to its options.
Result<std::string> OptionsOf(const Secret& url) {
  char* message = nullptr;
  PQconninfoOption* const options = PQconninfoParse(url.Reveal().c_str(), &message);
  if (!options) {
    PQfreemem(message);   // it may quote the URL
    return WithHint(Fail(Code::kInvalid, "the database's URL is none"), "Write postgresql://user@host:port/database, or key=value pairs.");
  }
  std::string text(kSettings);
  for (const PQconninfoOption* option = options; option->keyword; ++option)
    if (std::string_view(option->keyword) == "options" && option->val) text = std::string(option->val) + " " + text;
  PQconninfoFree(options);
  return text;
}

tl::unexpected<Error> CouldNotConnect(PGconn* connection) {
  const std::string text = PQerrorMessage(connection);
  const Said said = WhatServerSaid(text);
  if (said.state == "28P01" || (said.state.empty() && PQconnectionNeedsPassword(connection)))
    return WithHint(Fail(Code::kDenied, "the database refused the password"), "Check the user and the password that the source's url refers to.");
  if (said.state.empty()) return Fail(Code::kUnavailable, "the database can't be reached: {}", FirstLine(text));
  const Code code = CodeOfState(said.state);
  auto failure = Fail(code == Code::kInvalid ? Code::kUnavailable : code, "the database refused the connection: {}", said.message);
  failure.value().value = said.state;
  return failure;
}

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};
struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};
using Connection = std::unique_ptr<PGconn, Finish>;

class LibpqConnection final : public Postgres {
 public:
  explicit LibpqConnection(Connection connection)
      : connection_(std::move(connection)), cancel_(PQgetCancel(connection_.get())), socket_(PQsocket(connection_.get())) {}

  int server_version() const override { return PQserverVersion(connection_.get()); }
  Result<PostgresRows> Query(const std::string& sql, const std::vector<std::string>& parameters) override;
  Status CopyOut(const std::string& sql, const std::function<Status(std::string& line)>& take) override;
  std::string Literal(std::string_view text) const override;
  std::string Identifier(std::string_view text) const override;
  Status StartCopyBoth(const std::string& sql) override;
  Result<std::optional<std::string_view>> Receive() override;
  Status Consume() override;
  Status Send(std::string_view message) override;
  bool WaitReadable(milliseconds at_most) const override;
  void Cancel() const override;

 private:
  Status Await();
  tl::unexpected<Error> Broken() const;

  Connection connection_;
  std::unique_ptr<PGcancel, FreeCancel> cancel_;
  std::unique_ptr<char, FreeMemory> message_;
  const int socket_;
};

}  // namespace

const std::string& PostgresRows::text(std::size_t row, std::size_t column) const {
  static const std::string none;
  const auto& value = rows_[row][column];
  return value ? *value : none;
}

std::int64_t PostgresRows::integer(std::size_t row, std::size_t column) const {
  const std::string& value = text(row, column);
  std::int64_t number = 0;
  (void)std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

Result<std::unique_ptr<Postgres>> Postgres::Connect(const Secret& url, Mode mode) {
  ASSIGN(const std::string options, OptionsOf(url));
  const char* const names[] = {"keepalives_idle", "tcp_user_timeout", "dbname", "options", "client_encoding", "fallback_application_name",
                               mode == Mode::kReplication ? "replication" : nullptr, nullptr};
  const char* const values[] = {"30", "60000", url.Reveal().c_str(), options.c_str(), "UTF8", "nanohouse", "database", nullptr};
  Connection connection(PQconnectStartParams(names, values, 1));
  if (!connection) return Fail(Code::kUnavailable, "there is no memory for a connection");
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);   // states are told apart by their codes, in any language
  const auto deadline = Clock::now() + kConnectTime;
  for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;) {
    if (next == PGRES_POLLING_FAILED || PQstatus(connection.get()) == CONNECTION_BAD) return CouldNotConnect(connection.get());
    if (StopRequested()) return Fail(Code::kUnavailable, "stopped while connecting to the database");
    if (Clock::now() > deadline) return Fail(Code::kUnavailable, "the database did not answer within {} s", kConnectTime.count() / 1000);
    struct pollfd wait {PQsocket(connection.get()), static_cast<short>(next == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (::poll(&wait, 1, static_cast<int>(kGlance.count())) > 0) next = PQconnectPoll(connection.get());
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(connection.get(), 1) != 0) return Fail(Code::kUnavailable, "the database's connection can't be used without waiting");
  return std::make_unique<LibpqConnection>(std::move(connection));
}

void LibpqConnection::Cancel() const {
  char reason[256];
  if (cancel_) (void)PQcancel(cancel_.get(), reason, sizeof reason);   // what was asked may have ended already
}

tl::unexpected<Error> LibpqConnection::Broken() const {
  const Said said = WhatServerSaid(PQerrorMessage(connection_.get()));
  return Fail(Code::kUnavailable, "the database's connection broke: {}", said.message.empty() ? "it was closed" : said.message);
}

bool LibpqConnection::WaitReadable(milliseconds at_most) const {
  const auto deadline = Clock::now() + at_most;
  while (!StopRequested()) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    struct pollfd wait {socket_, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(0, std::min(left, kGlance).count())));
    if (ready > 0) return true;
    if (left <= milliseconds::zero()) return false;
  }
  return false;
}

/// Until libpq has an answer; what is to be sent goes out meanwhile.
Status LibpqConnection::Await() {
  while (true) {
    const int flushed = PQflush(connection_.get());
    if (flushed < 0) return Broken();
    if (flushed == 0 && !PQisBusy(connection_.get())) return {};
    if (StopRequested()) return Fail(Code::kUnavailable, "stopped while the database was asked");
    struct pollfd wait {socket_, static_cast<short>(POLLIN | (flushed > 0 ? POLLOUT : 0)), 0};
    if (::poll(&wait, 1, static_cast<int>(kGlance.count())) > 0 && (wait.revents & (POLLIN | POLLERR | POLLHUP)) != 0 &&
        PQconsumeInput(connection_.get()) == 0)
      return Broken();
  }
}

Result<PostgresRows> LibpqConnection::Query(const std::string& sql, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  const int sent = parameters.empty() ? PQsendQuery(connection_.get(), sql.c_str())
                                      : PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0);
  if (sent == 0) return Broken();
  PostgresRows::Values rows;
  std::optional<tl::unexpected<Error>> failure;
  while (true) {
    TRY(Await());
    const Result_ got(PQgetResult(connection_.get()));
    if (!got.result) break;
    switch (PQresultStatus(got.result)) {
      case PGRES_TUPLES_OK:
        rows.clear();
        for (int r = 0; r < PQntuples(got.result); ++r) {
          auto& row = rows.emplace_back();
          for (int c = 0; c < PQnfields(got.result); ++c) {
            if (PQgetisnull(got.result, r, c)) row.emplace_back();
            else row.emplace_back(std::string(PQgetvalue(got.result, r, c), static_cast<std::size_t>(PQgetlength(got.result, r, c))));
          }
        }
        break;
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY: break;
      default: failure = ErrorOf(got.result);
    }
  }
  if (failure) return *failure;
  return PostgresRows(std::move(rows));
}

Status Postgres::Execute(const std::string& sql) {
  ASSIGN([[maybe_unused]] const auto rows, Query(sql));
  return {};
}

Status LibpqConnection::CopyOut(const std::string& sql, const std::function<Status(std::string& line)>& take) {
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return Broken();
  Status failed;
  while (true) {
    TRY(Await());
    const Result_ got(PQgetResult(connection_.get()));
    if (!got.result) return failed;
    const ExecStatusType status = PQresultStatus(got.result);
    if (status == PGRES_COPY_OUT) {
      std::string line;
      while (true) {
        char* raw = nullptr;
        const int size = PQgetCopyData(connection_.get(), &raw, 1);
        const std::unique_ptr<char, FreeMemory> memory(raw);
        if (size == -1) break;
        if (size == -2) return Broken();
        if (size == 0) {
          if (StopRequested()) return Fail(Code::kUnavailable, "stopped while a table was read");
          struct pollfd wait {socket_, POLLIN, 0};
          if (::poll(&wait, 1, static_cast<int>(kGlance.count())) > 0 && PQconsumeInput(connection_.get()) == 0) return Broken();
          continue;
        }
        if (!failed) continue;
        line.assign(raw, static_cast<std::size_t>(size));
        if (line.ends_with('\n')) line.pop_back();
        failed = take(line);
      }
    } else if (status != PGRES_COMMAND_OK && failed) {
      failed = ErrorOf(got.result);
    }
  }
}

std::string LibpqConnection::Literal(std::string_view text) const {
  const std::unique_ptr<char, FreeMemory> quoted(PQescapeLiteral(connection_.get(), text.data(), text.size()));
  return quoted ? std::string(quoted.get()) : "''";
}

std::string LibpqConnection::Identifier(std::string_view text) const {
  const std::unique_ptr<char, FreeMemory> quoted(PQescapeIdentifier(connection_.get(), text.data(), text.size()));
  return quoted ? std::string(quoted.get()) : "\"\"";
}

Status LibpqConnection::StartCopyBoth(const std::string& sql) {
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return Broken();
  TRY(Await());
  const Result_ got(PQgetResult(connection_.get()));
  if (!got.result) return Broken();
  if (PQresultStatus(got.result) == PGRES_COPY_BOTH) return {};
  auto failure = ErrorOf(got.result);
  while (true) {   // the rest of the answer
    if (Status more = Await(); !more) break;
    const Result_ next(PQgetResult(connection_.get()));
    if (!next.result) break;
  }
  return failure;
}

Status LibpqConnection::Consume() {
  if (PQconsumeInput(connection_.get()) == 0) return Broken();
  return {};
}

Result<std::optional<std::string_view>> LibpqConnection::Receive() {
  char* raw = nullptr;
  const int size = PQgetCopyData(connection_.get(), &raw, 1);
  message_.reset(raw);
  if (size > 0) return std::optional<std::string_view>(std::string_view(raw, static_cast<std::size_t>(size)));
  if (size == 0) return std::optional<std::string_view>();
  if (size == -1) {
    const Result_ got(PQgetResult(connection_.get()));
    if (got.result && PQresultStatus(got.result) == PGRES_FATAL_ERROR) return ErrorOf(got.result);
    return Fail(Code::kUnavailable, "the database ended the replication");
  }
  return Broken();
}

Status LibpqConnection::Send(std::string_view message) {
  if (PQputCopyData(connection_.get(), message.data(), static_cast<int>(message.size())) != 1 || PQflush(connection_.get()) < 0) return Broken();
  return {};
}

}  // namespace nano::io
