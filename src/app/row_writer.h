// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Rows on their way to a person or a program: one implementation a format. Each value comes as DuckDB's text of it
/// (nested values of the JSON formats as JSON), so no number passes through a double. Memory does not grow with the
/// number of rows. Not for several threads.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/output.h"
#include "app/terminal.h"
#include "base/result.h"

namespace nano::app {

struct ResultColumn {
  std::string name;
  std::string type;   ///< DuckDB's: `DECIMAL(18,2)`, `INTEGER[]`
};

using ResultRow = std::span<const std::optional<std::string_view>>;

class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual Status Begin(const std::vector<ResultColumn>& columns) = 0;
  virtual Status Row(ResultRow row) = 0;
  virtual Status End() = 0;
};

/// JSON: one array of objects, or one object a line. A name that comes twice gets `_2`, `_3`.
enum class JsonShape { kArray, kLines };
std::unique_ptr<RowWriter> MakeJsonWriter(Output& output, JsonShape shape);

/// RFC 4180 with lines that end in LF: NULL as nothing, the empty text as `""`.
std::unique_ptr<RowWriter> MakeCsvWriter(Output& output);

struct TableOptions {
  Terminal terminal;
  /// Shown before "… more rows"; 0: all. By default 100 on a terminal, and all elsewhere.
  std::optional<std::size_t> max_rows;
  bool footer = true;   ///< "(3 rows)"
};
std::unique_ptr<RowWriter> MakeTablePrinter(Output& output, const TableOptions& options);

/// How DuckDB's type of a column is shown.
enum class ValueShape { kText, kBoolean, kNumber, kFloat, kJson };
ValueShape ShapeOf(std::string_view duckdb_type);

/// The names, each made unique by `_2`, `_3`, … as JSON and Parquet need them.
std::vector<std::string> UniqueNames(const std::vector<ResultColumn>& columns);

/// `"text"` as JSON has it; bytes that are no UTF-8 become U+FFFD.
void AppendJsonText(std::string_view text, std::string& out);

}  // namespace nano::app
