// SPDX-License-Identifier: Apache-2.0
#include "state/sqlite.h"

#include <sqlite3.h>

#include <chrono>
#include <thread>

#include "io/fault.h"

namespace nano::state {
namespace {

constexpr int kBusyMilliseconds = 10000;

Code CodeOf(int result) {
  switch (result & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::kCorrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH: return Code::kDenied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN: return Code::kUnavailable;
    default: return Code::kInternal;
  }
}

}  // namespace

std::int64_t SqlRow::integer(int column) const { return sqlite3_column_int64(statement_, column); }
bool SqlRow::null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
std::string SqlRow::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Result<std::unique_ptr<Sqlite>> Sqlite::Open(const std::filesystem::path& path) {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Sqlite> database(new Sqlite(handle));
  if (result != SQLITE_OK) return database->LastFail(path.string());
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  TRY(database->Script("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL"));
  // The change to WAL needs the file alone, and does not wait for it by itself.
  for (int attempt = 0;; ++attempt) {
    auto status = database->Script("PRAGMA journal_mode = WAL");
    if (status) break;
    if (status.error().code != Code::kUnavailable || attempt == 100) return tl::make_unexpected(std::move(status).error());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return database;
}

Sqlite::~Sqlite() { sqlite3_close_v2(handle_); }

tl::unexpected<Error> Sqlite::LastFail(std::string_view what) const {
  if (handle_ == nullptr) return Fail(Code::kUnavailable, "state database: out of memory");
  return Fail(CodeOf(sqlite3_extended_errcode(handle_)), "state database: {} ({})", sqlite3_errmsg(handle_), what);
}

Status Sqlite::Script(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return LastFail(sql.substr(0, 40));
  return {};
}

Status Sqlite::Run(std::string_view sql, const std::vector<SqlValue>& parameters, const std::function<void(const SqlRow&)>& on_row) {
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK) return LastFail(sql.substr(0, 40));
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(raw);
  int index = 0;
  for (const auto& parameter : parameters) {
    ++index;
    int bound = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&parameter)) bound = sqlite3_bind_int64(raw, index, *number);
    else if (const auto* text = std::get_if<std::string>(&parameter)) bound = sqlite3_bind_text64(raw, index, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    else bound = sqlite3_bind_null(raw, index);
    if (bound != SQLITE_OK) return LastFail(sql.substr(0, 40));
  }
  for (;;) {
    const int result = sqlite3_step(raw);
    if (result == SQLITE_DONE) return {};
    if (result != SQLITE_ROW) return LastFail(sql.substr(0, 40));
    if (on_row) on_row(SqlRow(raw));
  }
}

std::int64_t Sqlite::last_row_id() const { return sqlite3_last_insert_rowid(handle_); }
std::int64_t Sqlite::changes() const { return sqlite3_changes64(handle_); }

Status Sqlite::Transaction(const std::function<Status()>& work) {
  TRY(Script("BEGIN IMMEDIATE"));
  auto status = work();
  if (status) status = io::PassOrFail("state.commit");
  if (status) status = Script("COMMIT");
  if (!status && sqlite3_get_autocommit(handle_) == 0) (void)Script("ROLLBACK");
  return status;
}

}  // namespace nano::state
