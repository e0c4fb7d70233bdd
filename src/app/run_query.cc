// SPDX-License-Identifier: Apache-2.0
#include "app/run_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "app/json_sql.h"
#include "app/row_writer.h"
#include "app/statement.h"

namespace nano::app {
namespace {

/// A statement with its values, and what it gives.
struct Prepared {
  Statement statement;
  std::vector<engine::Value> values;
  std::vector<ResultColumn> columns;
};

/// The engine's error, its line numbers as the person counts them.
tl::unexpected<Error> Explained(Error error, int first_line) {
  error.message = ForPerson(std::move(error.message), first_line);
  if (error.message.find("STRING_LITERAL") != std::string::npos && error.hint.empty())
    error.hint = "A parameter is text until it is cast: write `$name::int`.";
  if (error.message.find("multiple statements") != std::string::npos)
    error.hint = "A PIVOT in a query needs its values named: `ON column IN ('a', 'b')`.";
  return tl::make_unexpected(std::move(error));
}

Result<std::vector<engine::Value>> ValuesOf(const Statement& statement, const std::map<std::string, std::string>& given) {
  std::vector<engine::Value> out;
  for (const auto& name : statement.parameters) {
    const auto found = given.find(name);
    if (found == given.end())
      return WithHint(Fail(Code::kInvalid, "parameter \"{}\" has no value", name), fmt::format("Give it one with `-p {}=…`.", name));
    out.emplace_back(found->second);
  }
  for (const auto& [name, value] : given)
    if (std::find(statement.parameters.begin(), statement.parameters.end(), name) == statement.parameters.end())
      return WithHint(Fail(Code::kInvalid, "parameter \"{}\" is not in the statement", name),
                      fmt::format("The statement refers to it as `${}`.", name));
  return out;
}

/// The statement as a table in FROM; its text begins on a line of its own.
std::string AsTable(const Statement& statement) { return "(\n" + statement.sql + "\n)"; }

Result<Prepared> Prepare(engine::Connection& connection, const std::string& sql, const QueryOptions& options) {
  Prepared out;
  ASSIGN(out.statement, ReadStatement(sql));
  ASSIGN(out.values, ValuesOf(out.statement, options.parameters));
  if (out.statement.explains) {
    out.columns = {{"explain_key", "VARCHAR"}, {"explain_value", "VARCHAR"}};
    return out;
  }
  const std::string what = out.statement.describes ? "SELECT * FROM " + AsTable(out.statement) : "\n" + out.statement.sql;
  auto described = connection.Query("DESCRIBE " + what, out.values);
  if (!described) return Explained(std::move(described).error(), 2);
  for (std::size_t row = 0; row < described->size(); ++row)
    out.columns.push_back({described->text(row, 0), described->text(row, 1)});
  return out;
}

/// Every column as text, under names of ours, so that those of the statement may come twice.
std::string TextSelect(const Prepared& prepared, QueryFormat format) {
  const bool json = format == QueryFormat::kJson || format == QueryFormat::kJsonLines;
  std::string select = "SELECT ", names;
  for (std::size_t i = 0; i < prepared.columns.size(); ++i) {
    const std::string name = fmt::format("c{}", i);
    const std::string& type = prepared.columns[i].type;
    select += (i > 0 ? ", " : "") + (json && IsNested(type) ? JsonExpression("q." + name, type) : "q." + name + "::VARCHAR");
    names += (i > 0 ? ", " : "") + name;
  }
  return select + " FROM " + AsTable(prepared.statement) + " AS q(" + names + ")";
}

Status WriteRows(engine::TextStream& rows, std::size_t columns, RowWriter& writer, Output& output) {
  std::vector<std::optional<std::string_view>> row(columns);
  while (!output.abandoned()) {
    auto count = rows.Next();
    if (!count) return Explained(std::move(count).error(), 2);
    if (*count == 0) return writer.End();
    for (std::size_t r = 0; r < *count; ++r) {
      for (std::size_t c = 0; c < columns; ++c) row[c] = rows.at(c, r);
      TRY(writer.Row(row));
    }
  }
  return {};
}

/// A plan is for reading: its text is printed as it is.
Status WritePlan(engine::TextStream& rows, Output& output) {
  while (true) {
    ASSIGN(const std::size_t count, rows.Next());
    if (count == 0) return {};
    for (std::size_t r = 0; r < count; ++r)
      if (const auto text = rows.at(1, r)) TRY(output.Write(*text));
  }
}

std::unique_ptr<RowWriter> WriterOf(const QueryOptions& options, Output& output) {
  switch (options.format) {
    case QueryFormat::kJson: return MakeJsonWriter(output, JsonShape::kArray);
    case QueryFormat::kJsonLines: return MakeJsonWriter(output, JsonShape::kLines);
    case QueryFormat::kCsv: return MakeCsvWriter(output);
    case QueryFormat::kTable:
    case QueryFormat::kParquet: break;
  }
  return MakeTablePrinter(output, {.terminal = options.terminal, .max_rows = options.max_rows});
}

}  // namespace

Status RunQuery(engine::Connection& connection, const std::string& sql, const QueryOptions& options, Output& output) {
  ASSIGN(const Prepared prepared, Prepare(connection, sql, options));
  const std::string text = prepared.statement.explains ? prepared.statement.sql : TextSelect(prepared, options.format);
  auto rows = connection.Stream(text, prepared.values);
  if (!rows) return Explained(std::move(rows).error(), prepared.statement.explains ? 1 : 2);
  if (prepared.statement.explains && options.format == QueryFormat::kTable) return WritePlan(**rows, output);
  const auto writer = WriterOf(options, output);
  TRY(writer->Begin(prepared.columns));
  return WriteRows(**rows, prepared.columns.size(), *writer, output);
}

Status RunQueryToParquet(engine::Connection& connection, const std::string& sql, const QueryOptions& options, const std::string& path) {
  ASSIGN(const Prepared prepared, Prepare(connection, sql, options));
  if (prepared.statement.explains) return Fail(Code::kInvalid, "a plan can't be written as parquet");
  std::string names;
  for (const auto& name : UniqueNames(prepared.columns)) names += (names.empty() ? "" : ", ") + engine::Quote(name);
  auto done = connection.Execute("COPY (SELECT * FROM " + AsTable(prepared.statement) + " AS q(" + names + ")) TO " +
                                     engine::Literal(path) + " (FORMAT parquet, COMPRESSION zstd)", prepared.values);
  if (!done) return Explained(std::move(done).error(), 2);
  return {};
}

}  // namespace nano::app
