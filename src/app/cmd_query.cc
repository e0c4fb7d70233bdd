// SPDX-License-Identifier: Apache-2.0
// query SQL: one statement over the tables, at the newest cut or an older one.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <iostream>
#include <iterator>
#include <memory>

#include "app/command.h"
#include "app/interrupt.h"
#include "app/journal_rows.h"
#include "app/report.h"
#include "app/run_query.h"
#include "app/warehouse.h"
#include "io/files.h"
#include "io/signals.h"

namespace nano::app {
namespace {

struct QueryArguments {
  std::string sql, file, at, format, output;
  std::vector<std::string> parameters;
  std::optional<std::size_t> max_rows;
};

const std::map<std::string, QueryFormat> kFormats = {{"table", QueryFormat::kTable}, {"json", QueryFormat::kJson},
                                                     {"jsonl", QueryFormat::kJsonLines}, {"csv", QueryFormat::kCsv},
                                                     {"parquet", QueryFormat::kParquet}};

Result<std::string> SqlOf(const QueryArguments& arguments) {
  if (!arguments.sql.empty() && !arguments.file.empty())
    return Fail(Code::kInvalid, "query takes a statement or --file, not both");
  const std::string& file = arguments.file.empty() && arguments.sql == "-" ? arguments.sql : arguments.file;
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  if (!file.empty()) return io::ReadFile(file, 64 << 20);
  return arguments.sql;
}

Result<std::map<std::string, std::string>> ParametersOf(const QueryArguments& arguments) {
  std::map<std::string, std::string> out;
  for (const auto& text : arguments.parameters) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return WithHint(Fail(Code::kInvalid, "parameter \"{}\" has no value", text), "Write it as `-p name=value`.");
    if (!out.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      return Fail(Code::kInvalid, "parameter \"{}\" is given twice", text.substr(0, equals));
  }
  return out;
}

/// A Parquet file needs a place to seek in, so what goes to standard output is made in the spill folder first.
Status Parquet(engine::Connection& connection, const std::string& sql, const QueryOptions& options, const std::string& target,
               const std::filesystem::path& spill) {
  if (!target.empty()) return RunQueryToParquet(connection, sql, options, target);
  if (isatty(STDOUT_FILENO) == 1)
    return WithHint(Fail(Code::kInvalid, "parquet is not for a terminal"), "Write it to a file with `-o result.parquet`.");
  std::error_code error;
  std::filesystem::create_directories(spill, error);
  const std::filesystem::path part = spill / fmt::format("query-{}.parquet", getpid());
  const std::unique_ptr<const std::filesystem::path, void (*)(const std::filesystem::path*)> removed(
      &part, [](const std::filesystem::path* path) {
        std::error_code ignored;
        std::filesystem::remove(*path, ignored);
      });
  TRY(RunQueryToParquet(connection, sql, options, part.string()));
  const int file = open(part.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Fail(Code::kUnavailable, "file \"{}\" can't be read", part.string());
  Output output;
  std::string buffer(1 << 20, '\0');
  for (ssize_t count = 0; (count = read(file, buffer.data(), buffer.size())) > 0 && !output.abandoned();)
    if (auto written = output.Write(std::string_view(buffer).substr(0, static_cast<std::size_t>(count))); !written) {
      close(file);
      return written;
    }
  close(file);
  return output.Finish();
}

/// Attaching journals costs a little, so it is done for statements that have the word in them.
bool MayNameJournals(std::string sql) {
  std::transform(sql.begin(), sql.end(), sql.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return sql.find("journal") != std::string::npos;
}

Status Query(const Invocation& invocation, const QueryArguments& arguments) {
  QueryOptions options;
  options.format = invocation.json ? QueryFormat::kJson : kFormats.at(arguments.format);
  options.terminal = Terminal::Of(arguments.output.empty() ? STDOUT_FILENO : -1);
  options.max_rows = arguments.max_rows;
  ASSIGN(options.parameters, ParametersOf(arguments));
  ASSIGN(const std::string sql, SqlOf(arguments));
  ASSIGN(const auto warehouse, FindWarehouse(invocation.folder));
  ASSIGN(const auto reader, OpenReader(warehouse.layout, arguments.at));
  engine::Connection& connection = reader->connection();
  if (MayNameJournals(sql)) TRY(AttachJournals(reader->database(), connection, warehouse.layout.local / "journal"));
  const OnInterrupt interrupt([&connection] { connection.Interrupt(); });
  if (options.format == QueryFormat::kParquet) return Parquet(connection, sql, options, arguments.output, warehouse.layout.spill());
  if (arguments.output.empty()) {
    Output output;
    TRY(RunQuery(connection, sql, options, output));
    return output.Finish();
  }
  ASSIGN(Output output, Output::ToFile(arguments.output));
  TRY(RunQuery(connection, sql, options, output));
  return output.Finish();
}

}  // namespace

void AddQuery(CommandLine& line) {
  const auto arguments = std::make_shared<QueryArguments>();
  CLI::App& verb = AddVerb(line, line.program, "query", "Run one query over the tables",
                           {"nanohouse query \"SELECT status, count(*), sum(amount) FROM orders GROUP BY 1\"",
                            "nanohouse query \"FROM orders WHERE id = $id\" -p id=1001 --format json",
                            "nanohouse query \"SELECT count(*) FROM orders\" --at \"2026-01-06 12:00:00+00\"",
                            "nanohouse query \"FROM orders\" --format parquet -o orders.parquet",
                            "nanohouse query --file report.sql --format csv > report.csv", "echo \"FROM orders\" | nanohouse query -"},
                           [arguments](const Invocation& invocation) {
    io::CatchStopSignals();
    const auto done = Query(invocation, *arguments);
    if (!done && io::StopRequested()) return Report(invocation, {Code::kUnavailable, "the query was stopped", {}, {}, {}});
    return done ? Exit::kDone : Report(invocation, done.error());
  });
  verb.add_option("sql", arguments->sql, "The statement; - reads it from standard input")->type_name("SQL");
  verb.add_option("-f,--file", arguments->file, "Read the statement from a file; - is standard input")->type_name("FILE");
  verb.add_option("-p,--parameter", arguments->parameters, "A value for $NAME in the statement; may be repeated")
      ->type_name("NAME=VALUE")->allow_extra_args(false);
  verb.add_option("--format", arguments->format, "table, json, jsonl, csv or parquet (default: table)")
      ->default_val("table")->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json", "jsonl", "csv", "parquet"}).description(""));
  verb.add_option("-o,--output", arguments->output, "Write to a file, whole or not at all")->type_name("FILE");
  verb.add_option("--at", arguments->at, "As it was: a time, a snapshot's number, or SOURCE:POSITION")->type_name("CUT");
  verb.add_option("--max-rows", arguments->max_rows, "Rows of a table to show; 0: all (default: 100 on a terminal, else all)")->type_name("N");
}

}  // namespace nano::app
