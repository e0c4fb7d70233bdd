// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The only door to DuckDB (C API 1.5.5). A Database is one in-memory instance with our extensions loaded from
/// files; a Connection runs SQL on it. Values are always bound or quoted, never pasted. A Connection is used by one
/// thread at a time, except Interrupt(); a Database by any number.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/data_type.h"
#include "base/result.h"

namespace nano::engine {

class RowSource;
class KeyVisitor;

/// `"a""b"`: an identifier, whatever it holds.
std::string Quote(std::string_view identifier);
/// `'a''b'`: a text literal, for the places where SQL takes no parameter.
std::string Literal(std::string_view text);
/// DuckDB's name of a column type: `DECIMAL(18,2)`, `STRUCT("a" INTEGER)`, `VARCHAR` for json.
std::string SqlType(const DataType& type);

/// Where the signed extension files lie: NANOHOUSE_EXTENSIONS, else beside the program, else the build's own.
std::filesystem::path ExtensionFolder();

struct Options {
  int threads = 0;                                ///< 0: one for each core
  std::string memory_limit = "512MB";
  std::filesystem::path temp_directory;           ///< spills go here; empty: a folder of the system's, removed at the end
  std::vector<std::string> extensions = {"icu", "json", "sqlite_scanner", "ducklake"};
  bool preserve_insertion_order = true;           ///< false for a database that only writes
};

/// A parameter: NULL, boolean, integer, double, text.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

/// A small result, whole, each value as text. Booleans are `true`/`false`.
struct Rows {
  std::vector<std::string> names;
  std::vector<std::vector<std::optional<std::string>>> rows;

  bool empty() const { return rows.empty(); }
  std::size_t size() const { return rows.size(); }
  /// The value as text; empty where it is NULL.
  const std::string& text(std::size_t row, std::size_t column) const;
  std::int64_t integer(std::size_t row, std::size_t column) const;
};

/// A result that is read as it is made, chunk by chunk. Every column must be VARCHAR (cast in SQL).
class TextStream {
 public:
  virtual ~TextStream() = default;
  virtual const std::vector<std::string>& names() const = 0;
  /// Moves to the next chunk; its number of rows, 0 at the end.
  virtual Result<std::size_t> Next() = 0;
  /// A value of the current chunk; valid until Next().
  virtual std::optional<std::string_view> at(std::size_t column, std::size_t row) const = 0;
};

/// A file that COPY wrote (RETURN_STATS). Statistics are text, as DuckDB prints values; a column without values has none.
struct WrittenFile {
  std::string path;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  std::int64_t footer_bytes = 0;
  std::map<std::string, std::map<std::string, std::string>> columns;   ///< by quoted path: `"a"`, `"st"."x"`
  std::map<std::string, std::string> partition;                        ///< values of the partition keys
};

class Connection {
 public:
  virtual ~Connection() = default;
  /// Runs one or more statements without a result to look at.  kInvalid: DuckDB refused the SQL or a value;
  /// kConflict: another transaction won; kUnavailable: the catalog or a file could not be reached.
  virtual Status Execute(const std::string& sql, const std::vector<Value>& parameters = {}) = 0;
  /// Runs one statement and gives its rows; for small results. Columns may be boolean, integers, hugeint, double,
  /// decimal, text; others must be cast to VARCHAR in the SQL (kInternal).
  virtual Result<Rows> Query(const std::string& sql, const std::vector<Value>& parameters = {}) = 0;
  /// Runs a `COPY … TO … (…, RETURN_STATS)`.
  virtual Result<std::vector<WrittenFile>> Copy(const std::string& sql) = 0;
  virtual Result<std::unique_ptr<TextStream>> Stream(const std::string& sql, const std::vector<Value>& parameters = {}) = 0;
  /// The names and DuckDB types (`DECIMAL(18,2)`) that a statement would give; binds, never runs.
  virtual Result<std::vector<std::pair<std::string, std::string>>> Describe(const std::string& sql) = 0;
  /// Ends what runs here; it fails with kInternal "interrupted". From any thread.
  virtual void Interrupt() = 0;
  /// Percent done of what runs here, or a negative number where it isn't known. From any thread.
  virtual double progress() = 0;
};

class Database {
 public:
  virtual ~Database() = default;
  static Result<std::unique_ptr<Database>> Open(const Options& options);
  virtual Result<std::unique_ptr<Connection>> Connect() = 0;
  /// Makes `source` readable as `FROM nano_rows(<handle>)` until Release(handle); see engine/row_source.h.
  virtual std::int64_t Register(std::shared_ptr<RowSource> source) = 0;
  virtual void Release(std::int64_t handle) = 0;
  /// Makes `visitor` see the keys that pass `nano_visit(<handle>, …)` until Dismiss(handle); see engine/key_visitor.h.
  virtual std::int64_t Register(std::shared_ptr<KeyVisitor> visitor) = 0;
  virtual void Dismiss(std::int64_t handle) = 0;
  /// DuckDB's version, and those of the loaded extensions.
  virtual Result<Rows> Versions() = 0;
};

}  // namespace nano::engine
