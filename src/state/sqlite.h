// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A SQLite database of ours, with the settings that our stores need: WAL, waiting for locks, foreign keys, durable
/// commits. For state/ only; the lake's catalog is opened by DuckDB alone. Not for several threads at once.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nano::state {

/// A parameter: NULL, integer, text.
using SqlValue = std::variant<std::monostate, std::int64_t, std::string>;

/// One row of a result.
class SqlRow {
 public:
  explicit SqlRow(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  bool null(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class Sqlite {
 public:
  /// kUnavailable: it can't be opened or stays locked; kDenied: it may not be written; kCorrupt: it is no database.
  static Result<std::unique_ptr<Sqlite>> Open(const std::filesystem::path& path);
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;
  ~Sqlite();

  /// Runs statements without parameters and results.
  Status Script(const std::string& sql);
  /// Runs one statement and hands on its rows.
  Status Run(std::string_view sql, const std::vector<SqlValue>& parameters = {}, const std::function<void(const SqlRow&)>& on_row = {});
  std::int64_t last_row_id() const;
  /// Rows that the last statement changed.
  std::int64_t changes() const;
  /// Runs `work` in a transaction that holds the write lock from its beginning; rolls back if it fails.
  Status Transaction(const std::function<Status()>& work);

 private:
  explicit Sqlite(sqlite3* handle) : handle_(handle) {}
  tl::unexpected<Error> LastFail(std::string_view what) const;
  sqlite3* handle_;
};

}  // namespace nano::state
